"""Compiled networks on disk: the same numbers as compiled afresh, and never a damaged or foreign one."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from proctoring.models import runtime
from proctoring.models.compiled import FOLDER, Blob, CompiledFolder
from proctoring.models.network import Network
from proctoring.models.store import ModelStore

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))
MEMBER = "face_blendshapes.tflite"
INPUT = np.random.default_rng(0).random((1, 146, 2), np.float32)


@pytest.fixture
def weights(model_store: ModelStore, tmp_path: Path) -> Path:
    """A copy of the weights in a models folder of its own, in which nothing has been compiled."""
    source = model_store.fetch("face_landmarker")
    copy = tmp_path / "face_landmarker" / source.name
    copy.parent.mkdir()
    shutil.copyfile(source, copy)
    (tmp_path / FOLDER).mkdir(mode=0o700)
    return copy


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The networks that were compiled."""
    seen: list[str] = []
    original = runtime._compile

    def counted(model: Any, options: dict[str, object]) -> bytes:
        seen.append(model.get_friendly_name())
        return original(model, options)

    monkeypatch.setattr(runtime, "_compile", counted)
    return seen


def load(weights: Path) -> Network:
    return runtime.load_network(weights, member=MEMBER)


def kept(weights: Path) -> Path:
    (file,) = (weights.parent.parent / FOLDER).glob("*/*")
    return file


def test_a_network_is_compiled_once_and_gives_the_same_numbers_from_disk(
    weights: Path, compilations: list[str]
) -> None:
    afresh = runtime.compile_network(runtime.read_model(weights, member=MEMBER))(INPUT)
    compilations.clear()
    first = load(weights)(INPUT)
    second = load(weights)(INPUT)

    assert len(compilations) == 1
    assert np.array_equal(first[0], afresh[0])
    assert np.array_equal(second[0], afresh[0])


def test_weights_are_used_where_they_are_not_copied(tmp_path: Path) -> None:
    content = bytes(range(256))
    for blob in (
        CompiledFolder(tmp_path).write("network", KEY, content),
        Blob(np.frombuffer(content, np.uint8)),
    ):
        tensor = runtime._in_place(blob.content)

        assert np.shares_memory(tensor.data, blob.content)
        assert bytes(tensor.data) == content
        assert not blob.content.flags.writeable


def test_a_damaged_file_is_compiled_again(weights: Path, compilations: list[str]) -> None:
    expected = load(weights)(INPUT)
    file = kept(weights)
    damaged = bytearray(file.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    file.write_bytes(damaged)

    assert np.array_equal(load(weights)(INPUT)[0], expected[0])
    assert len(compilations) == 2
    load(weights)
    assert len(compilations) == 2


@pytest.mark.parametrize("size", [0, 5, 100, 1000])
def test_a_file_that_was_cut_off_is_compiled_again(
    weights: Path, compilations: list[str], size: int
) -> None:
    load(weights)
    os.truncate(kept(weights), size)
    load(weights)
    assert len(compilations) == 2


def test_other_weights_another_cpu_and_other_versions_are_compiled_for_themselves(
    weights: Path, compilations: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    load(weights)
    monkeypatch.setattr(runtime, "_environment", lambda: ("another CPU",))
    load(weights)
    assert len(compilations) == 2
    with weights.open("ab") as file:
        file.write(b"\0" * 8)  # a zip with something after its end is still that zip
    load(weights)
    assert len(compilations) == 3


def test_content_that_the_runtime_refuses_is_compiled_again(
    weights: Path, compilations: list[str]
) -> None:
    load(weights)
    file = kept(weights)
    key = file.read_bytes()[32:64]
    CompiledFolder(file.parent.parent).write(file.parent.name, key, b"no network" * 100)

    load(weights)(INPUT)
    assert len(compilations) == 2


def test_a_folder_that_cannot_be_written_costs_only_the_time(weights: Path) -> None:
    folder = weights.parent.parent / FOLDER
    folder.rmdir()
    assert load(weights)(INPUT)[0].shape == (52,)
    folder.mkdir()
    (folder / "face_landmarker-face_blendshapes").write_bytes(b"a file where a folder should be")
    assert load(weights)(INPUT)[0].shape == (52,)


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_what_others_may_write_is_not_used(tmp_path: Path) -> None:
    folder = CompiledFolder(tmp_path)
    folder.write("net", KEY, b"content")
    (file,) = tmp_path.glob("net/*")
    assert folder.read("net", KEY) is not None
    file.chmod(0o666)
    assert folder.read("net", KEY) is None


def test_content_is_returned_under_its_own_key_only(tmp_path: Path) -> None:
    folder = CompiledFolder(tmp_path)
    blob = folder.write("net", KEY, b"content")
    assert blob.content.tobytes() == b"content"
    assert folder.read("net", OTHER_KEY) is None
    (file,) = tmp_path.glob("net/*")
    file.rename(file.with_name(OTHER_KEY.hex()[:32]))
    assert folder.read("net", OTHER_KEY) is None


def test_a_folder_keeps_few_files_of_a_network(tmp_path: Path) -> None:
    folder = CompiledFolder(tmp_path)
    for number in range(10):
        folder.write("net", bytes([number]) * 32, b"content")
    files = list(tmp_path.glob("net/*"))
    assert len(files) == 3
    assert folder.read("net", bytes([9]) * 32) is not None


def test_many_threads_write_and_read_one_network_at_the_same_time(tmp_path: Path) -> None:
    folder = CompiledFolder(tmp_path)
    content = os.urandom(100_000)
    wrong: list[int] = []

    def work(number: int) -> None:
        for _ in range(10):
            folder.write("net", KEY, content)
            found = folder.read("net", KEY)
            if found is None or found.content.tobytes() != content:
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
