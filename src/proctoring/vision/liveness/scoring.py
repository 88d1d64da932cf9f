"""Networks that judge from one picture whether a face is living: the passive ones, and our student.

The two MiniFASNets (minivision-ai, Apache-2.0) see the face with its surroundings, 80 x 80, BGR
0 to 255. Their mean is the judgement; where it suspects an attack, MiniFAS V2-SE (trained on
CelebA-Spoof, facenox, Apache-2.0) is asked as well, and the kinder of the two counts: on pale faces
in hard contrast the first two err together, the third does not (docs/accuracy.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from proctoring.capabilities import Capability
from proctoring.errors import ModelUnavailableError
from proctoring.models.runtime import Network, load_network
from proctoring.models.store import ModelStore
from proctoring.observations import Box
from proctoring.vision.frame import Pixels
from proctoring.vision.liveness.crops import close_crop, context_crop

PASSIVE = (("minifasnet_v2", 2.7), ("minifasnet_v1se", 4.0))
"""Catalogue name of each network, and how much of the surroundings it sees."""
SECOND = "minifas_v2se"
_SUSPICIOUS = 0.3
"""Below this the second opinion is asked."""
_LIVE = 1
"""The passive networks' class of a living face; the others are attacks."""


@dataclass(frozen=True, slots=True)
class LivenessScorer:
    """Judges one face in one picture. Shared by all threads; keeps no state."""

    name: str
    """Which networks judge, for observations and health."""
    score: Callable[[Pixels, Box], float]
    """How likely the face in the box (the landmarks' hull) is living, 0 to 1."""


def load_liveness_scorer(store: ModelStore) -> tuple[LivenessScorer | None, Capability]:
    """The best judge that can be had, and what to say about it."""
    try:
        networks = tuple((load_network(store.fetch(name)), scale) for name, scale in PASSIVE)
    except ModelUnavailableError as error:
        reason = f"judged by movement and surroundings alone: {error.detail}"
        return None, Capability("liveness", False, reason, PASSIVE[0][0])
    try:
        second = load_network(store.fetch(SECOND))
    except ModelUnavailableError:
        second = None
    names = [name for name, _ in PASSIVE] + ([SECOND] if second else [])
    scorer = LivenessScorer("+".join(names), _passive(networks, second))
    return scorer, Capability("liveness", True, "", scorer.name)


def _passive(
    networks: tuple[tuple[Network, float], ...], second: Network | None
) -> Callable[[Pixels, Box], float]:
    def live(pixels: Pixels, box: Box) -> float:
        scores = [passive_score(network, pixels, box, scale) for network, scale in networks]
        score = sum(scores) / len(scores)
        if second is None or score >= _SUSPICIOUS:
            return score
        return max(score, second_score(second, pixels, box))

    return live


def passive_score(network: Network, pixels: Pixels, box: Box, scale: float) -> float:
    """One MiniFASNet's probability of a living face."""
    crop = context_crop(pixels, box, scale)
    planes = np.ascontiguousarray(crop[..., ::-1].transpose(2, 0, 1), np.float32)[None]
    (logits,) = network(planes)
    powers = np.exp(logits[0] - logits[0].max())
    return float(powers[_LIVE] / powers.sum())


def second_score(network: Network, pixels: Pixels, box: Box) -> float:
    """MiniFAS V2-SE's probability of a living face: the sigmoid of its logits' difference."""
    crop = close_crop(pixels, box)
    planes = np.ascontiguousarray(crop.transpose(2, 0, 1), np.float32)[None] / np.float32(255)
    (logits,) = network(planes)
    return float(1 / (1 + np.exp(logits[0, 1] - logits[0, 0])))
