"""The first look, before anybody waits for it."""

from __future__ import annotations

import numpy as np
import simplejpeg

from proctoring.vision.analyser import VisionAnalyser, VisionModels
from proctoring.vision.decode import decode_jpeg
from proctoring.vision.frame import Frame


def warm_up(models: VisionModels) -> None:
    """Look at a grey picture, so that no session pays for what is set up on first use (0.5 s)."""
    grey = simplejpeg.encode_jpeg(np.full((480, 640, 3), 128, np.uint8))
    VisionAnalyser(models).analyse(Frame(0.0, decode_jpeg(grey)))
