"""OpenVINO: loads a file of weights as a callable network. Only this package uses OpenVINO."""

from __future__ import annotations

import ctypes
import hashlib
import io
import json
import logging
import math
import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov

from proctoring.errors import ModelUnavailableError
from proctoring.models.compiled import Blob, Content, compiled_folder
from proctoring.models.digest import digest_of
from proctoring.models.graphdef import cut_graph
from proctoring.models.network import Network, Precision

_log = logging.getLogger(__name__)


def load_network(
    path: Path,
    *,
    member: str | None = None,
    outputs: Sequence[str] | None = None,
    precision: Precision = "f32",
    copies: int | None = None,
) -> Network:
    """Read and compile a network (tflite, TensorFlow graph, ONNX, OpenVINO).

    Args:
        path: the file.
        member: name of the network inside a zip (a MediaPipe ``.task``).
        outputs: names of the tensors to return, in this order; by default the network's outputs.
        precision: of the computation; bf16 falls back to f32 on CPUs without it.
        copies: calls that run in parallel; by default one per available core.

    Raises:
        ModelUnavailableError: the file cannot be read as a network.
    """

    def read() -> ov.Model:
        model = read_model(path, member=member)
        return model if outputs is None else keep_outputs(model, outputs, path)

    return load_compiled(
        path,
        read,
        part=Path(member).stem if member else "",
        parameters={"member": member, "outputs": None if outputs is None else [*outputs]},
        precision=precision,
        copies=copies,
    )


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


def load_compiled(
    path: Path,
    read: Callable[[], ov.Model],
    *,
    part: str = "",
    parameters: Mapping[str, object] | None = None,
    precision: Precision = "f32",
    copies: int | None = None,
) -> Network:
    """The network that ``read`` makes of a file: compiled as found on disk, if it is there already.

    Args:
        path: the file of weights.
        read: reads the network from it; called only if it has to be compiled.
        part: name of this network among those of the file.
        parameters: what ``read`` depends on, beside the file and the code of this package. Plain values.
        precision: of the computation; bf16 falls back to f32 on CPUs without it.
        copies: calls that run in parallel; by default one per available core.

    Raises:
        ModelUnavailableError: the file cannot be read as a network.
    """
    name = f"{path.parent.name}-{part}" if part else path.parent.name
    options = _options(precision)
    folder = compiled_folder(path)
    if folder is None:
        _log.info("loading %s", name)
        return compile_network(read(), precision=precision, copies=copies)
    try:
        weights = [digest_of(file) for file in (path, path.with_suffix(".bin")) if file.is_file()]
    except OSError as error:
        raise ModelUnavailableError(f"{path} cannot be read: {error.strerror or error}") from error
    key = _key({**options, "weights": weights, "part": part, **(parameters or {})})
    blob = folder.read(name, key)
    if blob is not None:
        try:
            return _network(blob, options, copies)
        except RuntimeError:
            _log.warning("%s cannot be used as it was compiled, and is compiled again", name)
            folder.remove(name, key)
    _log.info("compiling %s", name)
    return _network(folder.write(name, key, _compile(read(), options)), options, copies)


def compile_network(
    model: ov.Model, *, precision: Precision = "f32", copies: int | None = None
) -> Network:
    """Compile a network for this machine's CPU; arguments as for :func:`load_network`."""
    options = _options(precision)
    content = np.frombuffer(_compile(model, options), np.uint8)
    return _network(Blob(content), options, copies)


def _options(precision: Precision) -> dict[str, Any]:
    if precision == "bf16" and not supports_bf16():
        precision = "f32"
    return {
        # Always explicit: by default OpenVINO uses bf16 where the CPU has it.
        "INFERENCE_PRECISION_HINT": precision,
        # With one of each a call runs on the calling thread; otherwise on one of the runtime's.
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": 1,
        # Many networks share the cores; pinned, all would use the same one.
        "ENABLE_CPU_PINNING": False,
    }


def _compile(model: ov.Model, options: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    _core().compile_model(model, "CPU", options).export_model(out)
    return out.getvalue()


def _network(blob: Blob, options: dict[str, Any], copies: int | None) -> Network:
    content = _in_place(blob.content)

    def make() -> Any:
        compiled = _core().import_model(content, "CPU", options)
        blob.release_pages()
        return compiled

    return Network(make, options["INFERENCE_PRECISION_HINT"], copies or available_cores())


def _in_place(content: Content) -> ov.Tensor:
    """A tensor of these bytes, not of a copy: a compiled network refers to it for as long as it lives.

    OpenVINO's binding shares writable arrays only, though its import writes nothing. Of a file the memory itself
    remains read-only.
    """
    view = (ctypes.c_uint8 * content.size).from_address(content.ctypes.data)
    return ov.Tensor(np.ctypeslib.as_array(view), shared_memory=True)


def _key(parameters: Mapping[str, object]) -> bytes:
    return hashlib.sha256(
        json.dumps([parameters, *_environment()], sort_keys=True).encode()
    ).digest()


@cache
def _environment() -> tuple[str, ...]:
    """What a compiled network depends on in any case: OpenVINO, the CPU and the code of this package."""
    core = _core()
    code = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        code.update(file.read_bytes())
    return (
        ov.get_version(),
        core.get_property("CPU", "FULL_DEVICE_NAME"),
        " ".join(sorted(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"))),
        _cpu_flags(),
        code.hexdigest(),
    )


def _cpu_flags() -> str:
    """The CPU's instruction sets, as Linux lists them; empty elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line for line in lines if line.startswith("flags")), "")


def supports_bf16() -> bool:
    """Whether this CPU supports bf16."""
    return "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def few_copies() -> int:
    """Copies of a network that takes at most a tenth of a session's time (``docs/benchmarks.md``, "Cost per call"):
    twice as many as run at once on average, at least two, at most one per core.
    """
    cores = available_cores()
    return min(cores, max(2, math.ceil(cores / 5)))


def available_cores() -> int:
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def _core() -> Any:
    return ov.Core()
