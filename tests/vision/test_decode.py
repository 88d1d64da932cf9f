"""JPEGs from outside: decoded upright, or rejected with a reason."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from proctoring.errors import BadFrameError
from proctoring.vision.decode import MAX_PIXELS, decode_jpeg, read_jpeg
from proctoring.vision.frame import Pixels, luma_of


def jpeg(picture: Image.Image, orientation: int | None = None, **options: Any) -> bytes:
    data = io.BytesIO()
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    picture.save(data, "JPEG", quality=95, exif=exif, **options)
    return data.getvalue()


def with_size(data: bytes, width: int, height: int) -> bytes:
    """The same JPEG with another size in its header."""
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + data[at + 4 :]


@pytest.fixture
def picture(astronaut: Pixels) -> Image.Image:
    return Image.fromarray(astronaut).crop((200, 60, 420, 220))


def assert_alike(pixels: Pixels, expected: Image.Image, tolerance: float = 4.0) -> None:
    assert pixels.shape == (expected.height, expected.width, 3)
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    assert np.abs(pixels.astype(float) - np.asarray(expected, float)).mean() < tolerance


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_a_colour_jpeg_is_decoded_to_rgb(picture: Image.Image, options: dict[str, Any]) -> None:
    assert_alike(decode_jpeg(jpeg(picture, **options)), picture)


def test_a_grey_jpeg_becomes_rgb(picture: Image.Image) -> None:
    grey = picture.convert("L")
    assert_alike(decode_jpeg(jpeg(grey)), grey.convert("RGB"))


def test_a_cmyk_jpeg_becomes_rgb(picture: Image.Image) -> None:
    assert_alike(decode_jpeg(jpeg(picture.convert("CMYK"))), picture)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(picture: Image.Image, orientation: int) -> None:
    data = jpeg(picture, orientation)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    assert_alike(decode_jpeg(data), upright, tolerance=1.0)


def test_damaged_exif_does_not_cost_the_picture(picture: Image.Image) -> None:
    data = jpeg(picture, 6)
    at = data.index(b"Exif\0\0") + 6
    assert_alike(decode_jpeg(data[:at] + b"\xaa" * 8 + data[at + 8 :]), picture)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a JPEG: begins with nothing"),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "not a JPEG: begins with 89 50"),
        (b"\xff\xd8", "not a JPEG: the header cannot be read"),
        (b"\xff\xd8" + bytes(1000), "not a JPEG: the header cannot be read"),
    ],
)
def test_what_is_no_jpeg_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(BadFrameError) as refused:
        decode_jpeg(data)
    assert reason in refused.value.detail


@pytest.mark.parametrize("start", [b"", b"\xff\xd8", b"\xff\xd8\xff\xe0", b"\xff\xd8\xff"])
def test_five_megabytes_of_noise_are_refused(start: bytes) -> None:
    noise = np.random.default_rng(3).integers(0, 256, 5_000_000, np.uint8).tobytes()
    with pytest.raises(BadFrameError, match="not a JPEG"):
        decode_jpeg(start + noise)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.9])
def test_a_truncated_jpeg_is_refused(picture: Image.Image, share: float) -> None:
    data = jpeg(picture)
    with pytest.raises(BadFrameError, match=r"cut short|header cannot be read"):
        decode_jpeg(data[: int(len(data) * share)])


def test_a_truncated_cmyk_jpeg_is_refused(picture: Image.Image) -> None:
    data = jpeg(picture.convert("CMYK"))
    with pytest.raises(BadFrameError, match="cut short"):
        decode_jpeg(data[: len(data) // 2])


@pytest.mark.parametrize("size", [(30_000, 30_000), (65_500, 200), (4000, 3000)])
def test_a_header_that_asks_for_too_much_is_refused_before_decoding(
    picture: Image.Image, size: tuple[int, int]
) -> None:
    with pytest.raises(BadFrameError, match=f"too large.*{size[0]} x {size[1]}"):
        decode_jpeg(with_size(jpeg(picture), *size))


def test_the_largest_size_is_the_callers_to_choose(picture: Image.Image) -> None:
    with pytest.raises(BadFrameError, match="too large: 220 x 160"):
        decode_jpeg(jpeg(picture), max_pixels=220 * 160 - 1)
    assert MAX_PIXELS >= 1920 * 1080


@pytest.mark.parametrize("size", [(1, 1), (640, 8)])
def test_a_picture_in_which_nothing_can_be_seen_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(BadFrameError, match=f"too small: {size[0]} x {size[1]}"):
        decode_jpeg(jpeg(Image.new("RGB", size, (90, 90, 90))))


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"subsampling": 0}, {"orientation": 6}]
)
def test_the_small_grey_copy_is_that_of_the_pixels(
    astronaut: Pixels, options: dict[str, Any]
) -> None:
    picture = Image.fromarray(astronaut).resize((640, 480))
    opened = read_jpeg(jpeg(picture, **options))
    pixels = opened.decode()
    assert (opened.width, opened.height) == (pixels.shape[1], pixels.shape[0])
    expected = luma_of(pixels)
    assert opened.luma.shape == expected.shape == (120, 160) if opened.width == 640 else (160, 120)
    assert np.abs(opened.luma.astype(int) - expected).max() <= 12
    assert np.abs(opened.luma.astype(int) - expected).mean() < 1


def test_a_grey_copy_of_a_jpeg_that_is_cut_short_is_refused(picture: Image.Image) -> None:
    data = jpeg(picture)
    opened = read_jpeg(data[: len(data) // 2])
    with pytest.raises(BadFrameError, match="cut short"):
        opened.luma  # noqa: B018


@pytest.mark.parametrize("size", [(32, 32), (100, 80), (320, 240), (643, 481), (1920, 1080)])
def test_the_small_grey_copy_has_the_same_size_however_it_is_made(
    astronaut: Pixels, size: tuple[int, int]
) -> None:
    opened = read_jpeg(jpeg(Image.fromarray(astronaut).resize(size)))
    assert opened.luma.shape == luma_of(opened.decode()).shape
