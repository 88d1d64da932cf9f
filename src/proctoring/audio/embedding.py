"""What a voice sounds like, as 256 numbers: pyannote community-1's (WeSpeaker's) ResNet34."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from proctoring.audio.filterbank import Features
from proctoring.models.onnx_runtime import OnnxNetwork

SIZE = 256

SpeakerEmbedding = NDArray[np.float32]
"""(256,) of length 1. Compared by their dot product, the cosine: 1 is the same."""


def embed(network: OnnxNetwork, features: Features) -> SpeakerEmbedding:
    """The speaker embedding of features of one voice alone.

    Args:
        network: the embedding network.
        features: (frames, 80) from :func:`proctoring.audio.filterbank.filterbank`; their mean is
            subtracted here. At least a second of them is wanted for an embedding worth comparing.
    """
    centred = features - features.mean(axis=0)
    (embeddings,) = network(fbank=centred[None], weights=np.ones((1, len(centred)), np.float32))
    return normalised(embeddings[0])


def normalised(vector: NDArray[np.float32]) -> SpeakerEmbedding:
    """The same direction, with length 1."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)
