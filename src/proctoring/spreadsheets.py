"""CSV that spreadsheets open without executing anything of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel reads UTF-8 as the system's own encoding."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""First characters that make a cell a formula, or hide one (OWASP, CSV injection); the last four are
full width."""


def csv_line(cells: Iterable[object]) -> str:
    """One line of CSV, its cells spreadsheet-safe."""
    text = io.StringIO()
    csv.writer(text).writerow([spreadsheet_safe(cell) for cell in cells])
    return text.getvalue()


def spreadsheet_safe(value: object) -> object:
    """A cell that spreadsheets do not interpret as a formula."""
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return f"'{value}"
    return value
