"""The kind of object detector in a file, recognised by its tensor shapes."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

import openvino as ov

from proctoring.errors import ModelUnavailableError
from proctoring.models.coco import COCO_CLASSES
from proctoring.models.runtime import read_model

_DEFAULT_SIDE = 640
"""Pixels a side at which an export with a dynamic input size is run: YOLO11's training size."""
_STRIDES = (8, 16, 32)
"""Pixels per cell of YOLO's three grids."""
_MAX_SIDE = 2048
"""Pixels."""
_SYNONYMS = {
    "phone": "cell phone",
    "cellphone": "cell phone",
    "mobile": "cell phone",
    "mobile phone": "cell phone",
    "smartphone": "cell phone",
    "people": "person",
    "human": "person",
}


@dataclass(frozen=True, slots=True)
class DetectorFile:
    """An object detector, as described by its file."""

    family: str
    """``yolo11`` or ``yolox``."""
    width: int
    height: int
    """Of the input, in pixels."""
    classes: tuple[str, ...]
    """In COCO's names where it has one."""


def read_yolo11(path: Path) -> ov.Model:
    """Read a YOLO11 export; a dynamic input size is fixed at 640 x 640.

    Raises:
        ModelUnavailableError: the file cannot be read as a network.
    """
    model = read_model(path)
    if len(model.inputs) == 1 and model.inputs[0].partial_shape.rank == 4:
        shape = model.inputs[0].partial_shape
        if shape[2].is_dynamic or shape[3].is_dynamic:
            try:
                model.reshape([1, 3, _DEFAULT_SIDE, _DEFAULT_SIDE])
            except RuntimeError as error:
                raise ModelUnavailableError(
                    f"{path} cannot be run at {_DEFAULT_SIDE} x {_DEFAULT_SIDE}: {error}"
                ) from error
    return model


def inspect_detector(path: Path, classes: tuple[str, ...] = ()) -> DetectorFile:
    """Recognise the detector in a file.

    Args:
        path: an ONNX or OpenVINO (.xml) file.
        classes: names of its classes in order, for files that do not carry them and are not COCO's.

    Raises:
        ModelUnavailableError: not a YOLO11 or YOLOX export; says what was found instead.
    """
    model = read_yolo11(path)
    found = (
        f"inputs {[_shown(port) for port in model.inputs]}, "
        f"outputs {[_shown(port) for port in model.outputs]}"
    )
    wanted = (
        "a YOLO11 export (input [1,3,H,W], output [1,4+classes,cells], exported without NMS) "
        "or a YOLOX export (output [1,cells,5+classes])"
    )
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ModelUnavailableError(f"{path.name} has {found}; wanted is {wanted}")
    port_in, port_out = model.inputs[0], model.outputs[0]
    if port_in.element_type != ov.Type.f32:
        raise ModelUnavailableError(
            f"{path.name} takes {port_in.element_type.get_type_name()}; export it with float32 inputs"
        )
    if not (port_in.partial_shape.is_static and port_out.partial_shape.is_static):
        raise ModelUnavailableError(
            f"{path.name} has open sizes ({found}); export it with fixed ones"
        )
    shape_in, shape_out = tuple(port_in.shape), tuple(port_out.shape)
    if len(shape_in) != 4 or shape_in[:2] != (1, 3) or len(shape_out) != 3 or shape_out[0] != 1:
        raise ModelUnavailableError(f"{path.name} has {found}; wanted is {wanted}")
    _, _, height, width = shape_in
    if not (32 <= width <= _MAX_SIDE and 32 <= height <= _MAX_SIDE) or width % 32 or height % 32:
        raise ModelUnavailableError(
            f"{path.name} takes {width} x {height}; wanted are multiples of 32 up to {_MAX_SIDE}"
        )
    cells = sum((width // stride) * (height // stride) for stride in _STRIDES)
    if shape_out[2] == cells and shape_out[1] > 4:
        family, count = "yolo11", shape_out[1] - 4
    elif shape_out[1] == cells and shape_out[2] > 5:
        family, count = "yolox", shape_out[2] - 5
    else:
        raise ModelUnavailableError(f"{path.name} has {found}; wanted is {wanted}")
    names = _class_names(model, classes, count, path)
    if "cell phone" not in names:
        raise ModelUnavailableError(
            f"{path.name} knows no phones; its classes are {', '.join(names)}"
        )
    return DetectorFile(family, width, height, names)


def _class_names(
    model: ov.Model, given: tuple[str, ...], count: int, path: Path
) -> tuple[str, ...]:
    """Class names: as given, from the file, or COCO's if the number matches."""
    names = given or _names_in_file(model) or (COCO_CLASSES if count == len(COCO_CLASSES) else ())
    if len(names) != count:
        raise ModelUnavailableError(
            f"{path.name} has {count} classes and {len(names)} names for them; "
            "name them in order with --classes"
        )
    plain = (name.strip().lower().replace("_", " ") for name in names)
    return tuple(_SYNONYMS.get(name, name) for name in plain)


def _names_in_file(model: ov.Model) -> tuple[str, ...]:
    """Class names in OpenVINO's ``model_info`` or in ONNX metadata."""
    if model.has_rt_info(["model_info", "labels"]):
        return tuple(str(model.get_rt_info(["model_info", "labels"]).astype(str)).split())
    if model.has_rt_info(["framework", "names"]):
        try:
            names = ast.literal_eval(str(model.get_rt_info(["framework", "names"]).astype(str)))
        except (ValueError, SyntaxError):
            return ()
        if isinstance(names, dict):
            return tuple(str(names[key]) for key in sorted(names))
    return ()


def _shown(port: ov.Output) -> str:
    return str(port.partial_shape)
