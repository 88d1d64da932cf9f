"""OpenVINO: loads a file of weights as a callable network. Only this package uses OpenVINO."""

from __future__ import annotations

import logging
import os
import tempfile
import threading
import zipfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import openvino as ov

from proctoring.errors import ModelUnavailableError
from proctoring.models.graphdef import cut_graph

_log = logging.getLogger(__name__)

Precision = Literal["f32", "bf16"]


class Network:
    """A compiled network. Thread-safe: each calling thread has its own inference request.

    Up to ``streams`` calls run at once; further ones wait.
    """

    def __init__(self, compiled: Any, precision: Precision) -> None:
        self._compiled = compiled
        self._local = threading.local()
        self.precision: Precision = precision
        """Precision of the computation: as requested, or f32 where the CPU lacks it."""
        self.input_shapes: tuple[tuple[int, ...], ...] = tuple(
            tuple(d.get_length() if d.is_static else -1 for d in port.partial_shape)
            for port in compiled.inputs
        )
        """Of each input; -1: dynamic."""
        self.output_shapes: tuple[tuple[int, ...], ...] = tuple(
            tuple(d.get_length() if d.is_static else -1 for d in port.partial_shape)
            for port in compiled.outputs
        )

    def __call__(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        """Run once.

        Args:
            inputs: one C-contiguous array per input, of the input's shape and type.

        Returns:
            One array per output; the caller owns them.
        """
        request = getattr(self._local, "request", None)
        if request is None:
            request = self._local.request = self._compiled.create_infer_request()
        results = request.infer(list(inputs), share_inputs=True)
        return tuple(results[index] for index in range(len(self._compiled.outputs)))


def load_network(
    path: Path,
    *,
    member: str | None = None,
    outputs: Sequence[str] | None = None,
    precision: Precision = "f32",
    threads: int = 1,
    streams: int | None = None,
) -> Network:
    """Read and compile a network (tflite, TensorFlow graph, ONNX, OpenVINO).

    Args:
        path: the file.
        member: name of the network inside a zip (a MediaPipe ``.task``).
        outputs: names of the tensors to return, in this order; by default the network's outputs.
        precision: of the computation; bf16 falls back to f32 on CPUs without it.
        threads: cores per call.
        streams: calls that run in parallel; by default one per available core.

    Raises:
        ModelUnavailableError: the file cannot be read as a network.
    """
    _log.info("loading %s", f"{path.parent.name}/{member or path.name}")
    model = read_model(path, member=member)
    if outputs is not None:
        model = keep_outputs(model, outputs, path)
    return compile_network(model, precision=precision, threads=threads, streams=streams)


def read_model(path: Path, *, member: str | None = None) -> ov.Model:
    """Read a network without compiling it, to modify it first.

    Raises:
        ModelUnavailableError: the file cannot be read as a network.
    """
    try:
        if member is None:
            model = _core().read_model(path)
        else:
            with tempfile.TemporaryDirectory(prefix="proctoring-") as folder:
                with zipfile.ZipFile(path) as archive:
                    extracted = archive.extract(member, folder)
                model = _core().read_model(extracted)
        _fix_batch(model)
    except (RuntimeError, OSError, KeyError, zipfile.BadZipFile) as error:
        what = f"{path}: {member}" if member else str(path)
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        raise ModelUnavailableError(f"{what} cannot be read as a network: {reason}") from error
    return model


def read_graph(path: Path, inputs: Mapping[str, Sequence[int]], outputs: Sequence[str]) -> ov.Model:
    """Read the part of a frozen TensorFlow graph from ``inputs`` to ``outputs``.

    Args:
        path: the ``.pb`` file.
        inputs: names of nodes that become float32 inputs, with their shapes.
        outputs: names of the nodes to return, in this order.

    Raises:
        ModelUnavailableError: the file cannot be read as such a graph.
    """
    try:
        part = cut_graph(path.read_bytes(), inputs, outputs)
        with tempfile.TemporaryDirectory(prefix="proctoring-") as folder:
            file = Path(folder) / path.name
            file.write_bytes(part)
            model = read_model(file)
    except (OSError, ValueError) as error:
        raise ModelUnavailableError(f"{path} cannot be read as a network: {error}") from error
    return keep_outputs(model, [f"{name}:0" for name in outputs], path)


def _fix_batch(model: ov.Model) -> None:
    """Fix a dynamic batch size at 1: networks are called once per frame, and run faster that way."""
    shapes = {}
    for port in model.inputs:
        shape = port.partial_shape
        if shape.rank.is_static and shape.rank.get_length() > 0 and shape[0].is_dynamic:
            shape[0] = 1
            shapes[port] = shape
    if shapes:
        model.reshape(shapes)


def keep_outputs(model: ov.Model, names: Sequence[str], path: Path) -> ov.Model:
    """The network with the named tensors as outputs.

    Raises:
        ModelUnavailableError: there is no such tensor.
    """
    ports = {name: port for op in model.get_ops() for port in op.outputs() for name in port.names}
    missing = [name for name in names if name not in ports]
    if missing:
        raise ModelUnavailableError(f"{path} has no tensor named {', '.join(missing)}")
    return ov.Model([ports[name] for name in names], model.get_parameters(), model.get_name())


def compile_network(
    model: ov.Model,
    *,
    precision: Precision = "f32",
    threads: int = 1,
    streams: int | None = None,
) -> Network:
    """Compile a network for this machine's CPU; arguments as for :func:`load_network`."""
    core = _core()
    if precision == "bf16" and not supports_bf16():
        precision = "f32"
    streams = streams or available_cores()
    compiled = core.compile_model(
        model,
        "CPU",
        {
            # Always explicit: by default OpenVINO uses bf16 where the CPU has it.
            "INFERENCE_PRECISION_HINT": precision,
            "NUM_STREAMS": streams,
            "INFERENCE_NUM_THREADS": streams * threads,
            # Many networks share the cores; pinned, all would use the same ones.
            "ENABLE_CPU_PINNING": False,
        },
    )
    return Network(compiled, precision)


def supports_bf16() -> bool:
    """Whether this CPU supports bf16."""
    return "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def available_cores() -> int:
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def _core() -> Any:
    return ov.Core()
