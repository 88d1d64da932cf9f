from __future__ import annotations

import io

import av
import numpy as np
import pytest
import simplejpeg
from numpy.typing import NDArray
from tests.session.evidence.people import BYSTANDER, CANDIDATE, encode, part, two_people
from tests.session.evidence.test_bystanders import is_hidden, look

from proctoring.audio.pcm import SAMPLE_RATE
from proctoring.errors import BadFrameError
from proctoring.session.evidence.encoding import encode_clip, encode_still
from proctoring.session.evidence.media_buffer import AudioChunk, EncodedFrame, MediaSegment
from proctoring.vision.frame import Pixels

MAX_PIXELS = 10_000_000
TIMES = [3.0, 3.1, 3.25, 3.3, 4.0, 4.1]


def shade(level: int, width: int = 96, height: int = 64) -> bytes:
    return encode(np.full((height, width, 3), level, np.uint8))


def opened(data: bytes) -> tuple[list[float], list[Pixels]]:
    """Times from the first and pictures of a clip."""
    with av.open(io.BytesIO(data), "r") as container:
        frames = list(container.decode(video=0))
    return [float(f.time or 0.0) for f in frames], [
        np.asarray(f.to_ndarray(format="rgb24"), np.uint8) for f in frames
    ]


def heard(data: bytes) -> NDArray[np.float32]:
    with av.open(io.BytesIO(data), "r") as container:
        return np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])


def test_an_unblurred_still_is_the_very_bytes_that_came() -> None:
    data = encode(two_people())
    encoded = encode_still(
        MediaSegment((EncodedFrame(3.5, data),), (), ()), blur=False, max_pixels=MAX_PIXELS
    )
    assert encoded.data is data
    assert (encoded.kind, encoded.media_type, encoded.start, encoded.end) == (
        "still",
        "image/jpeg",
        3.5,
        3.5,
    )
    assert not encoded.blurred


def test_a_blurred_still_hides_bystanders() -> None:
    data = encode(two_people())
    segment = MediaSegment((EncodedFrame(3.5, data),), (), (look(3.5, bystanders=[BYSTANDER]),))
    encoded = encode_still(segment, blur=True, max_pixels=MAX_PIXELS)
    before, after = simplejpeg.decode_jpeg(data), simplejpeg.decode_jpeg(encoded.data)
    assert encoded.blurred
    assert is_hidden(before, after, BYSTANDER)
    assert not is_hidden(before, after, CANDIDATE)


@pytest.mark.parametrize("pictures", [(), (EncodedFrame(1.0, b"no picture"),)])
def test_without_a_picture_there_is_no_evidence(pictures: tuple[EncodedFrame, ...]) -> None:
    for encode_evidence in (encode_still, encode_clip):
        with pytest.raises(BadFrameError):
            encode_evidence(MediaSegment(pictures, (), ()), blur=False, max_pixels=MAX_PIXELS)


def test_a_clip_shows_each_picture_at_its_own_time() -> None:
    pictures = tuple(EncodedFrame(time, shade(30 * n)) for n, time in enumerate(TIMES))
    encoded = encode_clip(MediaSegment(pictures, (), ()), blur=False, max_pixels=MAX_PIXELS)
    assert (encoded.start, encoded.end) == (3.0, 4.1)
    times, shown = opened(encoded.data)
    assert times == pytest.approx([time - 3.0 for time in TIMES], abs=0.001)
    assert [float(picture.mean()) for picture in shown] == pytest.approx(
        [30 * n for n in range(len(TIMES))], abs=4
    )


def test_a_clip_hides_bystanders_in_every_picture() -> None:
    pictures = tuple(EncodedFrame(time, encode(two_people())) for time in TIMES)
    looks = tuple(look(time, bystanders=[BYSTANDER] if time == 3.25 else []) for time in TIMES)
    encoded = encode_clip(MediaSegment(pictures, (), looks), blur=True, max_pixels=MAX_PIXELS)
    for shown in opened(encoded.data)[1]:
        assert part(shown, CANDIDATE).std() > 20
        assert is_hidden(two_people(), shown, BYSTANDER)


def test_a_clip_has_the_sound_where_it_belongs_and_silence_elsewhere() -> None:
    """Half a second of a tone, from 0.5 s after the first picture on; it began before the clip."""
    tone = (12_000 * np.sin(np.arange(SAMPLE_RATE // 2) * 0.3)).astype(np.int16)
    early = np.zeros(SAMPLE_RATE, np.int16)
    pictures = tuple(EncodedFrame(3.0 + n / 10, shade(100)) for n in range(21))
    sounds = (AudioChunk(2.5, early), AudioChunk(3.5, tone), AudioChunk(4.8, tone))
    encoded = encode_clip(MediaSegment(pictures, sounds, ()), blur=False, max_pixels=MAX_PIXELS)
    samples = heard(encoded.data)
    loud = [
        float(np.sqrt(np.mean(samples[round(at * SAMPLE_RATE) :][:1600] ** 2)))
        for at in (0.2, 0.7, 1.3, 1.85)
    ]
    assert [level > 0.1 for level in loud] == [False, True, False, True]
    assert len(samples) / SAMPLE_RATE == pytest.approx(2.0, abs=0.1)


def test_what_is_no_picture_costs_a_clip_that_picture_alone() -> None:
    pictures = (
        EncodedFrame(1.0, b"\xff\xd8 no"),
        EncodedFrame(1.1, shade(50)),
        EncodedFrame(1.2, shade(60)),
    )
    encoded = encode_clip(MediaSegment(pictures, (), ()), blur=False, max_pixels=MAX_PIXELS)
    assert (encoded.start, encoded.end) == (1.1, 1.2)
    assert len(opened(encoded.data)[0]) == 2


def test_pictures_that_change_their_size_are_all_shown_whole() -> None:
    sizes = [(97, 65), (640, 480), (64, 200), (2000, 1000)]
    pictures = tuple(EncodedFrame(n / 10, shade(200, *size)) for n, size in enumerate(sizes))
    encoded = encode_clip(MediaSegment(pictures, (), ()), blur=False, max_pixels=MAX_PIXELS)
    _, shown = opened(encoded.data)
    assert {picture.shape for picture in shown} == {(64, 96, 3)}
    assert all(picture[32, 48].mean() == pytest.approx(200, abs=4) for picture in shown)


def test_large_pictures_are_made_smaller() -> None:
    encoded = encode_clip(
        MediaSegment((EncodedFrame(0.0, shade(9, 1921, 1081)),), (), ()),
        blur=False,
        max_pixels=MAX_PIXELS,
    )
    assert opened(encoded.data)[1][0].shape == (540, 960, 3)
