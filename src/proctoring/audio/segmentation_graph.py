"""The segmentation network in two parts, so that what does not depend on the window is computed once per sample.

The published network normalises the window and applies 80 band filters. Filters are linear: normalising can follow them.
So the first part filters samples as they are, and the second, which has the rest in 8 bit, normalises by mean and
deviation of the window. The result is that of the whole network but for rounding.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from proctoring.models.eight_bit import recurrent_in_eight_bit
from proctoring.models.onnx_runtime import write_as_onnx

_IN_32_BIT = ("/inner/lstm/LSTM_3",)
"""The last LSTM layer. With it in 8 bit as well, one of eleven excerpts of conversation was reported two seconds later."""


def filters_alone(path: Path) -> bytes:
    """The first part. Input ``samples`` (1, 1, n); output ``bands`` (1, 80, m) as 16 bit floats.

    Raises:
        ValueError: the network has another structure.
    """
    import onnx
    from onnx import TensorProto, helper

    graph = _Graph(path)
    nodes = [
        helper.make_node("Conv", ["samples", "filters"], ["filtered"], strides=[graph.stride]),
        helper.make_node("Cast", ["filtered"], ["bands"], to=TensorProto.FLOAT16),
    ]
    made = helper.make_graph(
        nodes,
        "filters",
        [helper.make_tensor_value_info("samples", TensorProto.FLOAT, [1, 1, None])],
        [helper.make_tensor_value_info("bands", TensorProto.FLOAT16, [1, None, None])],
        [onnx.numpy_helper.from_array(graph.filters, "filters")],
    )
    return _serialised(made, graph.model)


def after_filters(path: Path) -> bytes:
    """The second part. Inputs ``bands`` (1, 80, 15975), and ``mean`` and ``deviation`` (1,) of the window's samples.

    Raises:
        ValueError: the network has another structure.
    """
    import onnx
    from onnx import TensorProto, helper

    graph = _Graph(path)
    constants = {
        "weight": graph.weight,
        "bias": graph.bias,
        "sums": graph.filters.sum(axis=2).reshape(1, -1, 1),  # what each filter makes of a constant
        "one": np.array([1], np.int64),
    }
    nodes = [
        # x becomes (x - mean) / deviation * weight + bias, in all bands at once.
        helper.make_node("Div", ["weight", "deviation"], ["scale"]),
        helper.make_node("Mul", ["mean", "scale"], ["moved"]),
        helper.make_node("Sub", ["bias", "moved"], ["shift"]),
        helper.make_node("Mul", ["shift", "sums"], ["shifts"]),
        helper.make_node("Cast", ["bands"], ["filtered"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["filtered", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "shifts"], [graph.filtered]),
        *graph.rest,
    ]
    used = {name for node in nodes for name in node.input}
    made = helper.make_graph(
        nodes,
        "after_filters",
        [
            helper.make_tensor_value_info(name, kind, shape)
            for name, kind, shape in (
                ("bands", TensorProto.FLOAT16, [1, *graph.bands]),
                ("mean", TensorProto.FLOAT, [1]),
                ("deviation", TensorProto.FLOAT, [1]),
            )
        ],
        list(graph.model.graph.output),
        [
            *(one for one in graph.model.graph.initializer if one.name in used),
            *(onnx.numpy_helper.from_array(array, name) for name, array in constants.items()),
        ],
    )
    return _serialised(made, graph.model)


class _Graph:
    """The network with its recurrent layers in 8 bit, and where it is cut.

    Raises:
        ValueError: the network has another structure.
    """

    def __init__(self, path: Path) -> None:
        import onnx

        with tempfile.TemporaryDirectory(prefix="proctoring-") as folder:
            small, folded = Path(folder) / "small.onnx", Path(folder) / "folded.onnx"
            small.write_bytes(recurrent_in_eight_bit(path, _IN_32_BIT))
            # With the filters computed, which the network stores as frequencies.
            write_as_onnx(small, folded, onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC)
            self.model: Any = onnx.load(folded)
        constants = {
            one.name: onnx.numpy_helper.to_array(one) for one in self.model.graph.initializer
        }
        nodes = list(self.model.graph.node)
        kinds = [node.op_type for node in nodes]
        try:
            norm, chosen = nodes[0], kinds.index("If")
            choice = nodes[chosen]
            branch = next(one.g for one in choice.attribute if one.name == "then_branch")
            (convolution,) = branch.node
            self.weight, self.bias = (constants[name] for name in norm.input[1:3])
            self.filters = constants[convolution.input[1]]
            attributes = {
                one.name: onnx.helper.get_attribute_value(one) for one in convolution.attribute
            }
            self.stride = int(attributes["strides"][0])
        except (KeyError, StopIteration, ValueError) as error:
            raise ValueError(f"{path.name} does not begin as expected") from error
        if norm.op_type != "InstanceNormalization" or convolution.op_type != "Conv":
            raise ValueError(f"{path.name} does not begin as expected")
        samples = self.model.graph.input[0].type.tensor_type.shape.dim[-1].dim_value
        length = (samples - self.filters.shape[2]) // self.stride + 1
        self.bands = (len(self.filters), length)
        self.filtered = choice.output[0]
        self.rest = nodes[chosen + 1 :]


def _serialised(graph: Any, like: Any) -> bytes:
    import onnx

    made = onnx.helper.make_model(graph, opset_imports=like.opset_import)
    made.ir_version = like.ir_version
    return bytes(made.SerializeToString())
