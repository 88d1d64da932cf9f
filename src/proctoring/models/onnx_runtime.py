"""ONNX Runtime, for files that OpenVINO cannot read (``.ort``).

The counterpart of :mod:`proctoring.models.runtime`. ONNX Runtime reports usage on Windows only; that is
switched off as well.
"""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from proctoring.errors import ModelUnavailableError

_log = logging.getLogger(__name__)

onnxruntime.disable_telemetry_events()

_ERRORS_ONLY = 3
"""ONNX Runtime's severity of errors."""


class OnnxNetwork:
    """A loaded network with named inputs. Thread-safe; a call runs in the calling thread alone."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.input_names: tuple[str, ...] = tuple(port.name for port in session.get_inputs())
        self.output_names: tuple[str, ...] = tuple(port.name for port in session.get_outputs())

    def __call__(self, **inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        """Run once.

        Args:
            inputs: one array per input, by name, of the input's shape and type.

        Returns:
            One array per output, in the network's order; the caller owns them.
        """
        return tuple(self._session.run(None, inputs))

    def run_named(self, inputs: dict[str, np.ndarray]) -> tuple[np.ndarray, ...]:
        """Run once, for networks whose input names are no Python identifiers."""
        return tuple(self._session.run(None, inputs))


def load_onnx_network(path: Path, *, optimise: bool = False) -> OnnxNetwork:
    """Read a network (``.onnx`` or ``.ort``) for one thread per call.

    Args:
        path: the file.
        optimise: an ``.ort`` file keeps the memory layout it was written with. With this it is
            converted to ONNX and optimised for this CPU: convolutions take a quarter to a third less
            time (``docs/benchmarks.md``).

    Raises:
        ModelUnavailableError: the file cannot be read as a network.
    """
    _log.info("loading %s", f"{path.parent.name}/{path.name}")
    if not optimise:
        return OnnxNetwork(_session(path, _options(), path))
    with tempfile.TemporaryDirectory(prefix="proctoring-") as folder:
        onnx = Path(folder) / f"{path.stem}.onnx"
        write_as_onnx(path, onnx, onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL)
        return OnnxNetwork(_session(onnx, _options(), onnx))


def network_from(content: bytes, name: str) -> OnnxNetwork:
    """Read a network from memory, for one thread per call.

    Args:
        content: ONNX.
        name: for the error.

    Raises:
        ModelUnavailableError: the content cannot be read as a network.
    """
    return OnnxNetwork(_session(content, _options(), name))


def write_as_onnx(path: Path, onnx: Path, level: Any) -> None:
    """Write a network (``.onnx`` or ``.ort``) as ONNX.

    Args:
        path: the file.
        onnx: the new file.
        level: ``onnxruntime.GraphOptimizationLevel`` of what is written.

    Raises:
        ModelUnavailableError: the file cannot be read as a network.
    """
    options = _options()
    options.graph_optimization_level = level
    options.optimized_model_filepath = str(onnx)
    options.add_session_config_entry("session.save_model_format", "ONNX")
    _session(path, options, path)


def _options() -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # Input lengths vary: memory plans cached per length would only grow.
    options.enable_mem_pattern = False
    return options


def _session(network: Path | bytes, options: Any, name: str | Path) -> Any:
    try:
        session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions have no common base
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        raise ModelUnavailableError(f"{name} cannot be read as a network: {reason}") from error
    # Kept by its Python class, to begin again with other providers: 13 MiB of the audio networks.
    session._model_bytes = None  # noqa: SLF001
    return session
