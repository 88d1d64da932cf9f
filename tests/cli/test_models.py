from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from proctoring.cli import app
from proctoring.models.store import ModelStore

NAME = "face_detection_full_range"


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["models", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output.strip()


@pytest.fixture
def mirror(model_store: ModelStore) -> Path:
    """This machine's models folder as a mirror, with one model in it for sure."""
    model_store.fetch(NAME)
    return model_store.folder


def test_a_model_is_fetched_listed_and_verified(tmp_path: Path, mirror: Path) -> None:
    code, told = run("fetch", NAME, "--folder", tmp_path, "--mirror", mirror)
    assert (code, told.splitlines()[-1]) == (0, f"{NAME}: verified")

    code, told = run("list", "--folder", tmp_path)
    states = {words[0]: words[2] for words in map(str.split, told.splitlines()) if len(words) > 3}
    assert states[NAME] == "present"
    assert states["picodet_s"] == "absent"

    assert run("verify", "--folder", tmp_path)[0] == 0


def test_a_damaged_model_fails_verification_and_is_named(tmp_path: Path, mirror: Path) -> None:
    run("fetch", NAME, "--folder", tmp_path, "--mirror", mirror)
    path = tmp_path / NAME / "face_detection_full_range_sparse.tflite"
    path.write_bytes(path.read_bytes()[:-1])

    code, told = run("verify", "--folder", tmp_path)

    assert code == 1
    assert f"damaged  {NAME}" in told


def test_an_unknown_model_is_one_line_and_a_failure(tmp_path: Path) -> None:
    code, told = run("fetch", "nothing", "--folder", tmp_path)

    assert (code, told) == (1, "error: there is no model named 'nothing'")


def test_an_unwritable_folder_is_one_line_and_a_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    code, told = run("fetch", "--folder", tmp_path / "file" / "models")

    assert code == 1
    assert told.count("\n") == 0
    assert "cannot be written" in told


def test_a_users_detector_is_imported_and_listed(tmp_path: Path, shared_models: Path) -> None:
    source = shared_models / "yolo11n_int8_openvino_model"

    code, told = run("import", source, "--name", "mine", "--folder", tmp_path)

    assert code == 0
    assert told.startswith("mine: yolo11, 640x640, 80 classes")
    assert "mine" in run("list", "--folder", tmp_path)[1]


@pytest.mark.parametrize(
    ("file", "told"),
    [("picodet_s_320_coco.onnx", "wanted is a YOLO11 export"), ("models.json", "neither an ONNX")],
)
def test_what_cannot_be_imported_says_why(
    tmp_path: Path, shared_models: Path, file: str, told: str
) -> None:
    code, output = run("import", shared_models / file, "--name", "mine", "--folder", tmp_path)

    assert code == 1
    assert told in output
    assert "Traceback" not in output
