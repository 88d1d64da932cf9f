"""Analyses one recording after the other, with networks loaded once: what a worker process runs."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from pathlib import Path, PurePosixPath

from proctoring import __version__
from proctoring.batch import s3
from proctoring.batch.copies import CopyFolder, remove_orphans
from proctoring.batch.messages import Analysed, Failed, Loaded, Prepared, Unusable
from proctoring.batch.options import Options
from proctoring.batch.sources import location_state
from proctoring.errors import InputError, ProctoringError, SettingsError
from proctoring.judgement.policy import Policy
from proctoring.recording.analysis import analyse
from proctoring.recording.models import RecordingModels, load_models
from proctoring.settings import read_settings


class RecordingWorker:
    """Call ``load`` first; then for each recording ``prepare``, and ``analyse`` or ``discard``."""

    def __init__(self, options: Options) -> None:
        self.position = 0.0
        """Share of the present recording that has been analysed, 0 to 1. Read by other threads."""
        self._options = options
        self._settings = read_settings().model_copy(update={"object_model": options.object_model})
        self._models: RecordingModels | None = None
        self._location = ""
        self._state = ""
        self._copy: CopyFolder | None = None
        self._path = Path()

    def load(self) -> Loaded | Unusable:
        """Load the networks: all of them, or results would lack what the missing ones detect."""
        remove_orphans()
        if self._options.version != __version__:
            return Unusable(
                f"a worker has version {__version__} of proctoring-ai, this command "
                f"{self._options.version}"
            )
        try:
            self._models = load_models(
                self._settings, transcription=transcribes_locally(self._options.policy)
            )
            vision = self._models.vision.capabilities if self._models.vision else ()
        except ProctoringError as error:
            return Unusable(error.detail)
        for one in (*vision, *self._models.audio.capabilities):
            if one.wanted and not one.available:
                return Unusable(f"{one.name} cannot be detected: {one.reason}")
        return Loaded(socket.gethostname(), os.getpid())

    def prepare(self, location: str) -> Prepared | Failed:
        """Take a recording: read it for its digest, or bring it here from S3."""
        self.discard()
        self._location, self.position = location, 0.0
        try:
            if location.startswith(s3.SCHEME):
                self._copy = CopyFolder()
                name = PurePosixPath(location).name
                self._path = self._copy.path / (name if 0 < len(name) < 200 else "recording")
                return Prepared(s3.download(location, self._path))
            self._path, self._state = Path(location), location_state(location)
            if self._path.exists() and not self._path.is_file():
                return Failed(f"{location}: not a file")  # a pipe would never end
            with self._path.open("rb") as file:
                return Prepared(hashlib.file_digest(file, "sha256").hexdigest())
        except (OSError, SettingsError) as error:
            self.discard()
            return Failed(_reason(error))

    def analyse(self) -> Analysed | Failed:
        """Analyse the recording that ``prepare`` took."""
        try:
            report = analyse(
                self._path,
                policy=self._options.policy,
                mirrored=self._options.mirrored,
                every_frame=self._options.every_frame,
                models=self._models,
                settings=self._settings,
                decoding_threads=1,
                progress=self._moved,
            ).to_json()
        except (InputError, SettingsError) as error:
            report = {"file": self._path.name, "complete": False, "failed": error.detail}
        except Exception as error:  # noqa: BLE001  (one recording never ends the batch)
            return Failed(_reason(error))
        else:
            self.position = 1.0
        finally:
            state = self._state
            self.discard()
        if state and location_state(self._location) != state:
            return Failed("it was changed while it was analysed")
        return Analysed((json.dumps(report, indent=2) + "\n").encode())

    def discard(self) -> None:
        """Let go of the recording that ``prepare`` took. May be called from another thread, to end."""
        self._state = ""
        copy, self._copy = self._copy, None
        if copy is not None:
            copy.remove()

    def _moved(self, done: float, total: float | None) -> None:
        self.position = min(done / total, 1.0) if total else 0.0


def transcribes_locally(policy: Policy) -> bool:
    """Whether the network that transcribes is needed."""
    return policy.transcription.engine == "moonshine"


def _reason(error: Exception) -> str:
    if isinstance(error, ProctoringError):
        return error.detail
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return f"{type(error).__name__}: {error}"
