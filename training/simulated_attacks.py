"""Simulated presentation attacks: an image of a face as a print or on a screen.

All functions work on RGB uint8 images and take one random generator, so a seed reproduces the images.
Points are (n, 2) in pixels and are transformed with the image.
"""

from __future__ import annotations

import cv2
import numpy as np

Picture = np.ndarray
Points = np.ndarray


def place(
    picture: Picture,
    points: Points,
    rng: np.random.Generator,
    background: Picture,
    *,
    bend: bool,
) -> tuple[Picture, Points]:
    """Place a sheet before a background: bent, turned in space, lit unevenly.

    The sheet keeps about its own size in pixels; the result has the background's size.
    """
    height, width = picture.shape[:2]
    out_height, out_width = background.shape[:2]
    face = (points.min(axis=0) + points.max(axis=0)) / 2
    target = np.array([rng.uniform(0.35, 0.65) * out_width, rng.uniform(0.4, 0.62) * out_height])
    grid_y, grid_x = np.mgrid[0:out_height:8, 0:out_width:8].astype(np.float64)
    turn = np.deg2rad(rng.uniform(-30, 30, 2) * rng.uniform(0, 1))
    roll = np.deg2rad(rng.normal(0, 5))
    distance = 2.2 * max(width, height)
    curve = rng.uniform(-0.35, 0.35) / max(width, 1) if bend and rng.random() < 0.6 else 0.0
    # The sheet's grid is bent, turned and projected; the inverse mapping is fitted to it.
    sheet_y, sheet_x = np.mgrid[-0.1:1.1:14j, -0.1:1.1:14j]
    flat = np.column_stack([sheet_x.ravel() * width, sheet_y.ravel() * height])

    def project(xy: Points) -> Points:
        centred = xy - face
        depth = curve * centred[:, 0] ** 2
        x = centred[:, 0] * np.cos(turn[0]) + depth * np.sin(turn[0])
        z = -centred[:, 0] * np.sin(turn[0]) + depth * np.cos(turn[0])
        y = centred[:, 1] * np.cos(turn[1]) - z * np.sin(turn[1])
        z = centred[:, 1] * np.sin(turn[1]) + z * np.cos(turn[1])
        x, y = x * np.cos(roll) - y * np.sin(roll), x * np.sin(roll) + y * np.cos(roll)
        return np.column_stack([x, y]) * (distance / (distance + z))[:, None] + target

    projected = project(flat)
    inverse_x = _fit(projected, flat[:, 0])
    inverse_y = _fit(projected, flat[:, 1])
    coarse = np.column_stack([grid_x.ravel(), grid_y.ravel()])
    map_x = cv2.resize(
        inverse_x(coarse).reshape(grid_x.shape).astype(np.float32), (out_width, out_height)
    )
    map_y = cv2.resize(
        inverse_y(coarse).reshape(grid_x.shape).astype(np.float32), (out_width, out_height)
    )
    seen = cv2.remap(picture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    inside = (map_x >= 0) & (map_x < width) & (map_y >= 0) & (map_y < height)
    matte = cv2.GaussianBlur(inside.astype(np.float32), (3, 3), 0)[..., None]
    light = _gradient(out_height, out_width, rng, 0.75, 1.2)[..., None]
    if rng.random() < 0.35:
        seen = _glare(seen, rng)
    lit = cv2.convertScaleAbs(seen * light)
    return cv2.convertScaleAbs(lit * matte + background * (1 - matte)), project(points)


def _fit(where: Points, value: np.ndarray) -> object:
    """Least-squares polynomial of third degree from projected points to a sheet coordinate."""
    mean, spread = where.mean(axis=0), where.std(axis=0)

    def terms(xy: Points) -> np.ndarray:
        x, y = ((xy - mean) / spread).T
        return np.column_stack([x**i * y**j for i in range(4) for j in range(4 - i)])

    weights, *_ = np.linalg.lstsq(terms(where), value, rcond=None)
    return lambda xy: terms(xy) @ weights


def _gradient(
    height: int, width: int, rng: np.random.Generator, low: float, high: float
) -> np.ndarray:
    small = rng.uniform(low, high, (3, 3)).astype(np.float32)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def _glare(picture: Picture, rng: np.random.Generator) -> Picture:
    height, width = picture.shape[:2]
    spot = np.zeros((height, width), np.float32)
    centre = (int(rng.uniform(0, width)), int(rng.uniform(0, height)))
    axes = (int(rng.uniform(0.05, 0.3) * width), int(rng.uniform(0.05, 0.3) * height))
    cv2.ellipse(spot, centre, axes, float(rng.uniform(0, 180)), 0, 360, 1.0, -1)
    spot = cv2.GaussianBlur(spot, (0, 0), width * rng.uniform(0.03, 0.1))
    return cv2.convertScaleAbs(picture + spot[..., None] * np.float32(rng.uniform(30, 140)))


def printed(picture: Picture, points: Points, rng: np.random.Generator) -> tuple[Picture, Points]:
    """A printed image: fewer colours, lifted blacks, halftone, paper, a border."""
    ink = picture.astype(np.float32) / 255
    grey = ink.mean(axis=2, keepdims=True)
    ink = grey + (ink - grey) * rng.uniform(0.35, 1.1)  # gamut
    black, white = rng.uniform(0.02, 0.25), rng.uniform(0.75, 1.0)
    ink = cv2.pow(np.maximum(ink, 0), float(rng.uniform(0.7, 1.4))) * (white - black) + black
    ink *= rng.uniform(0.88, 1.0, 3).astype(np.float32)  # cast of paper and ink
    if rng.random() < 0.6:  # halftone at the printer's own resolution, as a camera averages it
        big = cv2.resize(ink, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
        y, x = np.mgrid[0 : big.shape[0], 0 : big.shape[1]].astype(np.float32)
        pitch, strength = rng.uniform(2.2, 4.5), rng.uniform(0.15, 0.6)
        for channel, angle in enumerate(np.deg2rad([15, 75, 0])):
            u = (x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / pitch
            v = (-x * np.sin(angle) + y * np.cos(angle)) * 2 * np.pi / pitch
            screen = (np.cos(u) + np.cos(v)) / 4 + 0.5
            dots = np.clip((big[..., channel] - screen) * 6 + 0.5, 0, 1)
            big[..., channel] = big[..., channel] * (1 - strength) + dots * strength
        ink = cv2.resize(big, (picture.shape[1], picture.shape[0]), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.4:
        ink = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.4, 1.3))
    ink += rng.standard_normal(ink.shape, dtype=np.float32) * np.float32(
        rng.uniform(0, 0.02)
    )  # paper's grain
    sheet = np.clip(ink * 255, 0, 255).astype(np.uint8)
    return _bordered(sheet, points, rng, np.clip(rng.normal(225, 20, 3), 0, 255), 0.0, 0.18)


def on_screen(picture: Picture, points: Points, rng: np.random.Generator) -> tuple[Picture, Points]:
    """An image on a screen: white point, moire of the pixel grids, bezel."""
    glow = cv2.pow(picture.astype(np.float32) / 255, float(rng.uniform(0.75, 1.5)))
    white = [rng.uniform(0.8, 1.0), rng.uniform(0.88, 1.0), rng.uniform(0.95, 1.15)]
    glow *= np.array(white, np.float32)
    glow = glow * rng.uniform(0.6, 1.2) + rng.uniform(0.0, 0.12)
    height, width = picture.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    if rng.random() < 0.75:  # moire: beats between the two grids, different in each colour
        for _ in range(int(rng.integers(1, 4))):
            angle, pitch = rng.uniform(0, np.pi), rng.uniform(2.1, 14)
            wave = (x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / pitch
            wave += rng.uniform(0, 3) * np.sin(y * rng.uniform(0.005, 0.03))
            phase = rng.uniform(0, 2 * np.pi, 3).astype(np.float32)
            strength = np.float32(rng.uniform(0.01, 0.09))
            glow *= 1 + strength * np.cos(wave[..., None] + phase)
    if rng.random() < 0.3:  # rolling bands of the refresh
        glow *= (1 + rng.uniform(0.02, 0.1) * np.sin(y * 2 * np.pi / rng.uniform(40, 300)))[
            ..., None
        ]
    sheet = np.clip(glow * 255, 0, 255).astype(np.uint8)
    return _bordered(sheet, points, rng, rng.uniform(3, 45, 3), 0.02, 0.15)


def _bordered(
    sheet: Picture,
    points: Points,
    rng: np.random.Generator,
    colour: np.ndarray,
    low: float,
    high: float,
) -> tuple[Picture, Points]:
    top, bottom, left, right = (rng.uniform(low, high, 4) * sheet.shape[0]).astype(int)
    framed = cv2.copyMakeBorder(
        sheet, top, bottom, left, right, cv2.BORDER_CONSTANT, value=[float(c) for c in colour]
    )
    return framed, points + np.array([left, top])


def cut_around_face(
    picture: Picture, points: Points, rng: np.random.Generator
) -> tuple[Picture, Points]:
    """The part of an image that an attacker would print or show: head and shoulders, or less."""
    height, width = picture.shape[:2]
    low, high = points.min(axis=0), points.max(axis=0)
    side = (high - low).max()
    grow = rng.uniform(0.15, 1.6, 4) * side
    left, top = np.maximum(0, low - grow[:2]).astype(int)
    right, bottom = np.minimum([width, height], high + grow[2:]).astype(int)
    return picture[top:bottom, left:right], points - np.array([left, top])


def filmed(picture: Picture, rng: np.random.Generator) -> Picture:
    """An image as a webcam delivers it: white balance, exposure, softness, noise, JPEG."""
    gamma = rng.choice([rng.uniform(0.6, 1.0), rng.uniform(1.0, 2.0)])
    contrast, brightness = rng.uniform(0.75, 1.2), 0.5 + rng.uniform(-0.06, 0.06)
    level = np.arange(256)[:, None] / 255 * rng.uniform(0.85, 1.15, 3)
    curve = (np.clip(level, 0, 1) ** gamma - 0.5) * contrast + brightness
    table = np.clip(curve * 255, 0, 255).astype(np.uint8)[None]
    light = cv2.LUT(np.ascontiguousarray(picture), table).astype(np.float32)
    strength = rng.uniform(0.4, 1.3)
    mixed = np.full((3, 3), (1 - strength) / 3) + np.eye(3) * strength
    light = cv2.transform(light, mixed.astype(np.float32))
    if rng.random() < 0.6:
        light = cv2.GaussianBlur(light, (0, 0), rng.uniform(0.3, 1.4))
    if rng.random() < 0.3:  # a sensor with fewer pixels than the stream
        height, width = light.shape[:2]
        fewer = cv2.resize(light, None, fx=(f := rng.uniform(0.45, 0.9)), fy=f, interpolation=3)
        light = cv2.resize(fewer, (width, height), interpolation=int(rng.integers(1, 3)))
    if rng.random() < 0.3:  # a lens that darkens the corners
        light = light * _vignette(*light.shape[:2], float(rng.uniform(0.1, 0.5)))
    if rng.random() < 0.3:  # sharpening in the camera
        amount = rng.uniform(0.2, 1.0)
        soft = cv2.GaussianBlur(light, (0, 0), 1.5)
        light = cv2.addWeighted(light, 1 + amount, soft, -amount, 0)
    noise = rng.standard_normal(light.shape, dtype=np.float32)
    if rng.random() < 0.5:
        noise = cv2.GaussianBlur(noise, (0, 0), 0.7)
    light = cv2.scaleAdd(noise, float(rng.uniform(0, 8)), light)
    bgr = np.ascontiguousarray(cv2.convertScaleAbs(cv2.max(light, 0.0))[..., ::-1])
    _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(45, 97))])
    return cv2.cvtColor(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def _vignette(height: int, width: int, loss: float) -> np.ndarray:
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return (1 - loss * (x * x + y * y) / 2).astype(np.float32)[..., None]


def invented_background(
    rng: np.random.Generator, height: int, width: int, pictures: list[Picture]
) -> Picture:
    """A synthetic background: a crop of a real image, or soft shapes of random colours."""
    if pictures and rng.random() < 0.6:
        picture = pictures[rng.integers(len(pictures))]
        side = rng.uniform(0.4, 1.0)
        h, w = int(picture.shape[0] * side), int(picture.shape[1] * side)
        top = int(rng.integers(0, picture.shape[0] - h + 1))
        left = int(rng.integers(0, picture.shape[1] - w + 1))
        room = cv2.resize(picture[top : top + h, left : left + w], (width, height))
        room = room[:, ::-1] if rng.random() < 0.5 else room
    else:
        room = np.empty((height, width, 3), np.float32)
        room[:] = rng.uniform(40, 230, 3)
        for _ in range(int(rng.integers(2, 14))):
            x, y = rng.integers(0, width), rng.integers(0, height)
            w, h = rng.integers(10, width // 2), rng.integers(10, height // 2)
            cv2.rectangle(
                room,
                (int(x), int(y)),
                (int(x + w), int(y + h)),
                rng.uniform(10, 245, 3).tolist(),
                -1,
            )
        room = room + _gradient(height, width, rng, -40, 40)[..., None]
    if rng.random() < 0.7:
        room = cv2.GaussianBlur(room.astype(np.float32), (0, 0), rng.uniform(0.5, 4))
    return cv2.convertScaleAbs(cv2.max(room, 0) * np.float32(rng.uniform(0.6, 1.1)))


def keyed_out(picture: Picture, background: Picture) -> Picture:
    """Replace the blue or green studio backdrop (GRID) behind a person."""
    hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)
    hue, saturation, value = (hsv[..., i].astype(np.int32) for i in range(3))
    backdrop = (hue > 70) & (hue < 115) & (saturation > 60) & (value > 60)
    matte = cv2.morphologyEx(
        (~backdrop).astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)
    )
    soft = cv2.GaussianBlur(
        cv2.erode(matte, np.ones((3, 3), np.uint8)).astype(np.float32), (5, 5), 0
    )
    room = cv2.resize(background, (picture.shape[1], picture.shape[0]))
    return (picture * soft[..., None] + room * (1 - soft[..., None])).astype(np.uint8)
