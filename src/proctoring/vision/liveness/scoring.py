"""Scores from single frames how likely a face is bona fide: passive presentation attack detection.

Two MiniFASNets (minivision-ai, Apache-2.0) get the face with its surroundings, 80 x 80, BGR 0 to 255.
Where their mean score suspects an attack, MiniFAS V2-SE (trained on CelebA-Spoof, facenox, Apache-2.0)
runs as well and the higher score counts: the first two err together on pale faces in hard contrast, the
third does not (docs/accuracy.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from proctoring.capabilities import Capability
from proctoring.errors import ModelUnavailableError
from proctoring.models.network import Network
from proctoring.models.runtime import few_copies, load_network
from proctoring.models.store import ModelStore
from proctoring.observations import Box
from proctoring.vision.frame import Pixels
from proctoring.vision.liveness.crops import close_crop, context_crop

PASSIVE = (("minifasnet_v2", 2.7), ("minifasnet_v1se", 4.0))
"""Catalogue name of each MiniFASNet, and the side of its crop over that of the face box."""
SECOND = "minifas_v2se"
"""Catalogue name of the network that runs when an attack is suspected."""
_SUSPICIOUS = 0.3
"""Mean score below which an attack is suspected."""
_BONA_FIDE = 1
"""Index of the class of bona fide faces in the MiniFASNets; the others are attacks."""


@dataclass(frozen=True, slots=True)
class LivenessScorer:
    """Scores one face in one frame. Shared by all threads; keeps no state."""

    name: str
    """Names of the networks, for observations and health."""
    score: Callable[[Pixels, Box], float]
    """Frame and bounding box of the landmarks to a score, 0 (attack) to 1 (bona fide)."""


def load_liveness_scorer(store: ModelStore) -> tuple[LivenessScorer | None, Capability]:
    """Load the networks that are available; ``None``: too few. Also the capability."""
    try:
        networks = tuple(
            (load_network(store.fetch(name), copies=few_copies()), scale) for name, scale in PASSIVE
        )
    except ModelUnavailableError as error:
        reason = f"judged by movement and surroundings alone: {error.detail}"
        return None, Capability("liveness", False, reason, PASSIVE[0][0])
    try:
        second = load_network(store.fetch(SECOND), copies=few_copies())
    except ModelUnavailableError:
        second = None
    names = [name for name, _ in PASSIVE] + ([SECOND] if second else [])
    scorer = LivenessScorer("+".join(names), _passive(networks, second))
    return scorer, Capability("liveness", True, "", scorer.name)


def _passive(
    networks: tuple[tuple[Network, float], ...], second: Network | None
) -> Callable[[Pixels, Box], float]:
    def score(pixels: Pixels, box: Box) -> float:
        scores = [passive_score(network, pixels, box, scale) for network, scale in networks]
        mean = sum(scores) / len(scores)
        if second is None or mean >= _SUSPICIOUS:
            return mean
        return max(mean, second_score(second, pixels, box))

    return score


def passive_score(network: Network, pixels: Pixels, box: Box, scale: float) -> float:
    """One MiniFASNet's score of a face, 0 (attack) to 1 (bona fide)."""
    crop = context_crop(pixels, box, scale)
    planes = np.ascontiguousarray(crop[..., ::-1].transpose(2, 0, 1), np.float32)[None]
    (logits,) = network(planes)
    powers = np.exp(logits[0] - logits[0].max())
    return float(powers[_BONA_FIDE] / powers.sum())


def second_score(network: Network, pixels: Pixels, box: Box) -> float:
    """MiniFAS V2-SE's score of a face: the sigmoid of the difference of its two logits."""
    crop = close_crop(pixels, box)
    planes = np.ascontiguousarray(crop.transpose(2, 0, 1), np.float32)[None] / np.float32(255)
    (logits,) = network(planes)
    return float(1 / (1 + np.exp(logits[0, 1] - logits[0, 0])))
