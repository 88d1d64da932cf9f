"""The second runtime: ONNX Runtime, for files that OpenVINO cannot read (``.ort``).

It is the same kind of thing as :mod:`proctoring.models.runtime`: a file of weights in, a callable
network out. ONNX Runtime reports usage on Windows only; that is switched off all the same.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from proctoring.errors import ModelUnavailableError

onnxruntime.disable_telemetry_events()

_ERRORS_ONLY = 3


class OnnxNetwork:
    """A loaded network: named arrays in, arrays out. Any number of threads may call it at once.

    A call runs wholly in the thread that makes it.
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        self.input_names: tuple[str, ...] = tuple(port.name for port in session.get_inputs())
        self.output_names: tuple[str, ...] = tuple(port.name for port in session.get_outputs())

    def __call__(self, **inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        """Run once.

        Args:
            inputs: one array per input, by name, of the input's shape and type.

        Returns:
            One array per output, in the network's order, the caller's own.
        """
        return tuple(self._session.run(None, inputs))

    def run_named(self, inputs: dict[str, np.ndarray]) -> tuple[np.ndarray, ...]:
        """Run once, for networks whose inputs have names that are no Python words."""
        return tuple(self._session.run(None, inputs))


def load_onnx_network(path: Path, *, laid_out_anew: bool = False) -> OnnxNetwork:
    """Read a network (``.onnx`` or ``.ort``) for one thread per call.

    Args:
        path: the file.
        laid_out_anew: an ``.ort`` file keeps the layout it was written with. Written out as ONNX and
            read again, the runtime lays it out for this machine's CPU: convolutions run a quarter to a
            third faster.

    Raises:
        ModelUnavailableError: the file cannot be read as a network.
    """
    if not laid_out_anew:
        return OnnxNetwork(_session(path, _options()))
    with tempfile.TemporaryDirectory(prefix="proctoring-") as folder:
        onnx = Path(folder) / f"{path.stem}.onnx"
        options = _options()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.optimized_model_filepath = str(onnx)
        options.add_session_config_entry("session.save_model_format", "ONNX")
        _session(path, options)
        return OnnxNetwork(_session(onnx, _options()))


def _options() -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # Lengths vary from call to call: a remembered memory plan per length would only grow.
    options.enable_mem_pattern = False
    return options


def _session(path: Path, options: Any) -> Any:
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors share no base of their own
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        raise ModelUnavailableError(f"{path} cannot be read as a network: {reason}") from error
