"""Runs the deferred detections of a session, one at a time, in short steps."""

from __future__ import annotations

import logging
from collections.abc import Callable

from proctoring.session.worker_pool import WorkerPool
from proctoring.vision.deferred import DeferredDetection, DeferredResult
from proctoring.vision.steps import Steps

_log = logging.getLogger(__name__)


class DeferredRunner:
    """Runs on a background queue of its own, so nothing else of the session waits for it.

    ``is_free``, ``start`` and ``release`` are for the session's worker.

    Args:
        done: called from a pool thread with the result; ``None``: the detection failed.
    """

    def __init__(self, pool: WorkerPool, done: Callable[[DeferredResult | None], None]) -> None:
        self.is_free = True
        """Whether a detection may be started: none is running, and the last result was released."""
        self._done = done
        self._steps: Steps[DeferredResult] | None = None
        self._queue = pool.serial_queue(self._step, background=True)

    def start(self, detection: DeferredDetection) -> None:
        """Start a detection. The runner must be free."""
        self.is_free = False
        self._steps = detection.steps()
        self._queue.schedule()

    def release(self) -> None:
        """The worker has received the result: the next detection may be started."""
        self.is_free = True

    def close(self) -> None:
        """Run nothing more."""
        self._queue.close()

    def _step(self) -> None:
        steps = self._steps
        if steps is None:
            return
        result: DeferredResult | None = None
        try:
            next(steps)
        except StopIteration as end:
            result = end.value
        except Exception:  # noqa: BLE001  # affects this detection only
            _log.exception("a deferred detection failed")
        else:
            self._queue.reschedule()  # one step per turn, so that frames are not delayed
            return
        self._steps = None
        self._done(result)
