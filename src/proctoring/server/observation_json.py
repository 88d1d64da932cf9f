"""Observations as JSON, as the sockets send them with ``?observe=1``."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic_core import to_json

from proctoring.observations import (
    AudioObservation,
    Box,
    CameraMovement,
    Candidate,
    Detection,
    Face,
    Identity,
    ImageQuality,
    InjectionIndicators,
    Liveness,
    ObjectDetections,
    VisibleHalf,
)
from proctoring.vision.analyser import FrameAnalysis


def observation_text(
    analysis: FrameAnalysis,
    *,
    capture: int | None,
    decode_ms: float,
    latency_ms: float,
    landmarks: bool,
) -> str:
    """One analysed frame as JSON text; the keys are those of ``docs/reference/asyncapi.yaml``.

    The result of a deferred detection is sent with the next frame, with a time of its own.

    Args:
        analysis: of the frame.
        capture: the client's capture time in microseconds.
        decode_ms: time to decode the frame.
        latency_ms: from the arrival of the frame.
        landmarks: whether landmarks are included.
    """
    seen = analysis.observation
    milliseconds = {"decode": decode_ms, **analysis.milliseconds}
    slow = seen
    if analysis.earlier is not None:
        slow = analysis.earlier.observation
        milliseconds |= analysis.earlier.milliseconds
    observation: dict[str, Any] = {
        "time": round(seen.time, 4),
        "capture_time": capture,
        "width": seen.width,
        "height": seen.height,
        "faces": None
        if seen.faces is None
        else [_face(face, analysis, landmarks) for face in seen.faces],
        "candidate": None if seen.candidate is None else _candidate(seen.candidate),
        "objects": None if slow.objects is None else _objects(slow.time, slow.objects),
        "camera": None if seen.camera is None else _camera(seen.camera),
        "liveness": None if seen.liveness is None else _liveness(seen.liveness),
        "stream": None if seen.stream is None else _stream(seen.stream),
        "scene": None if seen.scene is None else _scene(seen.scene),
        "identity": None if seen.identity is None else _identity(seen.identity),
        "carried_since": _rounded(seen.carried_since, 4),
        "turned": seen.turned and {"degrees": seen.turned.degrees, "certain": seen.turned.certain},
        "not_read": [{"what": item.what, "reason": item.reason} for item in seen.not_read],
        "milliseconds": {name: round(spent, 2) for name, spent in milliseconds.items()},
        "latency_ms": round(latency_ms, 2),
    }
    return to_json({"observation": observation}).decode()


def audio_text(observation: AudioObservation) -> str:
    """One audio observation as JSON text; the keys are those of ``docs/reference/asyncapi.yaml``."""
    result = observation.diarization
    audio = {
        "time": round(observation.time, 3),
        "duration": round(observation.duration, 3),
        "speech": None if observation.speech is None else round(observation.speech, 2),
        "level": None if observation.level is None else round(observation.level, 1),
        "diarization": result
        and {
            "speakers": [
                {
                    "number": voice.number,
                    "similarity": voice.similarity and round(voice.similarity, 3),
                    "confidence": round(voice.confidence, 3),
                    "seconds": round(voice.seconds, 2),
                }
                for voice in result.speakers
            ],
            "enrolment": round(result.enrolment, 2),
            "overlap": round(result.overlap, 2),
            "unassigned": round(result.unassigned, 2),
        },
        "not_read": [{"what": item.what, "reason": item.reason} for item in observation.not_read],
    }
    return to_json({"audio": audio}).decode()


def _face(face: Face, analysis: FrameAnalysis, landmarks: bool) -> dict[str, Any]:
    body: dict[str, Any] = {
        "track": face.track,
        "box": _box(face.box),
        "presence": round(face.presence, 3),
        "since": round(face.since, 2),
        "depicted": face.depicted,
    }
    mesh = analysis.meshes.get(face.track) if landmarks else None
    if mesh is not None:
        body["landmarks"] = np.round(mesh[:, :2].astype(np.float64), 1).tolist()
    return body


def _candidate(candidate: Candidate) -> dict[str, Any]:
    head, gaze = candidate.head, candidate.gaze
    return {
        "track": candidate.track,
        "head": head
        and {
            "yaw": round(head.yaw, 2),
            "pitch": round(head.pitch, 2),
            "roll": round(head.roll, 2),
        },
        "gaze": gaze
        and {
            "yaw": round(gaze.yaw, 2),
            "pitch": None if gaze.pitch is None else round(gaze.pitch, 2),
            "confidence": round(gaze.confidence, 3),
        },
        "eyes_open": candidate.eyes_open,
        "mouth_opening": candidate.mouth_opening,
        "baseline_ready": candidate.baseline_ready,
        "blinks": candidate.blinks,
    }


def _objects(time: float, look: ObjectDetections) -> dict[str, Any]:
    return {
        "time": round(time, 4),
        "carried_since": _rounded(look.carried_since, 4),
        "detector": look.detector,
        "verifier": look.verifier or None,
        "phones": [_detection(found) for found in look.phones],
        "persons": [_detection(found) for found in look.persons],
        "screens": [_detection(found) for found in look.screens],
    }


def _camera(view: ImageQuality) -> dict[str, Any]:
    return {
        "brightness": round(view.brightness, 1),
        "overexposed": round(view.overexposed, 3),
        "structure": round(view.structure, 2),
        "detail": round(view.detail, 2),
    }


def _liveness(life: Liveness) -> dict[str, Any]:
    return {
        "track": life.track,
        "score": _rounded(life.score, 3),
        "networks": life.networks,
        "samples": life.samples,
        "parallax": _rounded(life.parallax, 5),
        "motion": _rounded(life.motion, 4),
        "framed_share": _rounded(life.framed_share, 2),
        "blinks": _rounded(life.blinks, 1),
        "inner_motion": _rounded(life.inner_motion, 3),
    }


def _scene(scene: CameraMovement) -> dict[str, Any]:
    return {"similarity": _rounded(scene.similarity, 2), "moved": scene.moved}


def _identity(identity: Identity) -> dict[str, Any]:
    return {
        "track": identity.track,
        "distance": round(identity.distance, 3),
        "comparisons": identity.comparisons,
        "trigger": identity.trigger,
        "from_photo": identity.from_photo,
        "visible": None if identity.visible is None else _half(identity.visible),
    }


def _half(half: VisibleHalf) -> dict[str, Any]:
    return {
        "name": half.name,
        "distance": round(half.distance, 3),
        "evidence": round(half.evidence, 1),
        "looks": half.looks,
    }


def _stream(stream: InjectionIndicators) -> dict[str, Any]:
    return {
        "unchanged_for": round(stream.unchanged_for, 2),
        "ever_changed": stream.ever_changed,
        "repeats_after": _rounded(stream.repeats_after, 1),
        "exact": stream.exact,
        "backwards": stream.backwards,
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _detection(found: Detection) -> dict[str, Any]:
    return {"label": found.label, "score": round(found.score, 3), "box": _box(found.box)}


def _box(box: Box) -> list[float]:
    return [round(side, 1) for side in (box.left, box.top, box.right, box.bottom)]
