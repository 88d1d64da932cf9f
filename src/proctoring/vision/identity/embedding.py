"""A face as 128 numbers: near to each other for one person, apart for two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from proctoring.capabilities import Capability
from proctoring.errors import ModelUnavailableError
from proctoring.models.dlib_resnet import load_dlib_embedding
from proctoring.models.runtime import Network
from proctoring.models.store import ModelStore
from proctoring.vision.frame import Pixels
from proctoring.vision.identity.alignment import aligned_face
from proctoring.vision.landmarks import Mesh

EMBEDDING = "dlib_face_embedding"

Embedding = NDArray[np.float32]
"""(128,), about 1.4 long. Personal data: it is compared in memory and never logged."""


@dataclass(frozen=True, slots=True)
class FaceEmbedder:
    """Turns faces into embeddings. Shared by all threads; keeps no state."""

    network: Network
    name: str = EMBEDDING

    def embed(self, pixels: Pixels, mesh: Mesh, *, mirrored: bool = False) -> Embedding:
        """The embedding of the face with these landmarks; 7 ms.

        ``mirrored`` turns the face back, so that it compares with pictures that are not.
        """
        face = aligned_face(pixels, mesh)
        if mirrored:
            face = face[:, ::-1]
        (values,) = self.network(np.ascontiguousarray(face[None], np.float32))
        return np.asarray(values[0], np.float32)


def load_face_embedder(store: ModelStore) -> tuple[FaceEmbedder | None, Capability]:
    """The network, and what to say about it."""
    try:
        network = load_dlib_embedding(store.fetch(EMBEDDING))
    except ModelUnavailableError as error:
        return None, Capability("identity", False, error.detail, EMBEDDING)
    return FaceEmbedder(network), Capability("identity", True, "", EMBEDDING)


def mean_embedding(embeddings: tuple[Embedding, ...]) -> Embedding:
    """The middle of several embeddings of one person: a third as far from another day's."""
    return np.asarray(np.mean(embeddings, axis=0), np.float32)


def distance(one: Embedding, other: Embedding) -> float:
    """Euclidean distance: about .3 for one person, .7 for two."""
    return float(np.linalg.norm(one - other))
