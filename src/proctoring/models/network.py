"""A network that is ready to run: inference on the thread that asks for it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, Literal

import numpy as np
import openvino as ov

_log = logging.getLogger(__name__)

Precision = Literal["f32", "bf16"]


class Network:
    """A compiled network. Thread-safe.

    A call runs on the calling thread. OpenVINO does that only for networks of one stream and one thread, which run
    one call at a time; so further copies are made when calls meet, up to one per core.

    Args:
        make: makes a copy, a compiled network.
        precision: of the computation.
        copies: the most that are made. With one, calls that meet wait for each other.
    """

    def __init__(self, make: Callable[[], Any], precision: Precision, copies: int) -> None:
        first = make()
        self._make = make
        self._may_make = copies - 1
        self._lock = Lock()
        self._free: SimpleQueue[Any] = SimpleQueue()
        self._free.put(first.create_infer_request())
        self._outputs = range(len(first.outputs))
        self.precision: Precision = precision
        """Precision of the computation: as requested, or f32 where the CPU lacks it."""
        self.input_shapes: tuple[tuple[int, ...], ...] = _shapes(first.inputs)
        """Of each input; -1: dynamic."""
        self.output_shapes: tuple[tuple[int, ...], ...] = _shapes(first.outputs)
        """Of each output; -1: dynamic."""

    def __call__(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        """Run once.

        Args:
            inputs: one C-contiguous array per input, of the input's shape and type.

        Returns:
            One array per output; the caller owns them.
        """
        request = self._take()
        try:
            for place, values in enumerate(inputs):
                shared = values if values.flags.writeable else values.copy()
                request.set_input_tensor(place, ov.Tensor(shared, shared_memory=True))
            request.infer(share_outputs=True)
            return tuple(request.get_output_tensor(place).data.copy() for place in self._outputs)
        finally:
            self._free.put(request)

    def _take(self) -> Any:
        """A free inference request. If there is none, another is made beside, and the first free one waited for: that is
        sooner, because a copy takes longer to make than a call to run."""
        try:
            return self._free.get_nowait()
        except Empty:
            pass
        with self._lock:
            may_make = self._may_make > 0
            self._may_make -= may_make
        if may_make:
            Thread(target=self._add_copy, name="copying", daemon=True).start()
        return self._free.get()

    def _add_copy(self) -> None:
        try:
            self._free.put(self._make().create_infer_request())
        except RuntimeError:
            _log.exception("a further copy of a network could not be made")


def _shapes(ports: Any) -> tuple[tuple[int, ...], ...]:
    return tuple(
        tuple(d.get_length() if d.is_static else -1 for d in port.partial_shape) for port in ports
    )
