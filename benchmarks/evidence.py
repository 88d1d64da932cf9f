"""Cost of evidence: memory of a session's buffer, CPU of a still and of a clip.

Run: ``uv run python -m benchmarks.evidence``

A real face that moves, 640 x 480, JPEG of about 50 KB, 10 frames a second, with audio; CPU time
of the process, so that the load of other programs counts little.
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
from proctoring.session.evidence.bystanders import PeopleInFrame
from proctoring.session.evidence.encoding import encode_clip, encode_still
from proctoring.session.evidence.media_buffer import MediaBuffer, MediaSegment
from proctoring.settings import Settings
from proctoring.vision.networks import load_vision_models
from proctoring.vision.tiled_detection import detect_faces_in_tiles

BEFORE, AFTER = 5.0, 5.0
MAX_PIXELS = 3840 * 2160


def filled(seconds: float, buffer_seconds: float) -> MediaBuffer:
    """A buffer after so many seconds of a session."""
    buffer = MediaBuffer(buffer_seconds, 16 << 20)
    noise = np.random.default_rng(0)
    shown = (Box(0.1, 0.2, 0.2, 0.4),)
    for n in range(round(seconds * 10)):
        picture = face(40 * math.sin(n / 15)).astype(np.int16)
        picture += noise.integers(-6, 7, picture.shape, np.int16)
        pixels = np.ascontiguousarray(np.clip(picture, 0, 255).astype(np.uint8))
        buffer.add_frame(n / 10, bytes(simplejpeg.encode_jpeg(pixels, quality=85)))
        buffer.add_audio(n / 10, np.zeros(SAMPLE_RATE // 10, np.int16))
        buffer.add_people(PeopleInFrame(n / 10, Box(0.4, 0.2, 0.6, 0.5), shown, ()))
    return buffer


def main() -> None:
    buffer = filled(30, BEFORE + 12 + AFTER + 2.4)
    held = buffer.between(0, 60)
    print(
        f"buffer: {len(held.frames)} frames of {len(held.frames[0].data) / 1000:.0f} KB and "
        f"{sum(len(chunk.samples) for chunk in held.audio) / SAMPLE_RATE:.0f} s of audio: "
        f"{buffer.size / 1e6:.1f} MB a session"
    )
    segment = buffer.between(13, 25, people_margin=1.2)
    still = MediaSegment(segment.frames[:1], (), segment.people)
    settings = Settings()
    store = ModelStore(settings.models_folder, settings.models_mirror)
    faces = load_vision_models(store, object_model=settings.object_model).faces
    assert faces is not None
    find = partial(detect_faces_in_tiles, faces.detector)
    find(face(0), 3)  # initialise what is set up on first use
    for blur in (False, True):
        cpu = time.process_time()
        encoded = encode_still(still, blur=blur, max_pixels=MAX_PIXELS, find=find)
        print(
            f"still, blur {blur!s:5}: {(time.process_time() - cpu) * 1000:6.1f} ms of CPU, "
            f"{len(encoded.data) / 1000:.0f} KB"
        )
        cpu = time.process_time()
        encoded = encode_clip(segment, blur=blur, max_pixels=MAX_PIXELS, find=find)
        print(
            f"clip of {encoded.end - encoded.start:.1f} s, blur {blur!s:5}: "
            f"{time.process_time() - cpu:6.2f} s of CPU, {len(encoded.data) / 1000:.0f} KB"
        )


if __name__ == "__main__":
    main()
