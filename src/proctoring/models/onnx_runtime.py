"""The second runtime: ONNX Runtime, for files that OpenVINO cannot read (``.ort``).

It is the same kind of thing as :mod:`proctoring.models.runtime`: a file of weights in, a callable
network out. ONNX Runtime reports usage on Windows only; that is switched off all the same.
"""

from __future__ import annotations

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


def load_onnx_network(path: Path) -> OnnxNetwork:
    """Read a network (``.onnx`` or ``.ort``) for one thread per call.

    Raises:
        ModelUnavailableError: the file cannot be read as a network.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # Lengths vary from call to call: a remembered memory plan per length would only grow.
    options.enable_mem_pattern = False
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors share no base of their own
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        raise ModelUnavailableError(f"{path} cannot be read as a network: {reason}") from error
    return OnnxNetwork(session)
