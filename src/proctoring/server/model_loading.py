"""Fetches and loads models on a thread, while the rest of the server starts."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread

from proctoring.errors import ProctoringError
from proctoring.models.progress import FetchProgress, Progress
from proctoring.models.store import ModelStore
from proctoring.server.heap import return_free_memory
from proctoring.session.loaded_models import Models, load_all_models, needed_models
from proctoring.session.warm_up import warm_up
from proctoring.settings import Settings

_log = logging.getLogger(__name__)


class ModelLoading:
    """Loads all models once.

    Args:
        settings: the models folder, the mirror and the object detector.
        progress: called with the progress of downloads, on the loading thread.
    """

    def __init__(self, settings: Settings, progress: Progress | None = None) -> None:
        self.store = ModelStore(settings.models_folder, settings.models_mirror)
        self._object_model = settings.object_model
        self._progress = progress
        self._thread: Thread | None = None
        self._models: Future[Models] = Future()
        self._doing = "verifying the weights"

    def start(self) -> None:
        """Start the thread, unless it was started."""
        if self._thread is None:
            self._thread = Thread(target=self._load, name="loading", daemon=True)
            self._thread.start()

    def when_done(self, loaded: Callable[[Models], None], failed: Callable[[str], None]) -> None:
        """Call one of two functions when loading has ended, or now if it has.

        Args:
            loaded: called with the models, on the loading thread.
            failed: called there instead, with the reason, if they could not be loaded.
        """

        def tell(done: Future[Models]) -> None:
            error = done.exception()
            if error is None:
                loaded(done.result())
            elif isinstance(error, ProctoringError):
                failed(error.detail)
            else:
                failed(f"the models could not be loaded: {error}")

        self._models.add_done_callback(tell)

    @property
    def running(self) -> bool:
        """Whether models are being fetched or loaded now."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def doing(self) -> str:
        """What is being done now, for people."""
        return self._doing

    def join(self, timeout: float) -> None:
        """Wait for the thread, if it was started."""
        if self._thread is not None:
            self._thread.join(timeout)

    def _load(self) -> None:
        try:
            # What cannot be fetched turns a capability off; loading says which, and why.
            self.store.fetch_all(needed_models(self._object_model), self._fetching)
            self._doing = "loading the networks"
            models = load_all_models(self.store, object_model=self._object_model)
            self._doing = "running each network once"
            warm_up(models)
            return_free_memory()
        except ProctoringError as error:
            self._models.set_exception(error)
        except Exception as error:  # noqa: BLE001  # health must report any failure
            _log.exception("the models could not be loaded")
            self._models.set_exception(error)
        else:
            self._models.set_result(models)

    def _fetching(self, step: FetchProgress) -> None:
        share = f", {100 * step.received // step.total}%" if step.total else ""
        self._doing = f"fetching {step.model}{share}"
        if self._progress is not None:
            self._progress(step)
