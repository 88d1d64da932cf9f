"""Snapshots as bytes."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, StrEnum
from typing import Any, NamedTuple

import hypothesis.extra.numpy as arrays
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from proctoring.judgement.state import JudgementState, KindState, Sample, initial_state
from proctoring.snapshots import SnapshotError, decode, encode

Floats = NDArray[np.float32]


class Colour(StrEnum):
    RED = "red"


class Level(Enum):
    LOW = 1


class Point(NamedTuple):
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Inner:
    name: str
    embedding: Floats | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Everything:
    count: int
    mean: float
    colour: Colour
    level: Level
    at: datetime
    point: Point
    data: bytes
    mesh: NDArray[np.float64]
    pixels: NDArray[np.uint8]
    embedding: Floats | None
    inner: tuple[Inner, ...]
    by_track: Mapping[int, Inner]
    arrays_by_name: dict[str, Floats]
    seen: frozenset[int]
    pairs: dict[tuple[int, int], float]
    any_array: NDArray[Any] = field(default_factory=lambda: np.zeros(3))


def same(a: NDArray[Any], b: NDArray[Any]) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def test_every_kind_of_field_comes_back() -> None:
    embedding = np.array([1, np.nan, -0.0], np.float32)
    before = Everything(
        count=-(2**63),
        mean=-0.0,
        colour=Colour.RED,
        level=Level.LOW,
        at=datetime(2026, 11, 28, 5, 8, 0, 123456, tzinfo=UTC),
        point=Point(0.1, math.inf),
        data=b"\x00\xff",
        mesh=np.arange(12.0).reshape(2, 3, 2)[:, ::2].transpose(),
        pixels=np.zeros((0, 3), np.uint8),
        embedding=embedding,
        inner=(Inner("a"), Inner("b", embedding)),
        by_track={3: Inner("c")},
        arrays_by_name={"d": embedding},
        seen=frozenset({1, 2}),
        pairs={(1, 2): 0.5},
    )
    after = decode(encode(before), Everything)
    for name in ("count", "colour", "level", "at", "point", "data", "by_track", "seen", "pairs"):
        assert getattr(after, name) == getattr(before, name)
    assert math.copysign(1, after.mean) == -1
    for name in ("mesh", "pixels", "embedding", "any_array"):
        assert same(getattr(after, name), getattr(before, name)), name
    assert isinstance(after.inner, tuple)
    assert after.inner[0] == Inner("a")
    assert after.inner[1].embedding is not None
    assert same(after.inner[1].embedding, embedding)
    assert same(after.arrays_by_name["d"], embedding)
    after.mesh[...] = 0  # writable


DTYPES = st.one_of(
    arrays.floating_dtypes(endianness="?"),
    arrays.integer_dtypes(endianness="?"),
    arrays.unsigned_integer_dtypes(endianness="?"),
    arrays.boolean_dtypes(),
    arrays.complex_number_dtypes(),
)


@given(arrays.arrays(DTYPES, arrays.array_shapes(min_dims=0, min_side=0)))
def test_an_array_comes_back_exactly(array: NDArray[Any]) -> None:
    assert same(decode(encode(array), np.ndarray), array)


@given(st.floats())
def test_a_float_comes_back_exactly(value: float) -> None:
    assert struct.pack("d", decode(encode(value), float)) == struct.pack("d", value)
    after = decode(encode(np.float64(value)), float)
    assert type(after) is float
    assert struct.pack("d", after) == struct.pack("d", value)


def test_a_numpy_scalar_comes_back_as_a_number() -> None:
    assert decode(encode(np.float32(0.1)), float) == float(np.float32(0.1))
    assert decode(encode(np.uint64(2**64 - 1)), int) == 2**64 - 1
    assert decode(encode(np.bool_(True)), bool) is True


def test_the_state_of_judgement_comes_back() -> None:
    state = JudgementState(
        time=0.1,
        kinds={"face.none": KindState(0.2, (Sample(0.1, True, 0.5, -math.inf),))},
        challenge=initial_state("seed").challenge,
    )
    assert decode(encode(state), JudgementState) == state


@dataclass(frozen=True)
class Older:
    count: int


@dataclass(frozen=True)
class Newer:
    count: int
    added: tuple[int, ...] = (7,)
    mean: Floats | None = None


def test_a_field_that_was_added_later_gets_its_default() -> None:
    assert decode(encode(Older(3)), Newer) == Newer(3)


def test_an_unknown_field_is_ignored() -> None:
    assert decode(encode(Newer(3, (1,), np.zeros(4, np.float32))), Older) == Older(3)


def test_a_missing_field_without_a_default_is_an_error() -> None:
    with pytest.raises(SnapshotError, match=r"not a snapshot of Inner.*`name`"):
        decode(encode(Older(3)), Inner)


@pytest.mark.parametrize(
    "value",
    [object(), np.array([object()]), np.array(["text"]), np.zeros(2, "f4,f4")],
    ids=["object", "objects", "text", "fields"],
)
def test_what_cannot_be_kept_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="cannot be kept"):
        encode(Inner("a", value))  # type: ignore[arg-type]


@given(st.data())
def test_damaged_bytes_are_one_error(data: st.DataObject) -> None:
    good = encode(Inner("name", np.arange(5, dtype=np.float32)))
    position = data.draw(st.integers(0, len(good) - 1))
    flipped = data.draw(st.integers(1, 255))
    bad = bytearray(good)
    bad[position] ^= flipped
    with pytest.raises(SnapshotError):
        decode(bytes(bad), Inner)
    with pytest.raises(SnapshotError):
        decode(good[:position], Inner)
    with pytest.raises(SnapshotError):
        decode(good + b"\x00", Inner)


def sealed(value: object) -> bytes:
    """With a right checksum: what only the decoder can refuse."""
    return seal(msgspec.msgpack.encode(value))


def seal(packed: bytes) -> bytes:
    return b"\x01" + zlib.crc32(packed).to_bytes(4) + packed


@pytest.mark.parametrize(
    "array",
    [
        None,
        3,
        [],
        ["<f4", [1], b"123"],
        ["<f4", [3], b"1234"],
        ["<f4", [-1, 0], b""],
        ["O", [1], b"12345678"],
        ["nonsense", [1], b"1234"],
        ["(2,", [1], b"1234"],
        ["<f4", [2**62, 2**62], b""],
        ["<f4", ["a"], b"1234"],
        [["<f4"], [1], b"1234"],
        [{"names": ["a"]}, [1], b"1234"],
        ["<f4", [1], "1234"],
        ["V0", [1], b"1234"],
    ],
)
def test_what_is_not_an_array_is_refused(array: object) -> None:
    with pytest.raises(SnapshotError):
        decode(sealed(array), np.ndarray)


@given(st.binary())
def test_any_bytes_are_refused(packed: bytes) -> None:
    for data in (packed, seal(packed)):
        with pytest.raises(SnapshotError):
            decode(data, Inner)


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(SnapshotError):
        decode(seal(b"\x81\xa1x" + b"\x91" * 100_000), Inner)
