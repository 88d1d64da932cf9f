"""Where a picture has changed, apart from faces and from slight movement.

A person who sits before a camera sways by some pixels all the time, and the light and the exposure drift.
What appears in a picture, or disappears from it, cannot be explained by that: no part of the picture as it
was, moved a little, looks like it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from proctoring.observations import Box
from proctoring.vision.frame import Frame, Luma

Blocks = NDArray[np.bool_]
"""(rows, columns) of blocks of a grey copy."""

BLOCK = 8
"""Side of a block in pixels of the grey copy: 32 pixels of 640 x 480, the width of the smallest phones that
the detector finds."""
_REACH = 2
"""Pixels of the grey copy by which parts of the picture may have moved: 8 pixels of 640 x 480."""
_SMOOTHED = 3
"""Side in pixels of the grey copy over which pictures are averaged before they are compared."""
_MIN_DIFFERENCE = 8.0
"""Root of a block's mean square difference, in grey levels, from which it may have changed. In eight
recordings of people who sat still it was 4 to 10 in the block that differed most, a second apart; when a
hand with a phone came into the picture, 80 and more."""
_TIMES_NOISE = 3.2
"""The same as a multiple of the noise."""
_MAX_NOISE = 5.0
"""Largest noise, in grey levels, that is allowed for: more is movement of the whole picture."""
_QUIET_SHARE = 0.25
"""Share of a picture's blocks that hardly change, of which the most changed has the noise alone."""
_ABOVE, _BELOW, _BESIDE = 0.3, 0.1, 0.15
"""How far a face reaches beyond its landmarks, in shares of their box: hair, chin, ears."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A picture to compare later ones with."""

    time: float
    """Media time in seconds."""
    luma: Luma
    faces: Blocks
    """``True`` in the blocks of faces."""

    def changed(self, later: Scene) -> Blocks:
        """The blocks, outside the faces of both pictures, that have changed; all, if sizes differ."""
        if later.luma.shape != self.luma.shape:
            return np.ones_like(later.faces)
        return _changed_blocks(self.luma, later.luma, ~(self.faces | later.faces))


def scene_of(frame: Frame, faces: Sequence[Box]) -> Scene:
    """The scene of a frame and the landmarks' boxes of its faces. Does not decode it."""
    rows, columns = frame.luma.shape[0] // BLOCK, frame.luma.shape[1] // BLOCK
    blocks = np.zeros((rows, columns), np.bool_)
    scale = frame.luma_scale / BLOCK
    for box in faces:
        top, bottom = box.top - _ABOVE * box.height, box.bottom + _BELOW * box.height
        left, right = box.left - _BESIDE * box.width, box.right + _BESIDE * box.width
        blocks[
            max(0, int(top * scale)) : max(0, int(bottom * scale) + 1),
            max(0, int(left * scale)) : max(0, int(right * scale) + 1),
        ] = True
    return Scene(frame.time, frame.luma, blocks)


def _changed_blocks(before: Luma, now: Luma, considered: Blocks) -> Blocks:
    """Which of the blocks differ from every part of the earlier picture near the same place."""
    rows, columns = considered.shape
    if not considered.any():
        return considered
    height, width = rows * BLOCK, columns * BLOCK
    earlier = _smooth(before[:height, :width])
    later = _smooth(now[:height, :width])
    earlier += np.median((later - earlier)[::2, ::2])  # the light as a whole
    difference = _block_means(later - earlier)
    quiet = float(np.quantile(difference, _QUIET_SHARE))
    noise = min(_MAX_NOISE, quiet**0.5)
    limit = max(_MIN_DIFFERENCE, _TIMES_NOISE * noise) ** 2
    changed: Blocks = considered & (difference >= limit)
    around = cv2.copyMakeBorder(
        earlier, _REACH, _REACH, _REACH, _REACH, borderType=cv2.BORDER_REPLICATE
    )
    for down in range(2 * _REACH + 1):
        for across in range(2 * _REACH + 1):
            if not changed.any():
                return changed
            moved = around[down : down + height, across : across + width]
            changed &= _block_means(later - moved) >= limit
    return changed


def _smooth(luma: Luma) -> NDArray[np.float32]:
    """Without the detail that changes when something moves by a part of a pixel."""
    return np.asarray(cv2.blur(luma.astype(np.float32), (_SMOOTHED, _SMOOTHED)), np.float32)


def _block_means(change: NDArray[np.float32]) -> NDArray[np.float32]:
    size = (change.shape[1] // BLOCK, change.shape[0] // BLOCK)
    return np.asarray(cv2.resize(change * change, size, interpolation=cv2.INTER_AREA), np.float32)
