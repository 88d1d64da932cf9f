"""Networks that count how often they run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from proctoring.models.network import Network
from proctoring.observations import ObjectDetections
from proctoring.vision.frame import Pixels
from proctoring.vision.networks import VisionModels
from proctoring.vision.steps import Steps

STAGES = ("detection", "landmarks", "blendshapes", "objects", "liveness", "identity")
"""What is counted, in the order in which it is printed."""


def counted(models: VisionModels, runs: Counter[str]) -> VisionModels:
    """The same networks; each run adds one to ``runs`` under a name of ``STAGES``."""
    faces, objects, liveness, identity = (
        models.faces,
        models.objects,
        models.liveness,
        models.identity,
    )
    if faces is not None:
        faces = replace(
            faces,
            detector=_network(faces.detector, runs, "detection"),
            landmarker=_network(faces.landmarker, runs, "landmarks"),
            blendshapes=_network(faces.blendshapes, runs, "blendshapes"),
        )
    if objects is not None:
        detect = objects

        def steps(pixels: Pixels, /, *, close: bool = True) -> Steps[ObjectDetections]:
            runs["objects"] += 1
            return detect(pixels, close=close)

        objects = steps
    if liveness is not None:
        liveness = replace(liveness, score=_counting(liveness.score, runs, "liveness"))
    if identity is not None:
        identity = replace(identity, network=_network(identity.network, runs, "identity"))
    return replace(models, faces=faces, objects=objects, liveness=liveness, identity=identity)


def _network(network: Network, runs: Counter[str], name: str) -> Network:
    return cast("Network", _counting(network, runs, name))


def _counting(call: Callable[..., Any], runs: Counter[str], name: str) -> Callable[..., Any]:
    def counting(*inputs: Any) -> Any:
        runs[name] += 1
        return call(*inputs)

    return counting
