from __future__ import annotations

import pytest

from proctoring.models.graphdef import cut_graph


def field(number: int, content: bytes) -> bytes:
    assert len(content) < 128
    return bytes([number << 3 | 2, len(content)]) + content


def node(name: str, *inputs: str) -> bytes:
    return field(
        1,
        field(1, name.encode())
        + field(2, b"Op")
        + b"".join(field(3, name.encode()) for name in inputs),
    )


GRAPH = b"".join(
    [
        node("image"),
        node("resize", "image"),
        node("weights"),
        node("scores", "resize:0", "weights", "^control"),
        node("control"),
        node("suppress", "scores"),
        b"\x18\x07",  # a number, as the graph's version is
    ]
)


def test_only_what_lies_between_inputs_and_outputs_is_kept() -> None:
    part = cut_graph(GRAPH, {"resize": (1, 300, 300, 3)}, ["scores"])

    for kept in (b"resize", b"weights", b"scores", b"control", b"Placeholder"):
        assert kept in part
    for dropped in (b"image", b"suppress"):
        assert dropped not in part


def test_cutting_again_changes_nothing() -> None:
    part = cut_graph(GRAPH, {"resize": (1, 300, 300, 3)}, ["scores"])

    assert cut_graph(part, {"resize": (1, 300, 300, 3)}, ["scores"]) == part


@pytest.mark.parametrize(
    "graph", [b"", b"\xff\xff\xff", b"not a graph at all", node("scores")[:-3], b"\x0b\x0c"]
)
def test_what_is_no_graph_or_lacks_a_node_is_refused(graph: bytes) -> None:
    with pytest.raises(ValueError, match="graph"):
        cut_graph(graph, {"resize": (1, 2)}, ["scores"])
