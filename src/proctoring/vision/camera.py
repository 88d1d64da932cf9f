"""What the camera gives, whoever is before it: light, structure and fine detail of the picture.

Three numbers tell a covered lens from a dark room, a bright one and a picture out of focus. On 52
pictures of the labelled recordings, every other clip: structure 9.7 to 28 (5.7 and more at gamma
5), below .6 when the picture is blurred over an eighth of its width, as by a hand or tape on the
lens; fine detail 2.5 to 9.3 (1.45 and more at gamma 5), below .9 when out of focus by an
eightieth of the width.
"""

from __future__ import annotations

import cv2
import numpy as np

from proctoring.observations import ImageQuality
from proctoring.vision.frame import Pixels

_SMALL = (80, 60)
_MIDDLE = (320, 240)
_SLOPE = 4.0
"""Standard deviation, in pixels of 80 x 60, above which brightness is a slope and no structure."""
_BURNT = 250


def measure_camera(pixels: Pixels) -> ImageQuality:
    """Measure one picture, (height, width, 3) RGB. About half a millisecond at 640 x 480."""
    middle = cv2.resize(pixels, _MIDDLE, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(middle, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, _SMALL, interpolation=cv2.INTER_AREA).astype(np.float32)
    slope = cv2.GaussianBlur(small, (0, 0), _SLOPE)
    # Slightly smoothed: sensor noise is no detail.
    smooth = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 1.0)
    return ImageQuality(
        brightness=float(small.mean()),
        overexposed=float((small >= _BURNT).mean()),
        structure=float((small - slope).std()),
        detail=float(cv2.Laplacian(smooth, cv2.CV_32F).std()),
    )
