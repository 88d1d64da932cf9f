"""A place for one item; a newer item replaces one that still waits."""

from __future__ import annotations

from threading import Lock
from typing import Generic, TypeVar

Item = TypeVar("Item")


class LatestSlot(Generic[Item]):
    """Holds the newest item until it is removed. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._item: Item | None = None

    def put(self, item: Item) -> Item | None:
        """Set the item. Returns the one that it replaced, if there was one."""
        with self._lock:
            replaced, self._item = self._item, item
        return replaced

    def pop(self) -> Item | None:
        """Remove and return the item; ``None`` if there is none."""
        with self._lock:
            item, self._item = self._item, None
        return item
