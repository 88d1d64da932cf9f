"""The documentation against the repository: every relative link leads somewhere."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def pages() -> list[str]:
    """Tracked Markdown files, relative to the repository's root."""
    listed = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return listed.stdout.split()


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as GitHub and the site generator make them."""
    headings = re.findall(r"^#+ +(.+?) *$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", pages())
def test_every_relative_link_of_a_page_leads_somewhere(page: str) -> None:
    source = ROOT / page
    for target, anchor in LINK.findall(FENCE.sub("", source.read_text())):
        if "://" in target or target.startswith("mailto:"):
            continue
        found = (source.parent / target).resolve() if target else source
        assert found.exists(), f"{page}: {target}"
        if anchor and found.suffix == ".md":
            assert anchor in anchors(found), f"{page}: {target}#{anchor}"


def test_every_file_that_the_contributing_guide_names_exists() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    named = re.findall(r"`((?:src|tests|tools|docs)/[^`]+)`", text)
    assert len(named) > 20
    assert [name for name in named if not list(ROOT.glob(name))] == []


@pytest.mark.parametrize(
    "page", [p for p in pages() if p.startswith("docs/") and "/reference/" not in p]
)
def test_every_module_that_a_page_names_exists(page: str) -> None:
    text = (ROOT / page).read_text()
    named = set(re.findall(r"(?<![\w/.])((?:[a-z_0-9]+/)+[a-z_0-9]+\.(?:py|js))\b", text))
    roots = (
        ROOT,
        ROOT / "src",
        ROOT / "src" / "proctoring",
        ROOT / "src" / "proctoring" / "server",
    )
    missing = {name for name in named if not any((root / name).is_file() for root in roots)}
    assert missing == set()
