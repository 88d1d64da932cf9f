"""Networks in 8 bit, made from the published files on this machine: no converted weights are shipped.

A function that makes one takes the file of a network in 32 bit (``.ort`` or ``.onnx``) and returns ONNX. ``onnx`` and
ONNX Runtime's quantisation are imported only there: what was made is kept with the compiled networks.
"""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from proctoring.errors import ModelUnavailableError
from proctoring.models.compiled import compiled_folder
from proctoring.models.digest import digest_of
from proctoring.models.onnx_runtime import (
    OnnxNetwork,
    network_from,
    write_as_onnx,
)

_log = logging.getLogger(__name__)

_DIRECTIONS = 2
"""Of a bidirectional LSTM: each has a scale of its own in the 8 bit operator."""
_LSTM_INPUTS = 8
"""Inputs of an LSTM, those of the 8 bit operator follow: scale and zero point of both weights."""
QUANTISED = ("Conv", "Add", "Relu")
"""Operators in 8 bit: what a residual network consists of."""


def load_made(
    path: Path, name: str, make: Callable[[Path], bytes], sources: Sequence[Path]
) -> OnnxNetwork | None:
    """A network that is made from another file, once per machine. ``None``, logged, where it cannot be made.

    Args:
        path: of the published network.
        name: of the network that is made: a file name.
        make: makes it.
        sources: files that it depends on besides ``path``: the code and what that reads.

    """
    try:
        folder = compiled_folder(path)
        key = _key((path, Path(__file__), *sources))
        kept = folder.read(name, key) if folder else None
        if kept is not None and folder is not None:
            try:
                return network_from(kept.content.tobytes(), name)
            except ModelUnavailableError:
                folder.remove(name, key)
        content = make(path)
        network = network_from(content, name)
        if folder is not None:
            folder.write(name, key, content)
    except Exception:  # noqa: BLE001  # whatever the two libraries raise
        _log.exception("%s cannot be made: the published network is used", name)
        return None
    return network


def recurrent_in_eight_bit(path: Path, in_32_bit: Sequence[str] = ()) -> bytes:
    """The network with its LSTM layers in 8 bit.

    The published file stores the weights of these layers as 8 bit integers with one scale per layer, and expands them
    when it runs. Here the integers are used as they are; only the inputs of each step are rounded to 8 bit,
    with a scale of their own.

    Args:
        path: of the network.
        in_32_bit: names of layers that are left as they are.

    Raises:
        ValueError: the file stores its LSTM layers otherwise.
    """
    import onnx

    with tempfile.TemporaryDirectory(prefix="proctoring-") as folder:
        plain = Path(folder) / "plain.onnx"
        write_as_onnx(path, plain, onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL)
        model = onnx.load(plain)
    graph = model.graph
    _name_branches(graph)
    stored = {one.name: onnx.numpy_helper.to_array(one) for one in graph.initializer}
    nodes = []
    for node in graph.node:
        if node.op_type != "LSTM" or node.name in in_32_bit:
            nodes.append(node)
            continue
        inputs = [*node.input, *[""] * _LSTM_INPUTS][:_LSTM_INPUTS]
        for index in (1, 2):  # the weights of the input and of the last step's output
            name = node.input[index].removesuffix("_add_tensor")
            tensors = _as_stored(name, stored)
            graph.initializer.extend(tensors)
            inputs[index] = tensors[0].name
            inputs += [tensor.name for tensor in tensors[1:]]
        attributes = {
            one.name: onnx.helper.get_attribute_value(one)
            for one in node.attribute
            if one.name != "layout"  # the 8 bit operator has no other than the default
        }
        nodes.append(
            onnx.helper.make_node(
                "DynamicQuantizeLSTM",
                inputs,
                list(node.output),
                node.name,
                domain="com.microsoft",
                **attributes,
            )
        )
    del graph.node[:]
    graph.node.extend(nodes)
    return bytes(model.SerializeToString())


def convolutions_in_eight_bit(path: Path, ranges: Path, in_32_bit: Sequence[str]) -> bytes:
    """A residual network with its convolutions in 8 bit.

    Args:
        path: of the network.
        ranges: of its activations, as ONNX Runtime writes them (``calibration_cache_path``).
        in_32_bit: names of nodes that are left as they are. Without VNNI, sums of two products saturate at 16
            bit, which rarely happens with the output of a rectifier: layers with other inputs belong here.

    Raises:
        ValueError: the ranges do not fit the network.
    """
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    with tempfile.TemporaryDirectory(prefix="proctoring-") as folder, _quiet():
        folded, small = Path(folder) / "folded.onnx", Path(folder) / "small.onnx"
        write_folded(path, folded)
        quantize_static(
            folded,
            small,
            None,
            calibration_cache_path=ranges,
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=list(QUANTISED),
            nodes_to_exclude=list(in_32_bit),
        )
        return small.read_bytes()


def write_folded(path: Path, onnx: Path) -> None:
    """Write a network as ONNX with its constants computed, so that weights stored in 8 bit are plain numbers."""
    levels = onnxruntime.GraphOptimizationLevel
    plain = onnx.with_name(f"{onnx.stem}-plain.onnx")
    write_as_onnx(path, plain, levels.ORT_DISABLE_ALL)
    write_as_onnx(plain, onnx, levels.ORT_ENABLE_BASIC)


def _key(files: Sequence[Path]) -> bytes:
    """What a network in 8 bit follows from: the files and the libraries."""
    found = [
        *(digest_of(file) for file in files),
        *(version(library) for library in ("onnx", "onnxruntime")),
    ]
    return hashlib.sha256(json.dumps(found).encode()).digest()


def _name_branches(graph: Any) -> None:
    """Give the branches of conditions a name, which ONNX requires and the runtime's own format omits."""
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g") and not attribute.g.name:
                attribute.g.name = attribute.name


def _as_stored(name: str, stored: dict[str, np.ndarray]) -> list[Any]:
    """Weights as the 8 bit operator takes them: integers (directions, inputs, outputs), scales, zero points.

    Args:
        name: of the weights in the graph.
        stored: the graph's constants. The weights are ``NAME_quantized * NAME_scale + NAME_zero_point``.

    Raises:
        ValueError: the weights are not stored like that.
    """
    import onnx

    try:
        integers = stored[f"{name}_quantized"]
        scale, offset = (float(stored[f"{name}_{part}"].item()) for part in ("scale", "zero_point"))
    except (KeyError, ValueError) as error:
        raise ValueError(f"{name} is not stored in 8 bit with one scale") from error
    zero = round(-offset / scale)
    limits = np.iinfo(np.int8)
    if integers.dtype != np.int8 or not limits.min <= zero <= limits.max:
        raise ValueError(f"{name} is not stored as signed 8 bit integers")
    return [
        onnx.numpy_helper.from_array(array, f"{name}_{part}")
        for part, array in (
            ("integers", np.ascontiguousarray(integers.transpose(0, 2, 1))),
            ("scales", np.full(_DIRECTIONS, scale, np.float32)),
            ("zeros", np.full(_DIRECTIONS, zero, np.int8)),
        )
    ]


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the advice that the quantisation gives on the root logger."""
    root = logging.getLogger()
    root.addFilter(_no_advice)
    try:
        yield
    finally:
        root.removeFilter(_no_advice)


def _no_advice(record: logging.LogRecord) -> bool:
    return "pre-processing" not in record.getMessage()
