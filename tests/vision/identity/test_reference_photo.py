"""Reference photos, good and bad, by the real networks."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
import simplejpeg
from benchmarks.bombs import many_chunks, many_scans
from PIL import Image
from tests.processor_time import processor_seconds

from proctoring.errors import BadPhotoError, ModelUnavailableError
from proctoring.vision.frame import Pixels
from proctoring.vision.identity.embedding import distance
from proctoring.vision.identity.reference_photo import MAX_BYTES, embed_photo
from proctoring.vision.networks import VisionModels

from ..conftest import photograph
from ..moving import reshaped


@pytest.fixture(autouse=True)
def _weights(vision_models: VisionModels) -> None:
    if vision_models.identity is None:
        pytest.skip("the weights of the face embedding cannot be had")


def jpeg(pixels: Pixels) -> bytes:
    return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), quality=90))


def png(pixels: Pixels, mode: str = "RGB") -> bytes:
    data = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(data, "PNG")
    return data.getvalue()


def test_jpeg_and_png_of_one_person_are_near_and_of_another_far(
    vision_models: VisionModels, astronaut: Pixels
) -> None:
    first = embed_photo(vision_models, jpeg(astronaut)).whole
    assert distance(first, embed_photo(vision_models, png(astronaut, "RGBA")).whole) < 0.1
    assert distance(first, embed_photo(vision_models, png(astronaut, "P")).whole) < 0.2
    other = reshaped(astronaut, (290.0, 145.0), reach=48.0)
    assert distance(first, embed_photo(vision_models, jpeg(other)).whole) > 0.42


def test_a_face_that_fills_the_photo_is_found(
    vision_models: VisionModels, astronaut: Pixels
) -> None:
    close = cv2.resize(astronaut[85:210, 235:345], None, fx=4, fy=4)
    near = embed_photo(vision_models, jpeg(np.asarray(close, np.uint8))).whole
    assert distance(near, embed_photo(vision_models, jpeg(astronaut)).whole) < 0.3


def two(astronaut: Pixels) -> Pixels:
    return np.concatenate([astronaut, astronaut], axis=1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda _: photograph("coffee"), "no face in it"),
        (two, "2 faces in it"),
        (lambda p: cv2.resize(p, None, fx=0.5, fy=0.5), "face smaller than 60 pixels"),
        (lambda p: cv2.GaussianBlur(p, (0, 0), 4), "face blurred"),
        (lambda p: np.asarray(p * 0.12, np.uint8), "face too dark"),
    ],
)
def test_each_bad_photo_has_its_own_reason(
    vision_models: VisionModels, astronaut: Pixels, change: object, reason: str
) -> None:
    with pytest.raises(BadPhotoError, match=reason):
        embed_photo(vision_models, jpeg(change(astronaut)))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "neither JPEG nor PNG"),
        (b"GIF89a....", "neither JPEG nor PNG"),
        (b"\xff\xd8\xff\xe0 no more", "not a JPEG|neither|header"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "PNG damaged"),
        (bytes(MAX_BYTES + 1), "larger than 4 MiB"),
        (png(np.zeros((5000, 5000, 3), np.uint8)), "picture too large: 5000 x 5000"),
    ],
)
def test_an_unusable_picture_is_rejected_before_detection(
    vision_models: VisionModels, data: bytes, reason: str
) -> None:
    with pytest.raises(BadPhotoError, match=reason):
        embed_photo(vision_models, data)


def test_a_photo_is_refused_by_name_where_faces_are_not_compared(astronaut: Pixels) -> None:
    blind = VisionModels(faces=None, objects=None, capabilities=())
    with pytest.raises(ModelUnavailableError, match="identity is off"):
        embed_photo(blind, jpeg(astronaut))


def test_pictures_that_only_cost_time_are_refused_at_once(vision_models: VisionModels) -> None:
    for data, why in ((many_scans(4000, 4000, 2000), "scans"), (many_chunks(200_000), "chunks")):

        def refuse(data: bytes = data, why: str = why) -> None:
            with pytest.raises(BadPhotoError, match=f"reference photo: .* more than .* {why}"):
                embed_photo(vision_models, data)

        assert processor_seconds(refuse) < 0.05
