"""The house's one rule of construction: a floor imports only from floors below it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "proctoring"

WORDS = {"observations", "incidents", "errors", "capabilities"}
ALLOWED: dict[str, set[str]] = {
    "models": WORDS,
    "vision": WORDS | {"models"},
    "audio": WORDS | {"models"},
    "browser": WORDS,
    "judgement": WORDS,
    "records": WORDS | {"judgement"},
    "delivery": WORDS | {"records"},
    "session": WORDS | {"models", "vision", "audio", "browser", "judgement", "records", "delivery"},
    "storage": WORDS | {"judgement", "records", "delivery", "session"},
    "recording": WORDS | {"models", "settings", "vision", "audio", "judgement", "session"},
    "livekit": {"errors"},
}
"""Floor -> what it may import of the package besides itself. Floors not named are at the top."""


ARCHITECTURE = Path(__file__).parents[1] / "docs" / "architecture.md"


def test_the_documentation_lists_every_floor_and_shared_module() -> None:
    listed = ARCHITECTURE.read_text().split("```")[1]
    there = {
        f"{found.name}/" if found.is_dir() else found.name
        for found in SOURCE.iterdir()
        if found.name[0] not in "_." and (found.is_dir() or found.suffix == ".py")
    }
    assert set(re.findall(r"(?:^|, )(\w+(?:/|\.py))", listed, re.MULTILINE)) == there


def test_every_floor_is_allowed_something_or_at_the_top() -> None:
    floors = {found.name for found in SOURCE.iterdir() if (found / "__init__.py").is_file()}
    assert floors == {*ALLOWED, "cli", "server"}


def imported_floors(file: Path) -> set[str]:
    """The first components below ``proctoring`` that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("proctoring.")}
    return found


@pytest.mark.parametrize("floor", sorted(ALLOWED))
def test_a_floor_imports_only_from_floors_below(floor: str) -> None:
    for file in (SOURCE / floor).rglob("*.py"):
        above = imported_floors(file) - ALLOWED[floor] - {floor}
        assert not above, f"{file.relative_to(SOURCE)} imports {sorted(above)}"


def test_judgement_knows_no_pixels_no_files_and_no_clock() -> None:
    forbidden = {"numpy", "cv2", "time", "datetime", "asyncio", "threading", "random"}
    for file in (SOURCE / "judgement").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                used = {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                used = {(node.module or "").split(".")[0]}
            else:
                continue
            assert not used & forbidden, f"{file.name} imports {used & forbidden}"
