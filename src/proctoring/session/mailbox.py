"""A mailbox with one place: what is newer replaces what still waits."""

from __future__ import annotations

from threading import Lock
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Mailbox(Generic[Item]):
    """Holds the newest item until somebody takes it. Safe from many threads at once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._item: Item | None = None

    def put(self, item: Item) -> Item | None:
        """Leave an item. Returns the one that it replaced, if one was still waiting."""
        with self._lock:
            replaced, self._item = self._item, item
        return replaced

    def take(self) -> Item | None:
        """The waiting item, which is then gone; ``None`` if there is none."""
        with self._lock:
            item, self._item = self._item, None
        return item
