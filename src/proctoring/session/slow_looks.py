"""One session's slow looks: made on a queue of their own, one at a time, in short steps."""

from __future__ import annotations

import logging
from collections.abc import Callable

from proctoring.session.worker_pool import WorkerPool
from proctoring.vision.deferred import DeferredDetection, DeferredResult
from proctoring.vision.steps import Steps

_log = logging.getLogger(__name__)


class SlowLooks:
    """A place for one slow look; nothing of the session waits for it.

    ``free``, ``begin`` and ``taken`` are for the session's own queue.

    Args:
        pool: does the work.
        tell: takes what was found, from the pool's threads; ``None``: the look failed.
    """

    def __init__(self, pool: WorkerPool, tell: Callable[[DeferredResult | None], None]) -> None:
        self.free = True
        """Whether a look may begin: none is made, waits, or has been made and not taken in."""
        self._tell = tell
        self._steps: Steps[DeferredResult] | None = None
        self._queue = pool.serial_queue(self._step, background=True)

    def begin(self, look: DeferredDetection) -> None:
        """Leave a look to be made."""
        self.free = False
        self._steps = look.steps()
        self._queue.schedule()

    def taken(self) -> None:
        """What was told has been taken in."""
        self.free = True

    def close(self) -> None:
        """Nothing more comes."""
        self._queue.close()

    def _step(self) -> None:
        steps = self._steps
        if steps is None:
            return
        found: DeferredResult | None = None
        try:
            next(steps)
        except StopIteration as end:
            found = end.value
        except Exception:  # noqa: BLE001  # costs this look; the next may do better
            _log.exception("a slow look failed")
        else:
            self._queue.reschedule()  # one step a turn: frames wait no longer
            return
        self._steps = None
        self._tell(found)
