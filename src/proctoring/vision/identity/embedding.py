"""Embeds faces: vectors of 128 numbers, close for one person, distant for two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from proctoring.capabilities import Capability
from proctoring.errors import ModelUnavailableError
from proctoring.models.dlib_resnet import load_dlib_embedding
from proctoring.models.network import Network
from proctoring.models.store import ModelStore
from proctoring.vision.frame import Pixels
from proctoring.vision.identity.alignment import aligned_face
from proctoring.vision.landmarks import Mesh

EMBEDDING = "dlib_face_embedding"

Embedding = NDArray[np.float32]
"""(128,) of length about 1.4. Biometric data: compared in memory, never logged."""


@dataclass(frozen=True, slots=True)
class FaceEmbedder:
    """Embeds faces. Shared by all threads; keeps no state."""

    network: Network
    name: str = EMBEDDING

    def embed(self, pixels: Pixels, mesh: Mesh, *, mirrored: bool = False) -> Embedding:
        """Embed the face with these landmarks; about 7 ms. Arguments as for ``aligned``."""
        return self.embed_aligned(self.aligned(pixels, mesh, mirrored=mirrored))

    def aligned(self, pixels: Pixels, mesh: Mesh, *, mirrored: bool = False) -> Pixels:
        """The aligned face, (150, 150, 3) RGB.

        Args:
            pixels: the frame.
            mesh: the face's landmarks.
            mirrored: whether the frame is mirrored; the face is then flipped back, so that its
                embedding compares with those of other frames.
        """
        face = aligned_face(pixels, mesh)
        return np.ascontiguousarray(face[:, ::-1]) if mirrored else face

    def embed_aligned(self, face: Pixels) -> Embedding:
        """Embed an aligned face."""
        (values,) = self.network(np.ascontiguousarray(face[None], np.float32))
        return np.asarray(values[0], np.float32)


def load_face_embedder(store: ModelStore) -> tuple[FaceEmbedder | None, Capability]:
    """Load the network; ``None``: unavailable. Also the capability."""
    try:
        network = load_dlib_embedding(store.fetch(EMBEDDING))
    except ModelUnavailableError as error:
        return None, Capability("identity", False, error.detail, EMBEDDING)
    return FaceEmbedder(network), Capability("identity", True, "", EMBEDDING)


def mean_embedding(embeddings: tuple[Embedding, ...]) -> Embedding:
    """The mean of several embeddings of one person, which varies less than each of them."""
    return np.asarray(np.mean(embeddings, axis=0), np.float32)


def distance(one: Embedding, other: Embedding) -> float:
    """Euclidean distance: about 0.3 for one person, 0.7 for two."""
    return float(np.linalg.norm(one - other))
