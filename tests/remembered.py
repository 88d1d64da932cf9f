"""Networks that remember what they answered: the same pictures again cost next to nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b
from typing import Any, cast

import numpy as np

from proctoring.models.network import Network
from proctoring.observations import ObjectDetections
from proctoring.vision.frame import Pixels
from proctoring.vision.networks import VisionModels
from proctoring.vision.steps import Steps


def remembered(models: VisionModels) -> VisionModels:
    """The same networks, each of which runs once for each input."""
    faces, objects, liveness, identity = (
        models.faces,
        models.objects,
        models.liveness,
        models.identity,
    )
    if faces is not None:
        faces = replace(
            faces,
            detector=cast("Network", _remembering(faces.detector)),
            landmarker=cast("Network", _remembering(faces.landmarker)),
            blendshapes=cast("Network", _remembering(faces.blendshapes)),
        )
    if objects is not None:
        detect, found = objects, dict[object, ObjectDetections]()

        def steps(pixels: Pixels, /, *, close: bool = True) -> Steps[ObjectDetections]:
            key = (_digest(pixels), close)
            if key not in found:
                found[key] = yield from detect(pixels, close=close)
            return found[key]

        objects = steps
    if liveness is not None:
        liveness = replace(liveness, score=_remembering(liveness.score))
    if identity is not None:
        identity = replace(identity, network=cast("Network", _remembering(identity.network)))
    return replace(models, faces=faces, objects=objects, liveness=liveness, identity=identity)


def _remembering(call: Callable[..., Any]) -> Callable[..., Any]:
    answers: dict[object, Any] = {}

    def remembering(*inputs: Any) -> Any:
        key = tuple(map(_digest, inputs))
        if key not in answers:
            answers[key] = call(*inputs)
        answer = answers[key]
        return tuple(one.copy() for one in answer) if isinstance(answer, tuple) else answer

    return remembering


def _digest(value: object) -> object:
    if isinstance(value, np.ndarray):
        return blake2b(np.ascontiguousarray(value).tobytes(), digest_size=16).digest()
    return value
