"""dlib's face embedding network, read from dlib's own file and run in OpenVINO.

dlib's Python binding holds the GIL for the whole call (130 ms on the machine of
``docs/benchmarks.md``), which would block every other session and socket of a server. In OpenVINO the
same network releases it, can be called from many threads and is faster. The package ``dlib`` is only
needed by the test that compares the two.

The network is ``anet_type`` of dlib's ``dnn_face_recognition_ex.cpp`` (Boost licence; the weights
are CC0): a residual network of 29 convolutions, each followed by a scale and a shift per channel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset8 as ops

from proctoring.errors import ModelUnavailableError
from proctoring.models.network import Network
from proctoring.models.runtime import load_compiled

SIDE = 150
"""Pixels a side of the input, an aligned face."""
LENGTH = 128
"""Numbers in an embedding."""
_MEAN = np.array([122.782, 117.001, 104.298], np.float32).reshape(1, 3, 1, 1)
_SCALE = np.float32(256)
_BLOCKS = (
    *((32, False),) * 3,
    (64, True),
    *((64, False),) * 3,
    (128, True),
    *((128, False),) * 2,
    (256, True),
    *((256, False),) * 2,
    (256, True),
)
"""Channels of each residual block, and whether it halves width and height."""
_TENSOR_VERSION = 2

Weights = NDArray[np.float32]


def load_dlib_embedding(path: Path) -> Network:
    """The network: (1, 150, 150, 3) RGB 0 to 255 as float32 in, (1, 128) out.

    Raises:
        ModelUnavailableError: the file is not that network.
    """

    def read() -> ov.Model:
        try:
            return _build(_Reader(path.read_bytes()))
        except (OSError, ValueError, IndexError, RuntimeError) as error:
            raise ModelUnavailableError(
                f"{path} cannot be read as dlib's face embedding: {error}"
            ) from error

    # One copy: it has most of all networks' weights, and runs once in ten seconds of a session.
    return load_compiled(path, read, copies=1)


def _build(reader: _Reader) -> ov.Model:
    face = ops.parameter([1, SIDE, SIDE, 3], np.float32, name="face")
    planes = ops.transpose(face, np.array([0, 3, 1, 2], np.int64))
    node = ops.divide(ops.subtract(planes, _constant(_MEAN)), _constant(_SCALE))
    node = ops.relu(_convolution(node, reader, filters=(32, 3, 7), stride=2))
    node = _max_pool(node)
    channels = 32
    for wanted, halved in _BLOCKS:
        node = _residual(node, reader, channels, wanted, halved=halved)
        channels = wanted
    node = ops.reduce_mean(node, np.array([2, 3], np.int64))
    node = ops.matmul(node, _constant(reader.last(channels)), False, False)
    return ov.Model([node], [face], "dlib_face_embedding")


def _residual(node: Any, reader: _Reader, before: int, channels: int, *, halved: bool) -> Any:
    inner = ops.relu(
        _convolution(node, reader, filters=(channels, before, 3), stride=2 if halved else 1)
    )
    inner = _convolution(inner, reader, filters=(channels, channels, 3), stride=1)
    if halved:
        node = ops.avg_pool(node, [2, 2], [0, 0], [0, 0], [2, 2], exclude_pad=False)
    # dlib zero-pads the smaller of two feature maps before adding them.
    size = [max(a, b) for a, b in zip(_shape(inner), _shape(node), strict=True)]
    return ops.relu(ops.add(_grown(inner, size), _grown(node, size)))


def _convolution(node: Any, reader: _Reader, *, filters: tuple[int, int, int], stride: int) -> Any:
    """A convolution and the scale and shift after it, folded into one."""
    outputs, inputs, side = filters
    layer = reader.convolution(outputs, inputs, side)
    padding = [0, 0] if stride > 1 else [side // 2, side // 2]
    node = ops.convolution(
        node, _constant(layer.filters), [stride, stride], padding, padding, [1, 1]
    )
    return ops.add(node, _constant(layer.biases.reshape(1, -1, 1, 1)))


def _max_pool(node: Any) -> Any:
    return ops.max_pool(node, [2, 2], [1, 1], [0, 0], [0, 0], [3, 3]).output(0)


def _grown(node: Any, size: list[int]) -> Any:
    shape = _shape(node)
    if shape == size:
        return node
    end = np.array([wanted - had for wanted, had in zip(size, shape, strict=True)], np.int64)
    return ops.pad(node, np.zeros(4, np.int64), end, "constant", np.float32(0))


def _shape(node: Any) -> list[int]:
    output = node if isinstance(node, ov.Output) else node.output(0)
    return [int(length) for length in output.get_shape()]


def _constant(values: Weights | np.float32) -> Any:
    return ops.constant(np.asarray(values, np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class _Convolution:
    filters: Weights
    """(outputs, inputs, side, side)"""
    biases: Weights
    """(outputs,)"""


class _Reader:
    """The tensors of a serialised dlib network, in order from its input to its output."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def convolution(self, outputs: int, inputs: int, side: int) -> _Convolution:
        """The next convolution, with the scale and shift after it folded in."""
        weights = self._tensor(b"con_4")
        count = outputs * inputs * side * side
        if weights.size != count + outputs:
            raise ValueError(f"a convolution has {weights.size} weights instead of {count}")
        scale_and_shift = self._tensor(b"affine_")
        if scale_and_shift.size != 2 * outputs:
            raise ValueError("a scale does not fit its convolution")
        scale, shift = np.split(scale_and_shift, 2)
        filters = weights[:count].reshape(outputs, inputs, side, side)
        return _Convolution(filters * scale.reshape(-1, 1, 1, 1), weights[count:] * scale + shift)

    def last(self, inputs: int) -> Weights:
        """The fully connected layer, (inputs, 128)."""
        self._find(b"fc_2")
        sizes = (self._integer(), self._integer())
        if sizes != (LENGTH, inputs):
            raise ValueError(f"the last layer is {sizes}")
        return self._values().reshape(inputs, LENGTH)

    def _tensor(self, name: bytes) -> Weights:
        self._find(name)
        return self._values()

    def _find(self, name: bytes) -> None:
        """Skip to after the next layer of this name; strings are stored after their length."""
        marker = b"\x01" + bytes([len(name)]) + name
        self._place = self._data.index(marker, self._place) + len(marker)

    def _values(self) -> Weights:
        if self._integer() != _TENSOR_VERSION:
            raise ValueError("unknown version of a tensor")
        count = int(np.prod(list(self._integers(4))))
        end = self._place + 4 * count
        if count < 1 or end > len(self._data):
            raise ValueError("a tensor is longer than the file")
        values = np.frombuffer(self._data, "<f4", count, self._place)
        self._place = end
        return values.astype(np.float32)

    def _integers(self, count: int) -> Iterator[int]:
        for _ in range(count):
            yield self._integer()

    def _integer(self) -> int:
        """One integer: a byte with its length and sign, then its bytes, little-endian."""
        length = self._data[self._place] & 0x0F
        sign = -1 if self._data[self._place] & 0x80 else 1
        begin = self._place + 1
        self._place = begin + length
        return sign * int.from_bytes(self._data[begin : self._place], "little")
