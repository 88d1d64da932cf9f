"""Whether the light and the colours of a picture allow the liveness networks to score a face.

The networks learned from coloured pictures in ordinary light. In a picture without colour the first of
them gives living people .01 to .02, in an overexposed face the second opinion does: such scores say
something of the light, not of the person (docs/accuracy.md).
"""

from __future__ import annotations

from proctoring.observations import Box
from proctoring.vision.frame import Pixels

MIN_HIGHLIGHT = 25.0
"""Brightness (0 to 255) that the brightest tenth of the face must reach."""
MAX_OVEREXPOSED = 0.4
"""Share of the face that may be overexposed in at least one colour. Living people as recorded measured
at most .08, printed photos .24 (97 of 100), faces at gain 1.9 .9 and more."""
_OVEREXPOSED = 250
"""Level (0 to 255) of the strongest colour from which a pixel counts as overexposed."""
MIN_COLOUR = 2.0
"""Mean difference between the strongest and the weakest colour of a picture, in levels, below which it
has none. A camera that sends one channel gives 0; printed photos in grey, seen by a colour camera, 3 and
more."""
_MARGIN = 1 / 6
"""Share of the face's box at each edge that is left out: hair and background."""
_STEP = 4
"""Every fourth pixel of the face in each direction is enough."""
_PICTURE_STEP = 8
"""Likewise of the whole picture."""


def why_not_scored(pixels: Pixels, box: Box) -> str:
    """Why the networks must not score this face in this picture; empty: they may."""
    height, width = pixels.shape[:2]
    across, down = _MARGIN * box.width, _MARGIN * box.height
    face = pixels[
        max(0, int(box.top + down)) : min(height, int(box.bottom - down)) : _STEP,
        max(0, int(box.left + across)) : min(width, int(box.right - across)) : _STEP,
    ]
    if face.size == 0:
        return "face outside the picture"
    if float((face.max(axis=2) >= _OVEREXPOSED).mean()) > MAX_OVEREXPOSED:
        return "face too bright"
    sample = pixels[::_PICTURE_STEP, ::_PICTURE_STEP]
    if float((sample.max(axis=2) - sample.min(axis=2)).mean()) < MIN_COLOUR:
        return "picture without colour"
    return ""
