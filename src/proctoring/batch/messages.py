"""What a batch asks of its workers, and what they answer. Everything here crosses processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Request = Literal["load", "prepare", "analyse", "discard"]
"""A method of ``worker.RecordingWorker``. ``prepare`` takes a location, the others nothing."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The networks are loaded."""

    where: str
    """The machine, for people."""
    process: int
    """Its number on that machine."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A recording is at hand."""

    digest: str
    """SHA-256 of its content, in hexadecimal."""


@dataclass(frozen=True, slots=True)
class Analysed:
    """A recording has been analysed, or cannot be, whoever tries."""

    result: bytes
    """JSON: the report, as ``proctoring analyse --json`` writes it, or why there is none."""


@dataclass(frozen=True, slots=True)
class Failed:
    """What was asked failed, and may succeed another time."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unusable:
    """The worker cannot work, and neither could another one."""

    reason: str


@dataclass(frozen=True, slots=True)
class Died:
    """The worker's process is gone, and what it was doing with it."""

    reason: str


Answer = Loaded | Prepared | Analysed | Failed | Unusable | Died
