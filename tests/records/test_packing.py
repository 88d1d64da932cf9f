"""Observations come back exactly as they were, whatever was added to them since."""

from __future__ import annotations

import zlib
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proctoring.judgement.inputs import JudgementInput
from proctoring.observations import (
    AudioObservation,
    ConnectionObservation,
    FrameObservation,
)
from proctoring.records.packing import pack, unpack


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a field's type: follows whatever observations come to be made of."""
    if is_dataclass(hint) and isinstance(hint, type):
        hints = get_type_hints(hint)
        return st.builds(hint, **{field.name: values(hints[field.name]) for field in fields(hint)})
    if isinstance(hint, UnionType):
        return st.one_of([values(one) for one in get_args(hint)])
    if get_origin(hint) is tuple:
        return st.lists(values(get_args(hint)[0]), max_size=3).map(tuple)
    plain: dict[Any, st.SearchStrategy[Any]] = {
        float: st.floats(allow_nan=False) | st.floats(allow_nan=False, width=32),
        int: st.integers(-(2**63), 2**63 - 1),
        bool: st.booleans(),
        str: st.text(max_size=9),
        type(None): st.none(),
    }
    return plain[hint]


@given(st.lists(values(JudgementInput), max_size=20))
def test_every_observation_comes_back_exactly(items: list[JudgementInput]) -> None:
    found = unpack(pack(items)) if items else []
    assert found == items
    assert repr(found) == repr(items)  # 1, 1.0 and True are equal, and -0.0 is 0.0


def test_numbers_of_numpy_come_back_as_the_interpreters_own() -> None:
    (found,) = unpack(pack([ConnectionObservation(np.float64(0.1), connected=True)]))
    assert type(found.time) is float
    assert found.time == 0.1


def test_what_observations_are_not_made_of_is_refused() -> None:
    with pytest.raises(TypeError, match="float32"):
        pack([ConnectionObservation(np.float32(0.1), connected=True)])  # type: ignore[arg-type]


def repacked(data: bytes, change: Any) -> bytes:
    """Packed observations as another version of the program would have packed them."""
    version, column = msgpack.unpackb(zlib.decompress(data))
    assert column[0] == "type"
    change(column[2])
    return zlib.compress(msgpack.packb([version, column]))


def test_a_field_added_since_has_its_default() -> None:
    frame = FrameObservation(1.0, 640, 480, (), None, None)
    older = repacked(pack([frame]), lambda columns: columns.pop("liveness"))
    assert unpack(older) == [frame]


def test_a_field_removed_since_is_passed_over() -> None:
    sound = AudioObservation(1.0, 0.5, 0.2, -30.0, None)
    newer = repacked(pack([sound]), lambda columns: columns.update(echo=["none", 1]))
    assert unpack(newer) == [sound]


@pytest.mark.parametrize("data", [b"", b"nonsense", zlib.compress(b"nonsense")])
def test_what_is_not_packed_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not packed"):
        unpack(data)


def test_a_newer_packing_is_refused() -> None:
    with pytest.raises(ValueError, match="version 9"):
        unpack(zlib.compress(msgpack.packb([9, []])))
