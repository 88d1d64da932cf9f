"""Progress of a fetch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FetchProgress:
    """One step of fetching one file."""

    model: str
    file: str
    source: str
    """The mirror's path, the address or the package."""
    received: int
    """Bytes so far; 0 while an installer runs, which reports none."""
    total: int | None
    """Bytes in total, if the source declares them."""


Progress = Callable[[FetchProgress], None]
