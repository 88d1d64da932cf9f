"""The page's files: complete, self-contained, and good under a strict content security policy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "src" / "proctoring" / "server" / "page"
MODULES = sorted(PAGE.glob("*.js"))

IMPORT = re.compile(r'(?:from|import|new URL\()\s*"(\./)?([\w.]+\.js)"')
ASKED = re.compile(r'\b(?:getElementById|element)\("([^"]+)"[,)]')
OUTSIDE = re.compile(r"(?:https?:)?//[a-z0-9-]+\.[a-z]", re.IGNORECASE)


def markup() -> str:
    return (PAGE / "index.html").read_text()


def test_every_file_that_the_markup_names_is_there() -> None:
    named = re.findall(r'(?:src|href)="page/([^"]+)"', markup())
    assert {"main.js", "style.css", "candidate.css", "panels.css", "icon.svg"} <= set(named)
    assert [name for name in named if not (PAGE / name).is_file()] == []


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_every_module_that_a_module_names_is_there(module: Path) -> None:
    named = [name for _, name in IMPORT.findall(module.read_text())]
    assert [name for name in named if not (PAGE / name).is_file()] == []


def test_no_module_is_left_over() -> None:
    named = {"main.js"}
    for module in MODULES:
        named |= {name for _, name in IMPORT.findall(module.read_text())}
    assert {module.name for module in MODULES} == named


def test_elements_that_the_modules_ask_for_exist() -> None:
    ids = set(re.findall(r'\bid="([^"]+)"', markup()))
    asked = {name for module in MODULES for name in ASKED.findall(module.read_text())}
    assert asked
    assert asked - ids == set()


def test_the_page_loads_nothing_from_elsewhere() -> None:
    for file in PAGE.rglob("*.*"):
        without_namespaces = file.read_text().replace("http://www.w3.org/2000/svg", "")
        assert not OUTSIDE.search(without_namespaces), file.name


def test_the_markup_has_no_inline_scripts_or_styles() -> None:
    assert not re.search(r"<script(?![^>]*\bsrc=)", markup())
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", markup())
    assert "script-src 'self'; style-src 'self'" in markup()
    assert "unsafe" not in markup()


def test_the_face_mesh_names_only_landmarks_that_exist() -> None:
    text = (PAGE / "face_mesh.js").read_text()
    mesh = text.split("`")[1]
    edges = {
        frozenset((int(row.split(":")[0]), int(end)))
        for row in mesh.split()
        for end in row.split(":")[1].split(",")
    }
    points = {point for edge in edges for point in edge}
    assert points == set(range(468))
    assert all(len(edge) == 2 for edge in edges)
    # A triangulated surface with holes has about three edges a point, and no point hangs loose.
    assert 2.5 < len(edges) / len(points) < 3
