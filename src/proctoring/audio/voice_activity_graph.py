"""Silero VAD with its convolutions as matrix products, which take half the time.

The published network convolves frame by frame, over one to five steps each: too few columns for a fast product. Here all
frames of a call are the rows of one product per layer. The result is that of the published network but for rounding.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proctoring.models.onnx_runtime import load_onnx_network, network_from

_SAMPLES = 576
"""Of the network's input: a frame and the context before it."""
_SPECTRUM, _HOP, _STEPS = 256, 128, 4
"""Samples of a spectrum, from one to the next, and spectra of a frame. The last reaches beyond it: reflected."""
_BINS = _SPECTRUM // 2 + 1
_UNITS = 128
_OPSET, _IR_VERSION = 16, 8
"""Of the published network."""
_CHECKED_FRAMES = 20
_TOLERANCE = 1e-4
"""Difference of a probability from the published network's, at most. Rounding makes 1e-6."""

Weights = NDArray[np.float32]


def with_products(path: Path) -> bytes:
    """The network as matrix products. Inputs and outputs are those of the published one.

    Raises:
        ValueError: the network has another structure.
    """
    import onnx

    published = onnx.load(path).graph
    stored = {one.name: onnx.numpy_helper.to_array(one) for one in published.initializer}
    recurrent = [node for node in published.node if node.op_type == "LSTM"]
    try:
        content = _made(stored, recurrent[0])
    except (IndexError, KeyError, ValueError) as error:
        raise ValueError(f"{path.name} has another structure") from error
    _check(path, content)
    return content


def _made(stored: dict[str, Weights], recurrent: Any) -> bytes:
    from onnx import TensorProto, helper, numpy_helper

    samples = np.arange(_STEPS)[:, None] * _HOP + np.arange(_SPECTRUM)
    last = _SAMPLES - 1
    convolutions = [stored[f"encoder.{layer}.weight"] for layer in range(4)]
    constants: dict[str, NDArray[Any]] = {
        "samples": np.where(samples > last, 2 * last - samples, samples),
        "basis": stored["stft.forward_basis_buffer"][:, 0].T,
        "by_step": np.array([-1, _STEPS, len(convolutions[0])]),
        "bins": np.array([_BINS, _BINS]),
        # Of the first two layers each output follows from three steps, the first of them zeros before the frame.
        "steps_0": np.arange(_STEPS)[:, None] + np.arange(3),
        "steps_1": np.arange(2)[:, None] * 2 + np.arange(3),
        "around": np.array([0, 1, 0, 0, 1, 0]),
        "before": np.array([0, 1, 0, 0, 0, 0]),
        # The third has two steps left and the zeros before them, the fourth one between zeros.
        "weight_0": _rows(convolutions[0]),
        "weight_1": _rows(convolutions[1]),
        "weight_2": _rows(convolutions[2][:, :, 1:]),
        "weight_3": _rows(convolutions[3][:, :, 1:2]),
        "weight_out": _rows(stored["output.weight"]),
        **{f"bias_{layer}": stored[f"encoder.{layer}.bias"] for layer in range(4)},
        "bias_out": stored["output.bias"],
        "sequence": np.array([-1, 1, _UNITS]),
        "frames": np.array([-1]),
        **{name: stored[name] for name in recurrent.input[1:4]},
    }
    flat = {name: len(constants[f"weight_{name}"]) for name in (*range(4), "out")}
    constants |= {f"rows_{name}": np.array([-1, size]) for name, size in flat.items()}
    node = helper.make_node

    def layer(name: str, source: str) -> list[Any]:
        return [
            node("Reshape", [source, f"rows_{name}"], [f"in_{name}"]),
            node("Gemm", [f"in_{name}", f"weight_{name}", f"bias_{name}"], [f"sum_{name}"]),
        ]

    def rectified(name: str, source: str) -> list[Any]:
        return [*layer(name, source), node("Relu", [f"sum_{name}"], [f"out_{name}"])]

    nodes = [
        node("Gather", ["input", "samples"], ["pieces"], axis=1),
        node("MatMul", ["pieces", "basis"], ["spectrum"]),
        node("Mul", ["spectrum", "spectrum"], ["squares"]),
        node("Split", ["squares", "bins"], ["real", "imaginary"], axis=2),
        node("Add", ["real", "imaginary"], ["power"]),
        node("Sqrt", ["power"], ["magnitude"]),
        node("Pad", ["magnitude", "around"], ["padded_0"]),
        node("Gather", ["padded_0", "steps_0"], ["around_0"], axis=1),
        *rectified("0", "around_0"),
        node("Reshape", ["out_0", "by_step"], ["steps"]),
        node("Pad", ["steps", "before"], ["padded_1"]),
        node("Gather", ["padded_1", "steps_1"], ["around_1"], axis=1),
        *rectified("1", "around_1"),
        *rectified("2", "out_1"),
        *rectified("3", "out_2"),
        node("Reshape", ["out_3", "sequence"], ["encoded"]),
        node(
            "LSTM",
            ["encoded", *recurrent.input[1:4], "", "h", "c"],
            ["hidden", "hn", "cn"],
            hidden_size=_UNITS,
        ),
        node("Relu", ["hidden"], ["active"]),
        *layer("out", "active"),
        node("Sigmoid", ["sum_out"], ["each"]),
        node("Reshape", ["each", "frames"], ["speech_probs"]),
    ]
    memory = [1, 1, _UNITS]
    graph = helper.make_graph(
        nodes,
        "voice_activity",
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in (("input", [None, _SAMPLES]), ("h", memory), ("c", memory))
        ],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in (("speech_probs", [None]), ("hn", memory), ("cn", memory))
        ],
        [
            numpy_helper.from_array(np.ascontiguousarray(array), name)
            for name, array in constants.items()
        ],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)])
    made.ir_version = _IR_VERSION
    return bytes(made.SerializeToString())


def _rows(weights: Weights) -> Weights:
    """Weights of a convolution (outputs, inputs, steps) as a matrix (steps x inputs, outputs)."""
    return weights.transpose(2, 1, 0).reshape(-1, len(weights))


def _check(path: Path, content: bytes) -> None:
    """Compare with the published network, on noise of many levels.

    Raises:
        ValueError: they differ.
    """
    random = np.random.default_rng(0)
    levels = np.logspace(-4, 0, _CHECKED_FRAMES)[:, None]
    inputs = {
        "input": (random.normal(size=(_CHECKED_FRAMES, _SAMPLES)) * levels).astype(np.float32),
        "h": random.normal(size=(1, 1, _UNITS)).astype(np.float32),
        "c": random.normal(size=(1, 1, _UNITS)).astype(np.float32),
    }
    for one, other in zip(
        load_onnx_network(path)(**inputs), network_from(content, path.name)(**inputs), strict=True
    ):
        if one.shape != other.shape or not np.allclose(one, other, rtol=0, atol=_TOLERANCE):
            raise ValueError(f"{path.name} as matrix products gives other results")
