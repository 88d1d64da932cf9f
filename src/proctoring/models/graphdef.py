"""Extracting a part of a frozen TensorFlow graph, from its serialised form.

Converting the whole of ``ssd_mobilenet_v2`` costs OpenVINO 10 s and more of CPU at every start,
nearly all of it for the pre-processing loop and the box suppression that are then thrown away, and
its frontend converts them even when told to stop before them. Cut beforehand, it is under 1 s.

A ``GraphDef`` (tensorflow/core/framework/graph.proto) is a list of ``NodeDef`` in field 1; of a
``NodeDef``, field 1 is its name, 2 its operation, 3 its inputs, 5 its attributes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

_DT_FLOAT = 1
_ATTR_TYPE, _ATTR_SHAPE = 6, 7
_SHAPE_DIM, _DIM_SIZE = 2, 1


def cut_graph(graph: bytes, inputs: Mapping[str, Sequence[int]], outputs: Sequence[str]) -> bytes:
    """The part of a frozen graph from ``inputs`` to ``outputs``.

    Args:
        graph: a serialised GraphDef.
        inputs: names of nodes that become float32 placeholders, with their shapes.
        outputs: names of nodes to keep, with everything that they need.

    Raises:
        ValueError: not a GraphDef, or without one of the named nodes.
    """
    nodes: dict[str, memoryview] = {}
    needs: dict[str, list[str]] = {}
    for number, node in _fields(memoryview(graph)):
        if number == 1 and isinstance(node, memoryview):
            words = [(n, bytes(v).decode()) for n, v in _fields(node) if n in {1, 3}]
            name = next((word for n, word in words if n == 1), "")
            nodes[name] = node
            needs[name] = [word.lstrip("^").split(":")[0] for n, word in words if n == 3]
    missing = [name for name in (*inputs, *outputs) if name not in nodes]
    if missing:
        raise ValueError(f"the graph has no node named {', '.join(missing)}")
    kept: set[str] = set()
    waiting = list(outputs)
    while waiting:
        name = waiting.pop()
        if name not in kept:
            kept.add(name)
            waiting.extend([] if name in inputs else needs.get(name, []))
    return b"".join(
        _field(1, _placeholder(name, inputs[name]) if name in inputs else node)
        for name, node in nodes.items()
        if name in kept
    )


def _placeholder(name: str, shape: Sequence[int]) -> bytes:
    dims = b"".join(_field(_SHAPE_DIM, _number(_DIM_SIZE, size)) for size in shape)
    attributes = {"dtype": _number(_ATTR_TYPE, _DT_FLOAT), "shape": _field(_ATTR_SHAPE, dims)}
    return (
        _field(1, name.encode())
        + _field(2, b"Placeholder")
        + b"".join(
            _field(5, _field(1, key.encode()) + _field(2, value))
            for key, value in attributes.items()
        )
    )


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """Field numbers and values of a protobuf message: bytes of length-delimited ones."""
    at = 0
    try:
        while at < len(message):
            key, at = _varint(message, at)
            match key & 7:
                case 0:
                    value, at = _varint(message, at)
                    yield key >> 3, value
                case 1:
                    at += 8
                case 2:
                    size, at = _varint(message, at)
                    if at + size > len(message):
                        raise ValueError("not a TensorFlow graph: it ends in the middle")
                    yield key >> 3, message[at : at + size]
                    at += size
                case 5:
                    at += 4
                case wire:
                    raise ValueError(f"not a TensorFlow graph: wire type {wire}")
    except IndexError as error:
        raise ValueError("not a TensorFlow graph: it ends in the middle") from error


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _encode(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _number(number: int, value: int) -> bytes:
    return _encode(number << 3) + _encode(value)


def _field(number: int, content: bytes | memoryview) -> bytes:
    return _encode(number << 3 | 2) + _encode(len(content)) + bytes(content)
