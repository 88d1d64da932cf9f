"""The first look, before anybody waits for it."""

from __future__ import annotations

import numpy as np
import simplejpeg

from proctoring.audio.analyser import AudioAnalyser
from proctoring.audio.pcm import SAMPLE_RATE
from proctoring.session.senses import Senses
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.decode import decode_jpeg
from proctoring.vision.frame import Frame


def warm_up(models: Senses) -> None:
    """Look at a grey picture and hear a second of silence, so that no session pays for what is set up on first use (0.5 s)."""
    grey = simplejpeg.encode_jpeg(np.full((480, 640, 3), 128, np.uint8))
    VisionAnalyser(models.vision).analyse(Frame(0.0, decode_jpeg(grey)))
    AudioAnalyser(models.audio).push(np.zeros(SAMPLE_RATE, np.int16))
