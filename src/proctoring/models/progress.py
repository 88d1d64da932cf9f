"""How a fetch reports its progress; drawing it is the command line's business."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FetchProgress:
    """One step of fetching one file."""

    model: str
    file: str
    source: str
    """The mirror's path, the address or the package that is being read."""
    received: int
    """Bytes so far; 0 while an installer works, which does not say."""
    total: int | None
    """Bytes to come in all, where the source says so."""


Progress = Callable[[FetchProgress], None]
