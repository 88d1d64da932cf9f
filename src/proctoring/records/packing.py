"""Packs inputs of judgement column by column, without loss.

The format names types and fields, so records stay readable after a field was added (older ones get its
default) or removed (it is ignored). A column is a list ``[kind, ...]``; ``_unpack`` inverts ``_pack``.

Floats keep every bit. They are stored as 32 bit where that is exact, and by byte planes (all first
bytes, then all second bytes), which compress better.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any

import msgpack
import numpy as np

from proctoring import observations
from proctoring.judgement import inputs
from proctoring.judgement.inputs import JudgementInput

VERSION = 1
"""Of the format; raised when older programs cannot read it any more."""


def pack(items: Sequence[JudgementInput]) -> bytes:
    """Pack inputs in order.

    Raises:
        TypeError: one holds a value of a type that cannot be packed.
    """
    packed: bytes = msgpack.packb([VERSION, _pack(items)])
    return zlib.compress(packed, 6)


def unpack(data: bytes) -> list[JudgementInput]:
    """The inputs that were packed, in order.

    Raises:
        ValueError: these are no packed inputs, or ones of a newer version of this program.
    """
    try:
        version, column = msgpack.unpackb(zlib.decompress(data), strict_map_key=False)
    except (zlib.error, ValueError, TypeError) as error:
        raise ValueError("not packed observations") from error
    if version != VERSION:
        raise ValueError(f"observations packed in version {version}, not {VERSION}")
    return _unpack(column)


_PLAIN = (bool, float, int, str, bytes, tuple, dict)


_KINDS: dict[type, type] = {}
"""Results of ``_find_kind``, which every value needs."""


def _kind(found: type) -> type:
    """The kind of column that values of this type are packed in."""
    kind = _KINDS.get(found)
    return kind or _KINDS.setdefault(found, _find_kind(found))


def _find_kind(found: type) -> type:
    if found is type(None) or dataclasses.is_dataclass(found):
        return found
    for plain in _PLAIN:
        if issubclass(found, plain):
            return plain
    raise TypeError(f"observations hold no {found.__name__}")


def _pack(values: Sequence[Any]) -> list[Any]:
    kinds = [_kind(type(value)) for value in values]
    found = list(dict.fromkeys(kinds))
    if len(found) == 1:
        return _pack_alike(found[0], values)
    number = {kind: index for index, kind in enumerate(found)}
    columns: list[list[Any]] = [[] for _ in found]
    for kind, value in zip(kinds, values, strict=True):
        columns[number[kind]].append(value)
    which = bytes([number[kind] for kind in kinds])
    return ["mixed", which, [_pack_alike(k, c) for k, c in zip(found, columns, strict=True)]]


def _pack_alike(kind: type, values: Sequence[Any]) -> list[Any]:
    """Pack values of one kind."""
    if kind is type(None):
        return ["none", len(values)]
    if kind is float:
        return _pack_floats(values)
    if kind is tuple:
        return ["tuple", [len(value) for value in values], _pack([x for v in values for x in v])]
    if kind is str:
        words = list(dict.fromkeys(str(value) for value in values))
        number = {word: index for index, word in enumerate(words)}
        return ["str", words, [number[value] for value in values]]
    if kind in (int, bool, bytes, dict):
        return ["plain", [kind(value) for value in values]]
    fields = {
        field.name: _pack(list(map(attrgetter(field.name), values)))
        for field in dataclasses.fields(kind)
    }
    return ["type", kind.__name__, fields]


def _pack_floats(values: Sequence[float]) -> list[Any]:
    wide = np.array(values, np.float64)
    with np.errstate(over="ignore"):
        narrow = wide.astype(np.float32)
    exact = np.array_equal(narrow.astype(np.float64), wide)
    found = narrow if exact else wide
    planes = found.view(np.uint8).reshape(len(found), found.itemsize).T
    return ["float", found.itemsize, planes.tobytes()]


def _unpack(column: list[Any]) -> list[Any]:
    return _UNPACKERS[column[0]](*column[1:])


def _unpack_mixed(which: bytes, columns: list[list[Any]]) -> list[Any]:
    rests = [iter(_unpack(column)) for column in columns]
    return [next(rests[index]) for index in which]


def _unpack_floats(size: int, data: bytes) -> list[float]:
    planes = np.frombuffer(data, np.uint8).reshape(size, -1)
    values = np.ascontiguousarray(planes.T).view(np.float32 if size == 4 else np.float64)
    found: list[float] = values.reshape(-1).tolist()
    return found


def _unpack_tuples(lengths: list[int], column: list[Any]) -> list[tuple[Any, ...]]:
    rest = iter(_unpack(column))
    return [tuple(next(rest) for _ in range(length)) for length in lengths]


def _unpack_words(words: list[str], numbers: list[int]) -> list[str]:
    return [words[number] for number in numbers]


def _unpack_type(name: str, fields: dict[str, list[Any]]) -> list[Any]:
    make, known = _maker(name)
    columns = {field: _unpack(column) for field, column in fields.items() if field in known}
    missing = {field: value for field, value in known.items() if field not in columns}
    names = tuple(columns)
    return [
        make(**dict(zip(names, row, strict=True)), **missing)
        for row in zip(*columns.values(), strict=True)
    ]


@cache
def _maker(name: str) -> tuple[Callable[..., Any], dict[str, Any]]:
    """A type, and each of its fields' defaults for records without the field."""
    made = getattr(observations, name, None) or getattr(inputs, name, None)
    if not (isinstance(made, type) and dataclasses.is_dataclass(made)):
        raise ValueError(f"observations of an unknown type {name[:40]!r}")
    return made, {
        field.name: None if field.default is dataclasses.MISSING else field.default
        for field in dataclasses.fields(made)
    }


def _unpack_none(count: int) -> list[None]:
    return [None] * count


_UNPACKERS: dict[str, Callable[..., list[Any]]] = {
    "mixed": _unpack_mixed,
    "none": _unpack_none,
    "float": _unpack_floats,
    "tuple": _unpack_tuples,
    "str": _unpack_words,
    "plain": list,
    "type": _unpack_type,
}
