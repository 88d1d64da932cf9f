"""The glossary against the code: every name in it exists, every term stands there once."""

from __future__ import annotations

import importlib
import re
import sys
from collections import Counter
from pathlib import Path

GLOSSARY = Path(__file__).parents[1] / "docs" / "glossary.md"
ROW = re.compile(r"^\| ([^|]+) \| [^|]+ \| ([^|]*) \| [^|]*\|$", re.MULTILINE)


def rows() -> list[tuple[str, str]]:
    """Term and class of each row, table headers left out."""
    found = ROW.findall(GLOSSARY.read_text(encoding="utf-8"))
    return [(term, name) for term, name in found if term not in ("term", "---")]


def exists(name: str) -> bool:
    """Whether ``package.module`` or ``package.module.name`` is there, below ``proctoring``."""
    try:
        importlib.import_module(f"proctoring.{name}")
    except ModuleNotFoundError:
        module, _, attribute = name.rpartition(".")
        return (
            bool(module)
            and exists(module)
            and hasattr(sys.modules[f"proctoring.{module}"], attribute)
        )
    return True


def test_every_class_that_the_glossary_names_exists() -> None:
    names = [name for _, cell in rows() for name in re.findall(r"^`([a-z_.A-Z]+)`$", cell)]
    assert len(names) > 40
    assert [name for name in names if not exists(name)] == []


def test_every_term_stands_in_the_glossary_once() -> None:
    terms = Counter(word.strip() for term, _ in rows() for word in term.split(","))
    assert [term for term, count in terms.items() if count > 1] == []
