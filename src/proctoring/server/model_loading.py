"""Fetches and loads models on a thread, beside the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from threading import Thread

from proctoring.errors import ProctoringError
from proctoring.models.progress import Progress
from proctoring.models.store import ModelStore
from proctoring.session.loaded_models import Models, load_all_models, needed_models
from proctoring.session.warm_up import warm_up

_log = logging.getLogger(__name__)


class ModelLoading:
    """Loads all models once.

    Args:
        store: where weights are kept.
        object_model: catalogue name of the object detector.
        progress: called with the progress of downloads, on the loading thread.
        loaded: called on the event loop with the models.
        failed: called there instead, with the reason, if they could not be loaded.
    """

    def __init__(
        self,
        store: ModelStore,
        object_model: str,
        *,
        progress: Progress | None,
        loaded: Callable[[Models], None],
        failed: Callable[[str], None],
    ) -> None:
        self._store = store
        self._object_model = object_model
        self._progress = progress
        self._loaded = loaded
        self._failed = failed
        self._thread: Thread | None = None

    def start(self) -> None:
        """Start the thread. To be called on the event loop."""
        loop = asyncio.get_running_loop()
        self._thread = Thread(target=self._load, args=(loop,), name="loading", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether models are being fetched or loaded now."""
        return self._thread is not None and self._thread.is_alive()

    def join(self, timeout: float) -> None:
        """Wait for the thread, if it was started."""
        if self._thread is not None:
            self._thread.join(timeout)

    def _load(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            # What cannot be fetched turns a capability off; loading says which, and why.
            self._store.fetch_all(needed_models(self._object_model), self._progress)
            models = load_all_models(self._store, object_model=self._object_model)
            warm_up(models)
        except ProctoringError as error:
            _call(loop, self._failed, error.detail)
        except Exception as error:  # noqa: BLE001  # health must report any failure
            _log.exception("the models could not be loaded")
            _call(loop, self._failed, f"the models could not be loaded: {error}")
        else:
            _call(loop, self._loaded, models)


def _call(loop: asyncio.AbstractEventLoop, function: Callable[..., object], *args: object) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: the server has stopped
        loop.call_soon_threadsafe(function, *args)
