"""Collect the pages of the documentation's site in ``build/docs``: ``python -m tools.site``.

The site has the pages of ``docs/`` and those that lie elsewhere because tools look for them there
(``CONTRIBUTING.md``, ...). Links between them are adjusted; links to other files of the repository
become plain text, since the site does not have those files.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tarfile
from os.path import relpath
from pathlib import Path

ROOT = Path(__file__).parents[1]
SITE = ROOT / "build" / "docs"
MERMAID = "12.3.0"
"""Version of the npm package ``mermaid`` (MIT), which draws the diagrams."""

ELSEWHERE = {
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "reporting.md",
    "CHANGELOG.md": "changelog.md",
    "evaluation/README.md": "evaluation.md",
    "examples/README.md": "examples.md",
}
"""Page of the repository to its place in the site."""

_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)#\s]+)(#[^)\s]*)?\)")


def main() -> None:
    """Collect the pages."""
    shutil.rmtree(SITE, ignore_errors=True)
    shutil.copytree(ROOT / "docs", SITE)
    for page in (ROOT / "docs").rglob("*.md"):
        place = page.relative_to(ROOT / "docs")
        (SITE / place).write_text(adjusted(page, str(place)), encoding="utf-8")
    for source, name in ELSEWHERE.items():
        if (ROOT / source).is_file():
            (SITE / name).write_text(adjusted(ROOT / source, name), encoding="utf-8")
    add_mermaid(SITE / "mermaid.min.js")


def add_mermaid(file: Path) -> None:
    """Put the program that draws diagrams beside the pages, so that the site is complete in itself.

    Without npm, or its registry, browsers load it from a public server instead.
    """
    archive = ROOT / "build" / f"mermaid-{MERMAID}.tgz"
    if not archive.is_file() and shutil.which("npm"):
        command = ["npm", "pack", "--silent", f"mermaid@{MERMAID}"]
        subprocess.run(command, cwd=archive.parent, check=False, timeout=300)
    if archive.is_file():
        with tarfile.open(archive) as packed:
            content = packed.extractfile("package/dist/mermaid.min.js")
            if content is not None:
                file.write_bytes(content.read())


def adjusted(page: Path, place: str) -> str:
    """The text of a page for its place in the site."""

    def replace(link: re.Match[str]) -> str:
        text, target, anchor = link.group(1), link.group(2), link.group(3) or ""
        if "://" in target or target.startswith("mailto:"):
            return link.group(0)
        found = (page.parent / target).resolve().relative_to(ROOT).as_posix()
        inside = found.removeprefix("docs/") if found.startswith("docs/") else ELSEWHERE.get(found)
        if inside is None:
            return text
        return f"[{text}]({relpath(inside, Path(place).parent)}{anchor})"

    return _LINK.sub(replace, page.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
