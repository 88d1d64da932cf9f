"""Importing detectors: real ones from the mirror, and small networks made here of any shape."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from onnx import TensorProto, helper

from proctoring.errors import ModelUnavailableError, SettingsError
from proctoring.models.imported import import_detector
from proctoring.models.store import ModelStore

CELLS_64 = 8 * 8 + 4 * 4 + 2 * 2


def make_network(
    path: Path,
    inputs: list[int] | None = None,
    outputs: list[int] | None = None,
    *,
    labels: str = "",
    dtype: type = np.float32,
) -> Path:
    """An OpenVINO file whose network takes and gives arrays of these shapes."""
    ops = ov.opset13
    taken = ops.parameter(inputs or [1, 3, 64, 64], dtype)
    mean = ops.convert(
        ops.reduce_mean(taken, np.arange(len(inputs or [1, 3, 64, 64])), keep_dims=False), "f32"
    )
    given = ops.broadcast(mean, np.array(outputs or [1, 6, CELLS_64]))
    model = ov.Model([given], [taken])
    if labels:
        model.set_rt_info(labels, ["model_info", "labels"])
    ov.save_model(model, path, compress_to_fp16=False)
    return path


@pytest.mark.parametrize(
    "source", ["yolo11n_int8_openvino_model", "yolo11n_int8_openvino_model/yolo11n.xml"]
)
def test_a_yolo11_export_is_imported_with_its_digests(
    tmp_path: Path, shared_models: Path, source: str
) -> None:
    model = import_detector(tmp_path, shared_models / source, "mine", licence="AGPL-3.0")

    store = ModelStore(tmp_path)
    assert store.path("mine") == store.fetch("mine") == tmp_path / "mine" / "yolo11n.xml"
    assert store.find("mine") == model
    assert (model.family, model.version, model.licence) == ("yolo11", "640x640", "AGPL-3.0")
    assert model.classes.index("cell phone") == 67
    assert store.statuses()[-1].state == "present"


def test_a_yolox_export_is_imported(tmp_path: Path, shared_models: Path) -> None:
    model = import_detector(tmp_path, shared_models / "yolox_nano.onnx", "mine")

    assert (model.family, model.version) == ("yolox", "416x416")


def test_an_imported_model_that_was_changed_is_not_used(tmp_path: Path) -> None:
    import_detector(tmp_path, make_network(tmp_path / "a.xml", labels="person phone"), "mine")
    with (tmp_path / "mine" / "a.xml").open("a") as file:
        file.write("<!-- -->")

    store = ModelStore(tmp_path)
    with pytest.raises(ModelUnavailableError, match="imported and is damaged"):
        store.fetch("mine")
    assert store.statuses()[-1].state == "damaged"


def test_class_names_come_from_the_file_in_cocos_words(tmp_path: Path) -> None:
    path = make_network(tmp_path / "a.xml", labels="Person cell_phone")

    assert import_detector(tmp_path, path, "mine").classes == ("person", "cell phone")


def test_class_names_may_be_given(tmp_path: Path) -> None:
    path = make_network(tmp_path / "a.xml")

    model = import_detector(tmp_path, path, "mine", classes=("human", "smartphone"))

    assert model.classes == ("person", "cell phone")


def test_an_open_input_size_is_fixed(tmp_path: Path) -> None:
    cells = 80 * 80 + 40 * 40 + 20 * 20
    path = make_network(tmp_path / "a.xml", [-1, 3, -1, -1], [1, 6, cells], labels="person phone")

    assert import_detector(tmp_path, path, "mine").version == "640x640"


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ({"outputs": [1, 300, 6]}, r"outputs \['\[1,300,6\]'\]; wanted is a YOLO11 export"),
        ({"outputs": [1, 6]}, "wanted is a YOLO11 export"),
        ({"outputs": [1, 4, CELLS_64]}, "wanted is a YOLO11 export"),
        ({"inputs": [1, 64, 64, 3]}, "wanted is a YOLO11 export"),
        ({"inputs": [1, 3, 64]}, "wanted is a YOLO11 export"),
        ({"inputs": [1, 3, 50, 50]}, "50 x 50; wanted are multiples of 32"),
        ({"inputs": [1, 3, 9600, 9600]}, "9600 x 9600; wanted are multiples of 32 up to"),
        ({"dtype": np.float16}, "takes f16; export it with float32 inputs"),
        ({"labels": "person"}, "2 classes and 1 names"),
        ({}, "2 classes and 0 names for them; name them in order with --classes"),
        ({"labels": "cat dog"}, "knows no phones; its classes are cat, dog"),
    ],
)
def test_a_network_of_another_shape_is_refused_with_what_was_found(
    tmp_path: Path, made: dict[str, object], told: str
) -> None:
    path = make_network(tmp_path / "a.xml", **made)  # type: ignore[arg-type]

    with pytest.raises(ModelUnavailableError, match=told):
        import_detector(tmp_path / "models", path, "mine")

    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "Upper", "a" * 65, "ünïcode"])
def test_a_name_that_will_not_do_is_refused(tmp_path: Path, name: str) -> None:
    path = make_network(tmp_path / "a.xml", labels="person phone")

    with pytest.raises(ModelUnavailableError, match="will not do as a name"):
        import_detector(tmp_path, path, name)


def test_the_catalogues_names_are_taken(tmp_path: Path) -> None:
    path = make_network(tmp_path / "a.xml", labels="person phone")

    with pytest.raises(ModelUnavailableError, match="a model of the catalogue"):
        import_detector(tmp_path, path, "yolox_nano")


def test_an_imported_model_is_replaced_only_when_asked(tmp_path: Path) -> None:
    first = make_network(tmp_path / "a.xml", labels="person phone")
    second = make_network(tmp_path / "b.xml", labels="phone person")
    import_detector(tmp_path / "models", first, "mine")

    with pytest.raises(ModelUnavailableError, match="--replace"):
        import_detector(tmp_path / "models", second, "mine")
    import_detector(tmp_path / "models", second, "mine", replace=True)

    store = ModelStore(tmp_path / "models")
    assert store.path("mine").name == "b.xml"
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["mine"]


def test_sources_that_are_none_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "weights.pt").write_bytes(b"PK")
    (tmp_path / "alone.xml").write_text("<net/>")
    (tmp_path / "broken.onnx").write_bytes(b"not a network" * 9)
    for name, told in {
        "absent": "is not there",
        "empty": "holds 0",
        "weights.pt": "neither an ONNX file",
        "alone.xml": r"lacks its weights, alone\.bin",
        "broken.onnx": "cannot be read as a network",
    }.items():
        with pytest.raises(ModelUnavailableError, match=told):
            import_detector(tmp_path / "models", tmp_path / name, "mine")


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    path = make_network(tmp_path / "a.xml", labels="person phone")

    with pytest.raises(SettingsError, match="cannot be copied into the models folder"):
        import_detector(path / "models", path, "mine")


def test_a_record_that_makes_no_sense_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "model.json").write_text('{"name": 3}')

    with pytest.raises(ModelUnavailableError, match="is no record of a model"):
        ModelStore(tmp_path).find("mine")
    assert all(status.model.name != "mine" for status in ModelStore(tmp_path).statuses())


def test_an_onnx_export_brings_its_class_names(tmp_path: Path) -> None:
    """Ultralytics writes them into the metadata, as the text of a Python dictionary."""
    taken = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 64, 64])
    given = helper.make_tensor_value_info("output0", TensorProto.FLOAT, [1, 6, CELLS_64])
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("ReduceMean", ["mean"], ["one"], axes=[1], keepdims=1),
        helper.make_node("Unsqueeze", ["one", "last"], ["cell"]),
        helper.make_node("Expand", ["cell", "shape"], ["output0"]),
    ]
    constants = [
        helper.make_tensor("last", TensorProto.INT64, [1], [2]),
        helper.make_tensor("shape", TensorProto.INT64, [3], [1, 6, CELLS_64]),
    ]
    graph = helper.make_graph(nodes, "export", [taken], [given], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"names": "{0: 'person', 1: 'mobile phone'}", "task": "detect"})
    (tmp_path / "export.onnx").write_bytes(model.SerializeToString())

    imported = import_detector(tmp_path / "models", tmp_path / "export.onnx", "mine")

    assert imported.family == "yolo11"
    assert imported.classes == ("person", "cell phone")
    assert ModelStore(tmp_path / "models").path("mine").name == "export.onnx"
