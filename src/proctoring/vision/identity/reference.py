"""The reference of an identity: the face as a whole, and its halves, to compare one that is covered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from proctoring.vision.frame import Pixels
from proctoring.vision.identity.embedding import Embedding, FaceEmbedder, mean_embedding
from proctoring.vision.identity.halves import FaceHalves, describe_halves, mean_halves


@dataclass(frozen=True, slots=True, eq=False)
class FaceReference:
    """What a session's candidate is compared with. Biometric data: never logged."""

    whole: Embedding = field(repr=False)
    halves: FaceHalves = field(repr=False)


def reference_from(embedder: FaceEmbedder, faces: Sequence[Pixels]) -> FaceReference:
    """The reference made of aligned faces of one person, (150, 150, 3) each; 35 ms a face."""
    return mean_reference(
        [
            FaceReference(embedder.embed_aligned(face), describe_halves(embedder, face))
            for face in faces
        ]
    )


def mean_reference(samples: Sequence[FaceReference]) -> FaceReference:
    """The mean of several samples of one person."""
    return FaceReference(
        mean_embedding(tuple(sample.whole for sample in samples)),
        mean_halves([sample.halves for sample in samples]),
    )
