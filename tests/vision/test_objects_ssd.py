from __future__ import annotations

import numpy as np

from proctoring.vision.objects_ssd import decode_boxes, make_anchors


def test_anchors_are_those_of_the_graph() -> None:
    """Rows (y, x corners) that the frozen graph itself gave for ``Concatenate/concat``."""
    anchors = make_anchors()
    corners = np.concatenate(
        [anchors[:, :2] - anchors[:, 2:] / 2, anchors[:, :2] + anchors[:, 2:] / 2], axis=1
    )

    assert anchors.shape == (1917, 4)
    assert np.allclose(
        corners[:4],
        [
            [-0.02368421, -0.02368421, 0.07631579, 0.07631579],
            [-0.04439489, -0.11510557, 0.09702647, 0.16773716],
            [-0.11510557, -0.04439489, 0.16773716, 0.09702647],
            [-0.02368421, 0.02894736, 0.07631579, 0.12894736],
        ],
        atol=1e-6,
    )
    assert np.allclose(
        corners[-3:],
        [
            [0.22575861, -0.3227241, 0.7742414, 1.3227241],
            [-0.32276523, 0.22577232, 1.3227652, 0.7742277],
            [0.01266029, 0.01266029, 0.98733974, 0.98733974],
        ],
        atol=1e-4,
    )


def test_a_code_of_zeros_is_the_anchor_itself() -> None:
    box = decode_boxes(np.zeros((1, 4), np.float32), np.array([[0.5, 0.4, 0.2, 0.6]], np.float32))

    assert np.allclose(box, [[0.1, 0.4, 0.7, 0.6]])


def test_codes_move_by_tenths_and_grow_by_fifths() -> None:
    anchor = np.array([[0.5, 0.5, 0.2, 0.2]], np.float32)

    moved = decode_boxes(np.array([[0, 10, 0, 0]], np.float32), anchor)
    grown = decode_boxes(np.array([[0, 0, 5 * np.log(2), 0]], np.float32), anchor)

    assert np.allclose(moved, [[0.6, 0.4, 0.8, 0.6]])
    assert np.allclose(grown, [[0.4, 0.3, 0.6, 0.7]], atol=1e-6)
