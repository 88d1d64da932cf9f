"""The running tasks of one Procturing, by name."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

logger = logging.getLogger("proctoring.livekit")


class NamedTasks:
    """At most one current task per name; tasks that were replaced are tracked until they finish."""

    def __init__(self) -> None:
        self._current: dict[str, asyncio.Task[None]] = {}
        self._replaced: set[asyncio.Task[None]] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._current

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run the coroutine under this name; a failure is logged."""
        task = asyncio.create_task(work, name=f"proctoring {name}")
        task.add_done_callback(_log_failure)
        self._current[name] = task

    def stop(self, name: str) -> None:
        """Cancel the task of this name, if any, without waiting for it."""
        before = self._current.pop(name, None)
        if before is not None and not before.done():
            before.cancel()
            self._replaced.add(before)
            before.add_done_callback(self._replaced.discard)

    def take(self, name: str) -> asyncio.Task[None] | None:
        """Remove the task of this name without cancelling it."""
        return self._current.pop(name, None)

    async def cancel_all(self) -> None:
        """Cancel every task and wait for all of them."""
        tasks = [*self._current.values(), *self._replaced]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("%s failed", task.get_name(), exc_info=error)
