"""The error of one source; the store reports the errors of all sources together."""

from __future__ import annotations


class SourceError(Exception):
    """One source does not provide the file; another may."""
