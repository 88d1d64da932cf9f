"""What evidence costs: memory of a session's ring, CPU of a still and of a clip.

Run: ``uv run python -m benchmarks.evidence``

A real face that moves, 640 x 480, JPEG of about 50 KB, 10 pictures a second, with sound; CPU time of
the thread's process, so that other programs' load counts little.
"""

from __future__ import annotations

import math
import time
from functools import partial

import numpy as np
import simplejpeg
from tests.recording.clips import face

from proctoring.audio.pcm import SAMPLE_RATE
from proctoring.models.store import ModelStore
from proctoring.observations import Box
from proctoring.session.evidence.bystanders import Look
from proctoring.session.evidence.media import make_clip, make_still
from proctoring.session.evidence.ring import MediaRing, Stretch
from proctoring.settings import Settings
from proctoring.vision.networks import load_vision_models
from proctoring.vision.tiled_detection import detect_faces_in_tiles

BEFORE, AFTER = 5.0, 5.0
MAX_PIXELS = 3840 * 2160


def filled(seconds: float, ring_seconds: float) -> MediaRing:
    """A ring after so many seconds of a session."""
    ring = MediaRing(ring_seconds, 16 << 20)
    noise = np.random.default_rng(0)
    shown = (Box(0.1, 0.2, 0.2, 0.4),)
    for n in range(round(seconds * 10)):
        picture = face(40 * math.sin(n / 15)).astype(np.int16)
        picture += noise.integers(-6, 7, picture.shape, np.int16)
        pixels = np.ascontiguousarray(np.clip(picture, 0, 255).astype(np.uint8))
        ring.picture(n / 10, bytes(simplejpeg.encode_jpeg(pixels, quality=85)))
        ring.sound(n / 10, np.zeros(SAMPLE_RATE // 10, np.int16))
        ring.look(Look(n / 10, Box(0.4, 0.2, 0.6, 0.5), shown, ()))
    return ring


def main() -> None:
    ring = filled(30, BEFORE + 12 + AFTER + 2.4)
    held = ring.between(0, 60)
    print(
        f"ring: {len(held.pictures)} pictures of {len(held.pictures[0].data) / 1000:.0f} KB and "
        f"{sum(len(s.samples) for s in held.sounds) / SAMPLE_RATE:.0f} s of sound: "
        f"{ring.size / 1e6:.1f} MB a session"
    )
    stretch = ring.between(13, 25, looks_around=1.2)
    still = Stretch(stretch.pictures[:1], (), stretch.looks)
    settings = Settings()
    store = ModelStore(settings.models_folder, settings.models_mirror)
    faces = load_vision_models(store, object_model=settings.object_model).faces
    assert faces is not None
    find = partial(detect_faces_in_tiles, faces.detector)
    find(face(0), 3)  # what is set up on first use
    for blur in (False, True):
        cpu = time.process_time()
        made = make_still(still, blur=blur, max_pixels=MAX_PIXELS, find=find)
        print(
            f"still, blur {blur!s:5}: {(time.process_time() - cpu) * 1000:6.1f} ms of CPU, "
            f"{len(made.data) / 1000:.0f} KB"
        )
        cpu = time.process_time()
        made = make_clip(stretch, blur=blur, max_pixels=MAX_PIXELS, find=find)
        print(
            f"clip of {made.end - made.start:.1f} s, blur {blur!s:5}: "
            f"{time.process_time() - cpu:6.2f} s of CPU, {len(made.data) / 1000:.0f} KB"
        )


if __name__ == "__main__":
    main()
