"""What describes a model: its files, their digests, and where they can be fetched."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PublisherUrl:
    """The publisher's own address of a file, or of an archive that contains it."""

    url: str
    member: str | None = None
    """The path inside, when the address serves a ``.tar.gz``. A plain ``.bz2`` needs none."""

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class Carrier:
    """A published Python package that contains the file. It is opened, never imported."""

    package: str
    version: str
    path: str
    """The path inside the installed package."""
    platform: bool = False
    """A wheel for one platform: always asked for as Linux x86-64, Python 3.11, on any machine."""
    source_archive: bool = False
    """Published as a source archive only."""
    symbol: str | None = None
    """The file is the data of this ELF dynamic symbol inside the library at ``path``."""

    @property
    def requirement(self) -> str:
        """What an installer is asked for."""
        return f"{self.package}=={self.version}"

    def __str__(self) -> str:
        return self.requirement


Source = PublisherUrl | Carrier


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model."""

    name: str
    """The file's name in the models folder and in a mirror."""
    size: int
    """Bytes, for progress; digests decide."""
    sha256: tuple[str, ...]
    """Accepted digests: exports that differ in bytes and not in function may be listed together."""
    sources: tuple[Source, ...] = ()
    """Tried in this order, after the mirror."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model: named weights with a version, a licence and sources."""

    name: str
    version: str
    capability: str
    """What it is for; what is switched off without it."""
    licence: str
    attribution: str
    """Who made it: the words that NOTICE repeats."""
    files: tuple[ModelFile, ...]
    """The first one is the model's path; the others lie beside it."""
    default: bool = True
    """Fetched unless asked otherwise."""
    family: str = ""
    """Of object detectors: how pictures go in and boxes come out."""
    classes: tuple[str, ...] = ()
    """Of object detectors: names of the classes, in the network's order."""
