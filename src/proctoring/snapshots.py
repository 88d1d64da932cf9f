"""Snapshots as bytes: what a running session keeps so that another process can continue it.

How to use it: describe the state in frozen dataclasses, give what was added later a default, and call::

    @dataclass(frozen=True, slots=True)
    class CounterState:
        count: int
        mean: NDArray[np.float32]
        blinks: tuple[float, ...] = ()      # added later, hence with a default

    data = encode(counter.snapshot())       # bytes
    counter = Counter(decode(data, CounterState))   # or raises SnapshotError

Fields may be annotated with: ``None``, ``bool``, ``int`` (64 bits), ``float``, ``str``, ``bytes``, enums, ``datetime``,
dataclasses, named tuples, ``tuple``, ``list``, ``dict``, ``set``, ``Mapping``, ``NDArray[...]`` of numbers, and
``X | None`` of each. Not: a union of two dataclasses (keep two optional fields), ``deque`` (keep a tuple). Annotations are resolved when decoding: their names must be imported at runtime, not
under ``TYPE_CHECKING``.

Values come back equal to the bit: floats with their sign, infinities and NaN; arrays with their dtype, byte order, shape
and data, writable. (A numpy scalar comes back as Python's number of the same value.)

An unknown field is ignored, a missing one gets its default: so each version reads the snapshots of the one before and
of the one after it, as long as no field changes its type or its meaning (then it gets a new name).

The bytes: one of the format's version, four of the CRC-32 of the rest, MessagePack. Nothing in them is executed.
They are neither encrypted nor compressed.
"""

from __future__ import annotations

import zlib
from functools import cache
from typing import Any, TypeVar, get_origin

import msgspec
import numpy as np

T = TypeVar("T")

VERSION = 1
"""Of the layout of the bytes, not of what they hold."""
_HEADER = 5
"""Bytes: version and CRC-32."""
_NUMBERS = frozenset("biufc")
"""The ``kind`` of the dtypes that are kept: booleans and numbers, nothing that refers to an object."""


class SnapshotError(ValueError):
    """The bytes are damaged, or do not hold what was expected."""


def encode(value: object) -> bytes:
    """A value of the types above as bytes.

    Raises:
        TypeError: it holds something of another type.
        OverflowError: it holds an integer of more than 64 bits.
    """
    packed = _ENCODER.encode(value)
    return VERSION.to_bytes() + zlib.crc32(packed).to_bytes(4) + packed


def decode(data: bytes, kind: type[T]) -> T:
    """The value of type ``kind`` that ``encode`` made ``data`` of.

    Raises:
        SnapshotError: the data are damaged, of an unknown version, or do not fit ``kind``.
    """
    if len(data) <= _HEADER:
        raise SnapshotError(f"a snapshot of {len(data)} bytes is too short")
    if data[0] != VERSION:
        raise SnapshotError(f"snapshot in an unknown format {data[0]}, not {VERSION}")
    packed = memoryview(data)[_HEADER:]
    if zlib.crc32(packed) != int.from_bytes(data[1:_HEADER]):
        raise SnapshotError("a damaged snapshot: its checksum does not match")
    try:
        value: T = _decoder(kind).decode(packed)  # type: ignore[arg-type]  # a type is hashable
    except (msgspec.MsgspecError, RecursionError) as error:
        name = getattr(kind, "__name__", kind)
        raise SnapshotError(f"not a snapshot of {name}: {error}") from error
    return value


def _encode_other(value: object) -> object:
    """What msgspec does not know itself."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in _NUMBERS:
            raise TypeError(f"an array of {value.dtype} cannot be kept")
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, np.number | np.bool_):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be kept in a snapshot")


def _decode_other(kind: Any, value: Any) -> object:
    if (get_origin(kind) or kind) is not np.ndarray:
        raise TypeError(f"{kind} cannot be read from a snapshot")
    try:
        written, shape, data = value
        dtype = np.dtype(written)
        if dtype.kind not in _NUMBERS:
            raise ValueError(f"an array of {dtype}")  # noqa: TRY301
        # A copy, as the bytes are read-only; `frombuffer` refuses empty data.
        array = np.frombuffer(data, dtype).copy() if data else np.empty(0, dtype)
        return array.reshape(shape)
    except (TypeError, ValueError, SyntaxError) as error:
        raise ValueError(f"not an array: {error}") from error


@cache
def _decoder(kind: type[T]) -> msgspec.msgpack.Decoder[T]:
    return msgspec.msgpack.Decoder(kind, dec_hook=_decode_other)


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_encode_other)
