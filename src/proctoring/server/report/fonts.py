"""The fonts of the PDF, from installed packages, so that it is the same on every system.

FiraGO has Latin, Greek, Cyrillic, Arabic, Hebrew, Devanagari, Georgian and Thai; Noto Sans CJK has
Chinese, Japanese and Korean. Both are under the SIL Open Font License 1.1.
"""

from __future__ import annotations

import atexit
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import noto_cjk_sans_jp_regular
import pymupdf_fonts
import typst

FAMILIES = ("FiraGO", "Noto Sans CJK JP")
"""Preferred first; a character that one lacks is taken from the next."""

_FACES = ("figo", "figbo")
"""Names of FiraGO's regular and bold face in its package."""


@cache
def report_fonts() -> typst.Fonts:
    """The fonts, loaded once per process."""
    # The package has its fonts as Python data; the typesetter reads files, when it needs them.
    folder = mkdtemp(prefix="proctoring-fonts-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for face in _FACES:
        (Path(folder) / f"{face}.ttf").write_bytes(pymupdf_fonts.myfont(face))
    asian = Path(str(noto_cjk_sans_jp_regular.FONT_PATH)).parent
    return typst.Fonts(include_system_fonts=False, font_paths=[folder, str(asian)])
