"""Work that is repeated for as long as the server runs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable

_log = logging.getLogger(__name__)


async def repeat(period: float, step: Callable[[], object]) -> None:
    """Call ``step`` on the event loop every ``period`` seconds, until cancelled.

    An exception is logged, and the next call made all the same.
    """
    while True:
        await asyncio.sleep(period)
        try:
            step()
        except Exception:  # noqa: BLE001  # the next call may succeed
            _log.exception("a periodic step failed")


async def repeat_on_thread(period: float, step: Callable[[], object]) -> None:
    """The same on a thread, for steps that wait for a disk or a network."""
    while True:
        await asyncio.sleep(period)
        try:
            await asyncio.to_thread(step)
        except Exception:  # noqa: BLE001  # the next call may succeed
            _log.exception("a periodic step failed")


async def cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait until they have ended."""
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def call_on(
    loop: asyncio.AbstractEventLoop, function: Callable[..., object], *args: object
) -> None:
    """Call a function on an event loop, from any thread."""
    with contextlib.suppress(RuntimeError):  # the loop is closed: the server has stopped
        loop.call_soon_threadsafe(function, *args)
