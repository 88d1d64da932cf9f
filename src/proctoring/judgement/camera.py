"""The camera itself: whether its picture can be judged by, stands still, or shows another place."""

from __future__ import annotations

from collections.abc import Iterator

from proctoring.judgement.policy import Policy
from proctoring.judgement.reading import Reading
from proctoring.observations import FrameObservation


def camera_readings(policy: Policy, observation: FrameObservation) -> Iterator[Reading]:
    """Whether the picture can be judged by. Of several troubles the gravest alone is named."""
    if observation.camera is None:
        return
    trouble = camera_trouble(policy, observation)
    for kind in ("camera.covered", "camera.dark", "camera.bright", "camera.blurred"):
        yield trouble if trouble and trouble.kind == kind else Reading(kind, False)


def camera_trouble(policy: Policy, observation: FrameObservation) -> Reading | None:
    """What is wrong with the picture as a whole, if anything: the ``camera.*`` kind that holds."""
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
    if view.burnt >= limits.max_overexposed:
        text = "the picture is burnt out ({} per cent white)"
        return Reading("camera.bright", True, 1.0, 100 * view.burnt, text)
    if blurred:
        text = "the picture is out of focus"
        return Reading("camera.blurred", True, 1.0, view.detail, text)
    return None


def why_blind(policy: Policy, observation: FrameObservation) -> str:
    """Why a picture is good for nothing but to say so; empty when it is not. In the dark and behind a
    hand a face may still be found, and reads as whatever the noise makes of it."""
    trouble = camera_trouble(policy, observation)
    if trouble is None or trouble.kind not in ("camera.covered", "camera.dark"):
        return ""
    return trouble.text.replace("{}", f"{trouble.value:.0f}")


def camera_in_time(policy: Policy, observation: FrameObservation) -> Iterator[Reading]:
    """A camera that stopped, or that looks somewhere else. One that never moved is a spoof."""
    stream, scene = observation.stream, observation.scene
    if stream is not None:
        held = stream.ever_changed and stream.unchanged_for >= policy.camera.max_unchanged
        text = "the picture has stood still, sensor noise included,"
        yield Reading("camera.frozen", held, 1.0, stream.unchanged_for, text)
    if scene is not None:
        likeness = 0.0 if scene.likeness is None else scene.likeness
        text = f"the background became another and stays so (likeness {likeness:.2f})"
        yield Reading("camera.moved", scene.moved, min(1.0, 1 - likeness), 1 - likeness, text)
