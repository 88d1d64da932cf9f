"""Faces are looked for in the kept pictures themselves; the candidate's stays the candidate's."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import simplejpeg
from tests.session.evidence.people import BYSTANDER, CANDIDATE, encode, two_people
from tests.session.evidence.test_bystanders import is_hidden, is_untouched, look
from tests.session.evidence.test_encoding import opened
from tests.vision.test_tiled_detection import crowd

from proctoring.observations import Box
from proctoring.session.evidence.bystanders import hide_bystanders
from proctoring.session.evidence.encoding import encode_clip, encode_still
from proctoring.session.evidence.face_search import TILING_PERIOD, search_faces
from proctoring.session.evidence.media_buffer import EncodedFrame, MediaSegment
from proctoring.vision.frame import Pixels
from proctoring.vision.networks import VisionModels
from proctoring.vision.tiled_detection import detect_faces_in_tiles

MAX_PIXELS = 10_000_000


def both(pixels: Pixels, cuts: int) -> tuple[Box, ...]:
    return (CANDIDATE, BYSTANDER)


def test_a_bystander_whom_the_session_did_not_follow_is_hidden() -> None:
    picture = two_people()
    looks = search_faces([(5.0, picture)], [look(5.0)], both, tiles=1)
    kept = hide_bystanders(picture, 5.0, looks)
    assert is_hidden(picture, kept, BYSTANDER)
    assert is_untouched(picture, kept, CANDIDATE)


def test_the_candidate_is_known_by_where_the_session_saw_him_shortly_before() -> None:
    picture = two_people()
    seen = [look(4.2), look(5.0, candidate=None)]
    found = search_faces([(5.0, picture)], seen, both, tiles=1)
    assert [each.bystanders for each in found] == [(), (), (BYSTANDER,)]


def test_without_a_candidate_every_face_is_a_bystanders() -> None:
    picture = two_people()
    kept = hide_bystanders(picture, 5.0, search_faces([(5.0, picture)], [], both, tiles=1))
    assert is_hidden(picture, kept, CANDIDATE)
    assert is_hidden(picture, kept, BYSTANDER)


def test_a_picture_that_the_session_never_looked_at_is_hidden_whole_whatever_is_found_in_it() -> (
    None
):
    picture = two_people()
    kept = hide_bystanders(picture, 5.0, search_faces([(5.0, picture)], [], lambda *_: (), tiles=1))
    assert is_hidden(picture, kept, BYSTANDER)
    assert is_hidden(picture, kept, CANDIDATE)


def test_a_clip_is_looked_at_in_parts_now_and_then_and_whole_in_between() -> None:
    asked: list[int] = []

    def find(pixels: Pixels, cuts: int) -> tuple[Box, ...]:
        asked.append(cuts)
        return ()

    pictures = [(n / 10, np.zeros((4, 4, 3), np.uint8)) for n in range(11)]
    search_faces(pictures, [], find, tiles=2)
    assert asked == [2, 1, 1, 1, 1, 2, 1, 1, 1, 1, 2]
    assert TILING_PERIOD == 0.5


def test_who_comes_later_in_a_clip_is_hidden_a_second_before() -> None:
    picture = two_people()
    times = [3.0, 3.5, 4.0, 4.5, 5.0]

    def find(pixels: Pixels, cuts: int) -> tuple[Box, ...]:
        calls.append(0)
        return (BYSTANDER,) if len(calls) >= 4 else ()

    calls: list[int] = []
    pictures = tuple(EncodedFrame(time, encode(picture)) for time in times)
    segment = MediaSegment(pictures, (), tuple(look(time) for time in times))
    encoded = encode_clip(segment, blur=True, max_pixels=MAX_PIXELS, find=find)
    shown = opened(encoded.data)[1]
    whole = encode_clip(segment, blur=True, max_pixels=MAX_PIXELS)
    plain = opened(whole.data)[1]
    hidden = [is_hidden(b, a, BYSTANDER) for b, a in zip(plain, shown, strict=True)]
    assert hidden == [False, True, True, True, True]
    assert calls == [0] * 5


def test_in_a_crowd_the_real_detector_leaves_the_candidate_alone_to_be_seen(
    vision_models: VisionModels,
) -> None:
    """Twenty-four faces, of which one is the candidate's."""
    if vision_models.faces is None:
        pytest.skip("no face networks: " + "; ".join(c.reason for c in vision_models.capabilities))
    find = partial(detect_faces_in_tiles, vision_models.faces.detector)
    picture = crowd(6, 4)
    places = {
        (x, y): Box(
            (x + CANDIDATE.left * 2) / 6, (y + CANDIDATE.top) / 4,
            (x + CANDIDATE.right * 2) / 6, (y + CANDIDATE.bottom) / 4,
        )
        for x in range(6)
        for y in range(4)
    }  # fmt: skip
    data = encode(picture)
    segment = MediaSegment((EncodedFrame(3.0, data),), (), (look(3.0, candidate=places[2, 1]),))
    encoded = encode_still(segment, blur=True, max_pixels=MAX_PIXELS, find=find)
    before, after = simplejpeg.decode_jpeg(data), simplejpeg.decode_jpeg(encoded.data)
    shown = {at for at, place in places.items() if not is_hidden(before, after, place)}
    assert shown == {(2, 1)}
