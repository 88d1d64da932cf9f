"""Compares the halves of two faces: a face that is covered in part is still alike in the rest.

A mask, scarf, hand or dark glasses change the embedding of the whole face as much as another person
does. So each half is compared by itself, the rest of the face painted over in both pictures, and so is
the structure of eyes, nose and mouth. ``covered_evidence`` weighs whether that is the person of the
reference with a part of the face covered, or somebody else: a logistic regression, fitted to 15 people
under ten covers in six kinds of light and to all pairs of days of the 9 people of ``nuaa_pairs.json``, the
latter weighted threefold so that exchanged people are still found (docs/accuracy.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from proctoring.observations import VisibleHalf
from proctoring.vision.frame import Pixels
from proctoring.vision.identity.alignment import SIDE
from proctoring.vision.identity.embedding import (
    Embedding,
    FaceEmbedder,
    distance,
    mean_embedding,
)

Structure = NDArray[np.float32]
"""(150, 150): edges and spots of an aligned face, without light and contrast."""

UPPER, LOWER, RIGHT, LEFT = "upper half", "lower half", "right half", "left half"
"""Left and right are the candidate's own: the right half lies at the left of an aligned face."""
_KEPT = {
    UPPER: (slice(0, 68), slice(None)),
    LOWER: (slice(62, None), slice(None)),
    RIGHT: (slice(None), slice(0, 72)),
    LEFT: (slice(None), slice(78, None)),
}
"""Rows and columns of each half: the base of the nose lies in row 88, the eyes in row 47."""
_PAINT = np.array([122, 117, 104], np.uint8)
"""Colour of the hidden half: the mean that the network subtracts."""

_RIGHT_EYE, _LEFT_EYE = (34, 62, 26, 70), (34, 62, 80, 124)
_NOSE, _MOUTH = (66, 98, 52, 98), (90, 128, 48, 102)
"""Top, bottom, left and right of each feature in an aligned face."""
_FEATURES = (_RIGHT_EYE, _LEFT_EYE, _NOSE, _MOUTH)
_SHIFT = 5
"""Pixels by which a feature may lie elsewhere: a mouth moves, and landmarks are estimates."""
_FINE, _COARSE, _AROUND = 1.5, 8.0, 12.0
"""Blurs, in pixels, between which structure is kept, and over which its contrast is made even."""
_NOISE = 1.5
"""Grey levels of contrast that are not amplified."""
_FLAT = 0.05
"""Spread of structure below which there is nothing to correlate."""
_CONSTANT = -5.07
_UPPER_DISTANCE, _LEAST_DISTANCE, _VERTICAL_GAP = -6.9, -27.3, 12.2
_GREATEST_LIKENESS, _LIKENESS_GAP = 14.3, 9.4
"""Weights of the regression: distance of the upper half, least distance of a half, difference between
upper and lower half; likeness of the feature that is most alike, and how much less the least is than the
mean of the two greatest."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceHalves:
    """The halves of one face, or the mean of several samples."""

    embeddings: dict[str, Embedding] = field(repr=False)
    """Half to its embedding, the rest painted over."""
    structure: Structure = field(repr=False)


def describe_halves(embedder: FaceEmbedder, face: Pixels) -> FaceHalves:
    """Describe the halves of an aligned face; 28 ms."""
    embeddings = {}
    for half, kept in _KEPT.items():
        painted = np.broadcast_to(_PAINT, (SIDE, SIDE, 3)).copy()
        painted[kept] = face[kept]
        embeddings[half] = embedder.embed_aligned(painted)
    return FaceHalves(embeddings, _structure(face))


def mean_halves(samples: Sequence[FaceHalves]) -> FaceHalves:
    """The mean of several samples of one person."""
    return FaceHalves(
        {half: mean_embedding(tuple(s.embeddings[half] for s in samples)) for half in _KEPT},
        np.asarray(np.mean([sample.structure for sample in samples], axis=0), np.float32),
    )


def compare_halves(reference: FaceHalves, probes: Sequence[FaceHalves]) -> VisibleHalf:
    """Compare the mean of the probes with the reference, half by half."""
    probe = mean_halves(probes)
    apart = {half: distance(probe.embeddings[half], reference.embeddings[half]) for half in _KEPT}
    likeness = [
        float(np.mean([_likeness(reference.structure, one.structure, place) for one in probes]))
        for place in _FEATURES
    ]
    nearest = min(apart, key=lambda half: apart[half])
    return VisibleHalf(nearest, apart[nearest], covered_evidence(apart, likeness), looks=1)


def covered_evidence(apart: dict[str, float], likeness: Sequence[float]) -> float:
    """Log odds that this is the right person, covered in part, rather than somebody else.

    Args:
        apart: half to its distance from that of the reference.
        likeness: of both eyes, nose and mouth with those of the reference, -1 to 1.
    """
    least, *_, second, greatest = sorted(likeness)
    return (
        _CONSTANT
        + _UPPER_DISTANCE * apart[UPPER]
        + _LEAST_DISTANCE * min(apart.values())
        + _VERTICAL_GAP * abs(apart[UPPER] - apart[LOWER])
        + _GREATEST_LIKENESS * greatest
        + _LIKENESS_GAP * ((second + greatest) / 2 - least)
    )


def _structure(face: Pixels) -> Structure:
    plain = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(np.float32)
    grey = cv2.GaussianBlur(plain, (0, 0), _FINE)
    edges = grey - cv2.GaussianBlur(grey, (0, 0), _COARSE)
    contrast = np.sqrt(cv2.GaussianBlur(edges * edges, (0, 0), _AROUND))
    return np.asarray(edges / (contrast + _NOISE), np.float32)


def _likeness(reference: Structure, probe: Structure, place: tuple[int, int, int, int]) -> float:
    """Correlation, -1 to 1, of a feature with the reference's, at the shift where it is greatest."""
    top, bottom, left, right = place
    wanted = reference[top:bottom, left:right]
    around = probe[top - _SHIFT : bottom + _SHIFT, left - _SHIFT : right + _SHIFT]
    if min(float(wanted.std()), float(around.std())) < _FLAT:
        return 0.0
    found = cv2.matchTemplate(around, wanted, cv2.TM_CCOEFF_NORMED)
    return float(np.clip(np.nan_to_num(found, posinf=0.0, neginf=0.0), -1, 1).max())
