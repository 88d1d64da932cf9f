"""Readings about gaze and head: looking or turning away from the screen."""

from __future__ import annotations

from collections.abc import Iterator

from proctoring.judgement.camera import why_unusable
from proctoring.judgement.policy import Policy
from proctoring.judgement.policy.video import HeadLimits, ScreenLimits
from proctoring.judgement.reading import Reading
from proctoring.judgement.state import ScreenExtent
from proctoring.judgement.unread import why_unread
from proctoring.observations import FrameObservation, Gaze, HeadPose

_KINDS = {
    (what, side): (f"{what}.{side}", f"{what} {{}} degrees {side}")
    for what in ("gaze", "head")
    for side in ("left", "right", "up", "down")
}
"""Kind and text of each side's reading."""


def gaze_readings(
    policy: Policy, screen: ScreenLimits | ScreenExtent, observation: FrameObservation
) -> Iterator[Reading]:
    """Whether the gaze (eyes and head together) is beyond the edges of the screen."""
    if observation.faces is None and observation.candidate is None:
        return
    gaze = observation.candidate.gaze if observation.candidate else None
    unread = why_unread(observation, "gaze")
    unusable = why_unusable(policy, observation)
    if unusable:
        gaze, unread = None, unusable
    if gaze is not None and gaze.confidence < policy.min_gaze_confidence:
        gaze, unread = None, "gaze too uncertain"
    yield from _sides("gaze", gaze, screen, gaze.confidence if gaze else 0.0, unread)


def head_readings(policy: Policy, observation: FrameObservation) -> Iterator[Reading]:
    """Whether the head is turned beyond its limits."""
    if observation.faces is None and observation.candidate is None:
        return
    head, presence = None, 1.0
    if observation.candidate is not None:
        head, track = observation.candidate.head, observation.candidate.track
        presence = next((f.presence for f in observation.faces or () if f.track == track), 1.0)
    unusable = why_unusable(policy, observation)
    unread = unusable or why_unread(observation, "head")
    yield from _sides("head", None if unusable else head, policy.head, presence, unread)


def _sides(
    what: str,
    angles: Gaze | HeadPose | None,
    limits: ScreenLimits | ScreenExtent | HeadLimits,
    confidence: float,
    unread: str,
) -> Iterator[Reading]:
    """One reading for each side; unreadable where there is no angle."""
    yaw = None if angles is None else angles.yaw
    pitch = None if angles is None else angles.pitch
    for (kind, text), angle, outward, limit in (
        (_KINDS[what, "left"], yaw, 1, limits.left),
        (_KINDS[what, "right"], yaw, -1, limits.right),
        (_KINDS[what, "up"], pitch, 1, limits.up),
        (_KINDS[what, "down"], pitch, -1, limits.down),
    ):
        if angle is None:
            yield Reading(kind, None, text=unread)
        else:
            value = outward * angle
            yield Reading(kind, value >= limit, confidence, value, text)
