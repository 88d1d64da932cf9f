"""SSD-MobileNetV2's frozen graph, reduced to the needed classes and cut into consecutive parts.

The graph scores 91 classes per anchor, with 3 x 3 convolutions that are more than half of its work. Only
the filters of the needed classes are kept, with their values. The rest runs as several consecutive
networks, so that other work can run in between; results and cost are those of one network.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset8 as ops

from proctoring.errors import ModelUnavailableError
from proctoring.models.network import Network
from proctoring.models.runtime import few_copies, load_compiled, read_graph

SIDE = 300
"""Pixels a side of the input."""
CLASSES = 91
"""Of the graph: background first, then COCO's as numbered by TensorFlow's model zoo."""
_INPUT = "Preprocessor/map/TensorArrayStack/TensorArrayGatherV3"
_BETWEEN = ("FeatureExtractor/MobilenetV2/expanded_conv_{}/output", (2, 12))
"""Nodes at which the graph is cut: single tensors that divide the time about evenly."""
_BOX_CODES = "concat"
_LOGITS = tuple(f"BoxPredictor_{grid}/ClassPredictor/BiasAdd" for grid in range(6))


def load_ssd_parts(path: Path, classes: Sequence[int]) -> tuple[Network, ...]:
    """The consecutive networks, in bf16 where the CPU has it.

    The first takes (1, 300, 300, 3) RGB 0 to 255 as float32, each further one the output of the previous.
    The last returns (1, 1917, 1, 4) box codes and, for each of six grids, (1, height, width, shapes x
    classes) logits.

    Args:
        path: the ``.pb`` file.
        classes: the needed ones, 0 to 90; logits are in this order.

    Raises:
        ModelUnavailableError: the file is not that graph.
    """
    name = _INPUT
    shape: tuple[int, ...] = (1, SIDE, SIDE, 3)
    parts: list[Network] = []
    pattern, blocks = _BETWEEN
    for block in blocks:
        end = pattern.format(block)
        parts.append(_load_part(path, partial(read_graph, path, {name: shape}, [end]), end))
        name, shape = end, parts[-1].output_shapes[0]
    last = partial(_read_last, path, {name: shape}, classes)
    return (*parts, _load_part(path, last, "end", classes))


def _load_part(
    path: Path, read: Callable[[], ov.Model], end: str, classes: Sequence[int] = ()
) -> Network:
    return load_compiled(
        path,
        read,
        part=end.replace("/", "-"),
        parameters={"classes": [*classes]},
        precision="bf16",
        copies=few_copies(),
    )


def _read_last(path: Path, inputs: dict[str, tuple[int, ...]], classes: Sequence[int]) -> ov.Model:
    model = read_graph(path, inputs, [_BOX_CODES, *_LOGITS])
    for output in range(1, 1 + len(_LOGITS)):
        _keep_classes(model, output, classes, path)
    model.validate_nodes_and_infer_types()
    return model


def _keep_classes(model: ov.Model, output: int, classes: Sequence[int], path: Path) -> None:
    """Remove the other classes from the convolution and the bias of an output."""
    # (1, height, width, channels) <- bias added <- convolution, as OpenVINO reads BiasAdd.
    added = model.outputs[output].get_node().input_value(0).get_node().input_value(0).get_node()
    convolution = added.input_value(0).get_node() if added.get_input_size() else added
    if (added.get_type_name(), convolution.get_type_name()) != ("Add", "Convolution"):
        raise ModelUnavailableError(f"{path} cannot be read as SSD-MobileNetV2: no class predictor")
    weights, bias = convolution.input_value(1), added.input_value(1)
    shapes = weights.get_shape()[0] // CLASSES
    kept = np.array([shape * CLASSES + place for shape in range(shapes) for place in classes])
    convolution.input(1).replace_source_output(ops.gather(weights, kept, 0).output(0))
    added.input(1).replace_source_output(ops.gather(bias, kept, 1).output(0))
