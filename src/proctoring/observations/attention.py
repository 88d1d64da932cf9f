"""How closely perception must follow the faces of the next frame; decided by who judges observations."""

from __future__ import annotations

from enum import Enum, auto


class Attention(Enum):
    """In which frames faces are measured rather than carried over from an earlier frame."""

    USUAL = auto()
    """Those in which they have changed; a small change may wait for two tenths of a second."""
    EVERY_CHANGE = auto()
    """Those in which they have changed, however little."""
    EVERY_FRAME = auto()
    """All."""
