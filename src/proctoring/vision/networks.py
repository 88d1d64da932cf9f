"""The networks of vision: loaded once per process, shared by all threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2

from proctoring.capabilities import Capability
from proctoring.errors import ModelUnavailableError
from proctoring.models.network import Network
from proctoring.models.runtime import available_cores, few_copies, load_network
from proctoring.models.store import ModelStore
from proctoring.vision.cascade import CASCADES, load_object_detection
from proctoring.vision.head_pose import CanonicalFace, load_canonical_face
from proctoring.vision.identity.embedding import EMBEDDING as FACE_EMBEDDING
from proctoring.vision.identity.embedding import FaceEmbedder, load_face_embedder
from proctoring.vision.liveness.scoring import (
    PASSIVE,
    SECOND,
    LivenessScorer,
    load_liveness_scorer,
)
from proctoring.vision.objects import DetectInSteps

FACE_LANDMARKER = "face_landmarker"
FACE_DETECTOR = "face_detection_full_range"


@dataclass(frozen=True, slots=True)
class FaceNetworks:
    """Networks and geometry that faces are read with; safe to share among threads."""

    detector: Network
    landmarker: Network
    blendshapes: Network
    canonical: CanonicalFace


@dataclass(frozen=True, slots=True)
class VisionModels:
    """Everything this process can analyse with. What is ``None`` is off; ``capabilities`` give the reason."""

    faces: FaceNetworks | None
    objects: DetectInSteps | None
    """Detects phones, persons and screens, in steps."""
    capabilities: tuple[Capability, ...]
    liveness: LivenessScorer | None = None
    """``None``: liveness is judged by movement and surroundings alone."""
    identity: FaceEmbedder | None = None
    """``None``: identity is not verified."""


def needed_models(object_model: str) -> tuple[str, ...]:
    """Catalogue names of all models that ``load_vision_models`` fetches."""
    passive = tuple(name for name, _ in PASSIVE)
    detectors = CASCADES.get(object_model, (object_model,))
    return (FACE_DETECTOR, FACE_LANDMARKER, *detectors, *passive, SECOND, FACE_EMBEDDING)


def load_vision_models(store: ModelStore, *, object_model: str) -> VisionModels:
    """Load the networks; a model that is unavailable switches its capability off, with the reason."""
    # Sessions run in parallel: each OpenCV call uses one thread.
    cv2.setNumThreads(1)
    with ThreadPoolExecutor(available_cores(), thread_name_prefix="loading") as threads:
        loading_objects = threads.submit(load_object_detection, store, object_model)
        loading_faces = threads.submit(_load_faces, store)
        loading_identity = threads.submit(load_face_embedder, store)
        loading_liveness = threads.submit(load_liveness_scorer, store)
    try:
        faces = loading_faces.result()
        reason = ""
    except ModelUnavailableError as error:
        faces, reason = None, error.detail
    objects, object_capabilities = loading_objects.result()
    liveness, liveness_capability = loading_liveness.result()
    identity, identity_capability = loading_identity.result()
    return VisionModels(
        faces,
        objects,
        (
            Capability("faces", faces is not None, reason, FACE_DETECTOR),
            Capability("gaze", faces is not None, reason, FACE_LANDMARKER),
            *object_capabilities,
            liveness_capability,
            identity_capability,
        ),
        liveness,
        identity,
    )


def _load_faces(store: ModelStore) -> FaceNetworks:
    detector = store.fetch(FACE_DETECTOR)
    task = store.fetch(FACE_LANDMARKER)
    return FaceNetworks(
        load_network(detector, outputs=("Identity", "Identity_1"), copies=few_copies()),
        load_network(
            task, member="face_landmarks_detector.tflite", outputs=("Identity", "Identity_1")
        ),
        load_network(task, member="face_blendshapes.tflite", copies=few_copies()),
        load_canonical_face(task),
    )
