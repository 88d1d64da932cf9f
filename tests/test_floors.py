"""Which package may import which, and how long a file may be."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = "proctoring"
SOURCE = Path(__file__).parents[1] / "src" / PACKAGE
ARCHITECTURE = Path(__file__).parents[1] / "docs" / "architecture.md"

SHARED = {
    "observations",
    "incidents",
    "errors",
    "capabilities",
    "whole_file",
    "snapshots",
    "spreadsheets",
}
ANALYSIS = {"models", "vision", "audio", "browser", "judgement"}
KEEPING = {"records", "delivery"}
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "error_list": {"errors"},
    "capabilities": set(),
    "whole_file": set(),
    "snapshots": set(),
    "spreadsheets": set(),
    "page_template": set(),
    "observations": set(),
    "incidents": set(),
    "settings": {"errors"},
    "models": SHARED,
    "vision": SHARED | {"models"},
    "audio": SHARED | {"models"},
    "browser": SHARED,
    "judgement": SHARED,
    "records": SHARED | {"judgement"},
    "delivery": SHARED | {"records"},
    "cluster": SHARED | {"records"},
    "session": SHARED | ANALYSIS | KEEPING,
    "storage": SHARED | {"judgement", "session"} | KEEPING,
    "recording": SHARED | {"models", "vision", "audio", "judgement", "session", "settings"},
    "livekit": {"errors", "error_list"},
    "batch": SHARED | {"judgement", "page_template", "recording", "settings"},
    "server": SHARED
    | ANALYSIS
    | KEEPING
    | {"session", "storage", "settings", "cluster", "page_template"},
    "cli": SHARED
    | {
        "models",
        "judgement",
        "records",
        "session",
        "recording",
        "batch",
        "server",
        "livekit",
        "settings",
    },
    "__main__": {"cli"},
}
"""Floor (a package, or a module beside them) -> what else of the package it may import.

The package itself, ``proctoring/__init__.py``, offers names of several floors: the command may use them,
floors below take only its version.
"""

MAX_LINES = 400
LONG_FILES: dict[str, str] = {}
"""Files of more than ``MAX_LINES`` lines -> why."""


@cache
def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for file in SOURCE.rglob("*.py"):
        parts = (PACKAGE, *file.relative_to(SOURCE).with_suffix("").parts)
        found[".".join(parts).removesuffix(".__init__")] = file
    return found


def imports(file: Path) -> Iterator[tuple[str, str]]:
    """Modules of the package that a file imports, at its top or later, and the name that it takes."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found = [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import"
            names = [(f"{node.module}.{alias.name}", alias.name) for alias in node.names]
            found = [
                (name, "") if name in modules() else (node.module or "", taken)
                for name, taken in names
            ]
        else:
            continue
        yield from (one for one in found if one[0].split(".")[0] == PACKAGE)


def floor_of(module: str) -> str:
    """``proctoring.server.rest`` -> ``server``; empty for the package itself."""
    return module.partition(".")[2].partition(".")[0]


def test_the_documentation_lists_every_floor_and_shared_module() -> None:
    listed = ARCHITECTURE.read_text().split("```")[1]
    there = {
        f"{found.name}/" if found.is_dir() else found.name
        for found in SOURCE.iterdir()
        if found.name[0] not in "_." and (found.is_dir() or found.suffix == ".py")
    }
    assert set(re.findall(r"(?:^|, )(\w+(?:/|\.py))", listed, re.MULTILINE)) == there


def test_every_floor_says_what_it_may_import() -> None:
    assert {floor_of(module) for module in modules()} - {""} == set(ALLOWED)


def test_floors_lie_on_each_other() -> None:
    """What a floor may import is below it: no floor is, by a detour, below itself."""
    order = list(TopologicalSorter(ALLOWED).static_order())
    assert order[-2:] == ["cli", "__main__"]


@pytest.mark.parametrize("floor", sorted(ALLOWED))
def test_a_floor_imports_only_from_floors_below(floor: str) -> None:
    for module, file in modules().items():
        if floor_of(module) != floor:
            continue
        for imported, name in imports(file):
            if imported == PACKAGE:
                top = floor == "cli"  # above all that the package offers
                assert top or name == "__version__", f"{module} imports {name} of the package"
            else:
                allowed = ALLOWED[floor] | {floor}
                assert floor_of(imported) in allowed, f"{module} imports {imported}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {
        module: {imported for imported, _ in imports(file) if imported in modules()} - {module}
        for module, file in modules().items()
    }
    # The package imports what it offers, and is asked for its version by all.
    graph[PACKAGE] = set()
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' -> '.join(error.args[1])}")


def test_no_file_is_too_long() -> None:
    suffixes = {".py", ".js", ".css", ".html", ".toml", ".mako"}
    long = {
        str(file.relative_to(SOURCE))
        for file in SOURCE.rglob("*")
        if file.suffix in suffixes and len(file.read_text().splitlines()) > MAX_LINES
    }
    assert long == set(LONG_FILES)


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
