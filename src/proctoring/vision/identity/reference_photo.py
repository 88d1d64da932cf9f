"""Embeds the face in a reference photo of the candidate."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from proctoring.errors import BadFrameError, BadPhotoError, ModelUnavailableError
from proctoring.vision.decode import decode_jpeg
from proctoring.vision.face_tracking import FaceTracker, TrackedFace
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.identity.quality import rejection_reason
from proctoring.vision.identity.reference import FaceReference, reference_from
from proctoring.vision.networks import FaceNetworks, VisionModels

MAX_BYTES = 4 << 20
MAX_PIXELS = 24_000_000
"""Larger photos are rejected before they are decoded (to 72 MB)."""
MAX_SECONDS = 2.0
"""Processor time in which a photo of several scans must be decoded; phones and messengers send such."""
MAX_PNG_CHUNKS = 4096
"""Chunks of a PNG. Encoders write some per kilobyte of ``MAX_BYTES`` at most."""
_LONGER_SIDE = 2000
"""Larger photos are shrunk to this many pixels: faces in them are large enough."""
_MARGIN = 0.5
"""Where no face is found, a grey margin of this share of the longer side is added: the detector misses
faces that fill the picture."""
_PNG = b"\x89PNG\r\n\x1a\n"


def embed_photo(models: VisionModels, data: bytes) -> FaceReference:
    """Embed the only face in a JPEG or PNG. Takes 0.2 s: not to be called in an event loop.

    Raises:
        BadPhotoError: not a picture, too large, without a face, with several faces, or with one that is
            too small, blurred, dark or turned away; its detail says which.
        ModelUnavailableError: identity is not verified on this machine.
    """
    if models.faces is None or models.identity is None:
        raise ModelUnavailableError("a reference photo is of no use: identity is off, see health")
    pixels = _shrunk(_decoded(data))
    face = _only_face(models.faces, pixels)
    reason = rejection_reason(face.pixels, face.found.mesh)
    if reason:
        raise BadPhotoError(f"reference photo: {reason}")
    # The mirrored face is a second sample.
    aligned = models.identity.aligned(face.pixels, face.found.mesh)
    return reference_from(models.identity, (aligned, np.ascontiguousarray(aligned[:, ::-1])))


def _decoded(data: bytes) -> Pixels:
    if len(data) > MAX_BYTES:
        raise BadPhotoError(f"reference photo: larger than {MAX_BYTES >> 20} MiB")
    try:
        if data.startswith(_PNG):
            return _decoded_png(data)
        return decode_jpeg(data, max_pixels=MAX_PIXELS, max_seconds=MAX_SECONDS)
    except BadFrameError as error:
        wrong = "neither JPEG nor PNG" if error.detail.startswith("not a JPEG") else error.detail
        raise BadPhotoError(f"reference photo: {wrong}") from error


def _decoded_png(data: bytes) -> Pixels:
    _check_chunks(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
                width, height = picture.size
                if width * height > MAX_PIXELS or min(width, height) < 1:
                    raise BadFrameError(f"picture too large: {width} x {height}")
                return np.asarray(picture.convert("RGB"), np.uint8)
    except (OSError, SyntaxError, ValueError, IndexError, Image.DecompressionBombError) as error:
        raise BadFrameError("PNG damaged or cut short") from error


def _check_chunks(data: bytes) -> None:
    """Refuse a PNG of very many chunks, each of which its reader handles in Python.

    Raises:
        BadFrameError: more than ``MAX_PNG_CHUNKS``.
    """
    at = len(_PNG)
    for _ in range(MAX_PNG_CHUNKS):
        if at >= len(data):
            return
        at += 12 + int.from_bytes(data[at : at + 4], "big")  # length, type, checksum; data
    raise BadFrameError(f"PNG has more than {MAX_PNG_CHUNKS} chunks")


def _shrunk(pixels: Pixels) -> Pixels:
    share = _LONGER_SIDE / max(pixels.shape[:2])
    if share >= 1:
        return pixels
    return np.asarray(
        cv2.resize(pixels, None, fx=share, fy=share, interpolation=cv2.INTER_AREA), np.uint8
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Face:
    """A face, and the picture in whose pixels its landmarks are."""

    pixels: Pixels
    found: TrackedFace


def _only_face(networks: FaceNetworks, pixels: Pixels) -> _Face:
    found = _faces(networks, pixels)
    if not found:
        margin = int(_MARGIN * max(pixels.shape[:2]))
        pixels = np.asarray(
            cv2.copyMakeBorder(
                pixels, *(margin,) * 4, borderType=cv2.BORDER_CONSTANT, value=(127, 127, 127)
            ),
            np.uint8,
        )
        found = _faces(networks, pixels)
    if not found:
        raise BadPhotoError("reference photo: no face in it")
    if len(found) > 1:
        raise BadPhotoError(f"reference photo: {len(found)} faces in it; whose is the candidate's?")
    return _Face(pixels, found[0])


def _faces(networks: FaceNetworks, pixels: Pixels) -> tuple[TrackedFace, ...]:
    return FaceTracker(networks.detector, networks.landmarker).update(Frame(0.0, pixels))
