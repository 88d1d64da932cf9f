"""Runs every model once before the first session."""

from __future__ import annotations

import numpy as np
import simplejpeg

from proctoring.audio.analyser import AudioAnalyser
from proctoring.audio.pcm import SAMPLE_RATE
from proctoring.session.loaded_models import Models
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.decode import decode_jpeg
from proctoring.vision.frame import Frame


def warm_up(models: Models) -> None:
    """Analyse a grey frame and a second of silence: initialisation on first use takes 0.5 s."""
    grey = simplejpeg.encode_jpeg(np.full((480, 640, 3), 128, np.uint8))
    VisionAnalyser(models.vision).analyse(Frame(0.0, decode_jpeg(grey)))
    AudioAnalyser(models.audio).push(np.zeros(SAMPLE_RATE, np.int16))
