"""The error of one source; the store tells them apart and reports them all."""

from __future__ import annotations


class SourceError(Exception):
    """One source could not give the file. Another may."""
