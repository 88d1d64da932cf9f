"""Readings about the camera: bad or turned picture, frozen picture, looped video, moved camera."""

from __future__ import annotations

from collections.abc import Iterator

from proctoring.judgement.policy import Policy
from proctoring.judgement.reading import Reading, not_held
from proctoring.observations import FrameObservation, InjectionIndicators

PICTURE_KINDS = (
    "camera.covered",
    "camera.dark",
    "camera.turned",
    "camera.bright",
    "camera.blurred",
)
"""Kinds of incident about the picture as a whole, the most severe first."""


def picture_readings(policy: Policy, observation: FrameObservation) -> Iterator[Reading]:
    """Whether the picture is covered, dark, turned, bright or blurred. Only the most severe kind holds."""
    if observation.camera is None:
        return
    trouble = camera_trouble(policy, observation)
    for kind in PICTURE_KINDS:
        yield trouble if trouble and trouble.kind == kind else not_held(kind)


def camera_trouble(policy: Policy, observation: FrameObservation) -> Reading | None:
    """The reading of the ``camera.*`` kind that holds for the picture as a whole, if any."""
    view, limits = observation.camera, policy.camera
    if view is None:
        return None
    blurred = view.detail < limits.min_detail
    if blurred and view.structure < limits.min_structure:
        text = "nothing but an even surface is seen"
        return Reading("camera.covered", True, 1.0, view.structure, text)
    if view.brightness < limits.min_brightness:
        text = "the picture is dark (brightness {} of 255)"
        return Reading("camera.dark", True, 1.0, view.brightness, text)
    if observation.turned is not None and observation.turned.certain:
        text = "the picture is turned ({} degrees clockwise from upright)"
        return Reading("camera.turned", True, 1.0, 360 - observation.turned.degrees, text)
    if view.overexposed >= limits.max_overexposed:
        text = "the picture is burnt out ({} per cent white)"
        return Reading("camera.bright", True, 1.0, 100 * view.overexposed, text)
    if blurred:
        text = "the picture is out of focus"
        return Reading("camera.blurred", True, 1.0, view.detail, text)
    return None


def why_unusable(policy: Policy, observation: FrameObservation) -> str:
    """Why nothing can be read from the picture; empty if something can. In the dark, behind a
    hand and in a turned picture, faces may still be detected, but their values are noise."""
    trouble = camera_trouble(policy, observation)
    if trouble is None or trouble.kind not in ("camera.covered", "camera.dark", "camera.turned"):
        return ""
    return trouble.text.replace("{}", f"{trouble.value:.0f}")


def stream_readings(policy: Policy, observation: FrameObservation) -> Iterator[Reading]:
    """Whether the video is looped or frozen, or the camera was moved. A picture that never changed,
    and one that repeats only nearly, are indications of a presentation attack (``liveness.py``)."""
    stream, scene = observation.stream, observation.scene
    if stream is not None:
        yield _loop_reading(stream)
        unchanged = stream.unchanged_for >= policy.camera.max_unchanged
        # No picture of a loop is new either.
        held = stream.ever_changed and unchanged and not stream.exact
        text = "the picture has stood still, sensor noise included,"
        yield Reading("camera.frozen", held, 1.0, stream.unchanged_for, text)
    if scene is not None:
        likeness = 0.0 if scene.similarity is None else scene.similarity
        text = f"the background became another and stays so (likeness {likeness:.2f})"
        yield Reading("camera.moved", scene.moved, min(1.0, 1 - likeness), 1 - likeness, text)


def _loop_reading(stream: InjectionIndicators) -> Reading:
    if not stream.exact:
        return not_held("camera.looped")
    lag = stream.repeats_after or 0.0
    order = ", in reverse order" if stream.backwards else ""
    text = f"the same pictures as {lag:.1f} s before, pixel for pixel{order}"
    return Reading("camera.looped", True, 1.0, lag, text)
