"""Compares what two objects hold, attribute by attribute and to the bit, whatever their classes define as equal."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np


def attributes(thing: object) -> dict[str, Any]:
    """Everything that an object holds, by name."""
    if is_dataclass(thing):
        return {field.name: getattr(thing, field.name) for field in fields(thing)}
    return vars(thing)


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """The paths at which two values differ; none if they are equal to the bit."""
    if type(one) is not type(other):
        return [path]
    if one is None or callable(one) or isinstance(one, bool | int | str | bytes | Enum):
        return [] if one == other else [path]
    if isinstance(one, float):
        return [] if struct.pack("d", one) == struct.pack("d", other) else [path]
    if isinstance(one, np.ndarray):
        same = (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())
        return [] if same else [path]
    if isinstance(one, list | tuple | deque):
        one, other = (dict(enumerate(items)) for items in (one, other))
    first, second = (
        (one, other) if isinstance(one, Mapping) else (attributes(one), attributes(other))
    )
    if first.keys() != second.keys():
        return [path]
    return [
        found
        for name in first
        for found in differences(first[name], second[name], f"{path}.{name}")
    ]


def check_kept(used: object, restored: object, new: object, left_out: set[str]) -> None:
    """Check that ``restored`` holds all that ``used`` holds, but for the attributes ``left_out``.

    Every other attribute of ``used`` must differ from that of a ``new`` object, since otherwise nothing would show that
    it is kept: whoever adds one keeps it and has the test use it, or leaves it out on purpose.
    """
    held = attributes(used)
    assert left_out <= held.keys(), f"no longer there: {left_out - held.keys()}"
    kept = held.keys() - left_out
    lost = {name for name in kept if differences(held[name], attributes(restored)[name])}
    assert not lost, f"not kept: {lost}"
    unused = {name for name in kept if not differences(held[name], attributes(new)[name])}
    assert not unused, f"kept or not, this test does not show it: {unused}"
