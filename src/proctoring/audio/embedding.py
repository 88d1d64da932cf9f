"""Speaker embeddings: pyannote community-1's (WeSpeaker's) ResNet34."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from proctoring.audio.filterbank import Features
from proctoring.models.onnx_runtime import OnnxNetwork

SpeakerEmbedding = NDArray[np.float32]
"""(256,), of norm 1, so that a dot product is the cosine similarity."""


def embed(network: OnnxNetwork, features: Features) -> SpeakerEmbedding:
    """The speaker embedding of one speaker's features.

    Args:
        network: the embedding network.
        features: (frames, 80) from :func:`proctoring.audio.filterbank.filterbank`; their mean is
            subtracted here. At least a second is needed for a comparable embedding.
    """
    centred = features - features.mean(axis=0)
    (embeddings,) = network(fbank=centred[None], weights=np.ones((1, len(centred)), np.float32))
    return normalised(embeddings[0])


def normalised(vector: NDArray[np.float32]) -> SpeakerEmbedding:
    """The vector scaled to norm 1."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)
