"""Compares objects attribute by attribute: what a restored one lacks."""

from __future__ import annotations

import ast
import inspect
import math
import textwrap
from collections import deque
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from typing import Any

import numpy as np

PLAIN = (int, float, str, bytes, bool, type(None), Enum)


def attributes(value: object) -> dict[str, Any]:
    """The instance attributes of an object, slots included."""
    found = dict(getattr(value, "__dict__", {}))
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(value, name) and name != "__weakref__":
                found[name] = getattr(value, name)
    return found


def differences(
    one: Any, other: Any, apart: frozenset[str] = frozenset(), path: str = ""
) -> Iterator[str]:
    """Where two objects differ, down to the last bit: ``Class.attribute`` of the innermost object, and how.

    Args:
        one: an object of ours, a container or a plain value.
        other: likewise.
        apart: ``Class.attribute`` of what is not compared.
        path: where they are.
    """
    if one is other:
        return
    if isinstance(one, int | float) and isinstance(other, int | float):
        if one != other and not (math.isnan(one) and math.isnan(other)):
            yield f"{path}: {one} and {other}"
    elif type(one) is not type(other):
        yield f"{path}: {type(one).__name__} and {type(other).__name__}"
    elif isinstance(one, np.ndarray):
        same = one.dtype == other.dtype and one.shape == other.shape
        if not same or one.tobytes() != other.tobytes():
            yield f"{path}: arrays differ"
    elif isinstance(one, PLAIN) or callable(one):
        if one != other:
            yield f"{path}: {one} and {other}"
    elif isinstance(one, Mapping):
        if list(one) != list(other):
            yield f"{path}: keys {list(one)} and {list(other)}"
        else:
            for key in one:
                yield from differences(one[key], other[key], apart, path)
    elif isinstance(one, list | tuple | deque):
        if len(one) != len(other):
            yield f"{path}: {len(one)} and {len(other)} entries"
        else:
            for a, b in zip(one, other, strict=True):
                yield from differences(a, b, apart, path)
    elif isinstance(one, set | frozenset):
        if one != other:
            yield f"{path}: {one} and {other}"
    else:
        mine, theirs = attributes(one), attributes(other)
        for name in sorted(mine.keys() | theirs.keys()):
            place = f"{type(one).__name__}.{name}"
            if place not in apart:
                yield from differences(mine.get(name), theirs.get(name), apart, place)


def check_kept(used: object, restored: object, new: object, left_out: set[str]) -> None:
    """Check that ``restored`` holds all that ``used`` holds, but for the attributes ``left_out``.

    Every other attribute of ``used`` must differ from that of a ``new`` object, since otherwise nothing would show that
    it is kept: whoever adds one keeps it and has the test use it, or leaves it out on purpose.
    """
    held, kept, fresh = attributes(used), attributes(restored), attributes(new)
    assert left_out <= held.keys(), f"no longer there: {left_out - held.keys()}"
    wanted = held.keys() - left_out
    lost = {name for name in wanted if any(differences(held[name], kept[name]))}
    assert not lost, f"not kept: {lost}"
    unused = {name for name in wanted if not any(differences(held[name], fresh[name]))}
    assert not unused, f"kept or not, this test does not show it: {unused}"


def reachable(value: Any, seen: dict[int, Any] | None = None) -> Iterator[object]:
    """All objects of the product's classes that an object holds, itself included."""
    seen = {} if seen is None else seen
    if id(value) in seen or isinstance(value, (*PLAIN, np.ndarray)):
        return
    seen[id(value)] = value
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, list | tuple | deque | set | frozenset):
        for one in value:
            yield from reachable(one, seen)
    elif type(value).__module__.startswith("proctoring."):
        yield value
        for one in attributes(value).values():
            yield from reachable(one, seen)


@cache
def changing(kind: type) -> frozenset[str]:
    """``Class.attribute`` of what methods of a class assign or change, apart from its constructor."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    except (OSError, TypeError):
        return frozenset()
    found: set[str] = set()
    for method in ast.walk(tree):
        if isinstance(method, ast.FunctionDef) and method.name not in ("__init__", "__post_init__"):
            for node in ast.walk(method):
                found |= {f"{kind.__name__}.{name}" for name in _changed_by(node)}
    return frozenset(found)


@cache
def read_by(kind: type, methods: frozenset[str]) -> frozenset[str]:
    """Names of all attributes, its own and others', that some of a class's methods read."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    except (OSError, TypeError):
        return frozenset()
    return frozenset(
        node.attr
        for method in ast.walk(tree)
        if isinstance(method, ast.FunctionDef) and method.name in methods
        for node in ast.walk(method)
        if isinstance(node, ast.Attribute)
    )


_CHANGES = {"append", "extend", "clear", "popleft", "pop", "discard", "insert"}


def _changed_by(node: ast.AST) -> Iterator[str]:
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        targets = [node.target]
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _CHANGES
    ):
        targets = [node.func.value]
    for target in targets:
        for part in target.elts if isinstance(target, ast.Tuple) else [target]:
            while isinstance(part, ast.Subscript):
                part = part.value
            if (
                isinstance(part, ast.Attribute)
                and isinstance(part.value, ast.Name)
                and part.value.id == "self"
            ):
                yield part.attr
