"""Readings about presentation attacks: a picture, screen or replay instead of a live face."""

from __future__ import annotations

from collections.abc import Iterator

from proctoring.judgement.camera import why_unusable
from proctoring.judgement.policy import Policy
from proctoring.judgement.policy.video import LivenessLimits
from proctoring.judgement.reading import Reading
from proctoring.judgement.unread import why_unread
from proctoring.observations import FrameObservation, InjectionIndicators, Liveness

MOTION_CONFIDENCE = 0.8
"""Confidence of an attack by parallax or motion alone. Set by judgement, not measured."""
STREAM_CONFIDENCE = 0.9
"""Confidence of an attack by a repeated or constant picture. Set by judgement, not measured."""
PARALLAX_FACTOR_IF_TRUSTED = 0.5
"""Factor on ``min_parallax`` if the networks reach ``trusted_score``."""
FROZEN_TIME = 1.0
"""Seconds of identical pictures from which a head without motion is the camera's fault."""


def spoof_readings(policy: Policy, observation: FrameObservation) -> Iterator[Reading]:
    """Whether the face is a presentation attack: one strong indication suffices."""
    life, stream = observation.liveness, observation.stream
    if life is None and stream is None:
        return
    limits, unusable = policy.liveness, why_unusable(policy, observation)
    indications = [*_of_stream(limits, stream)]
    if not unusable:
        indications = [*_of_face(limits, life, stream), *indications]
    if indications:
        text = "; ".join(text for _, text in indications)
        confidence = max(confidence for confidence, _ in indications)
        yield Reading("face.spoof", True, confidence, len(indications), text)
    elif life is None or unusable:
        yield Reading("face.spoof", None, text=unusable or why_unread(observation, "liveness"))
    else:
        yield Reading("face.spoof", False)


def _of_face(
    limits: LivenessLimits, life: Liveness | None, stream: InjectionIndicators | None
) -> Iterator[tuple[float, str]]:
    """Confidence (0 to 1) and text of each indication in the face."""
    if life is None:
        return
    limit = limits.min_score_without_blinks if life.blinks == 0 else limits.min_score
    if life.score is not None and life.score < limit:
        unblinking = ", no blink in 20 s" if life.blinks == 0 else ""
        yield (
            1 - life.score,
            f"liveness {life.score:.2f} by {life.networks} (limit {limit:.2f}{unblinking})",
        )
    trusted = life.score is not None and life.score >= limits.trusted_score
    min_parallax = limits.min_parallax * (PARALLAX_FACTOR_IF_TRUSTED if trusted else 1.0)
    if life.parallax is not None and life.parallax < min_parallax:
        text = f"the face turns as a flat sheet does (parallax {life.parallax:.4f})"
        yield MOTION_CONFIDENCE, text
    frozen = stream is not None and stream.ever_changed and stream.unchanged_for >= FROZEN_TIME
    if life.motion is not None and life.motion < limits.min_motion and not frozen:
        text = f"the head moved less than {limits.min_motion:.2g} eye distances in 10 s"
        yield MOTION_CONFIDENCE, text
    if (
        life.framed_share is not None
        and life.framed_share >= limits.max_framed_share
        and not trusted
    ):
        yield life.framed_share, "a phone or screen surrounds the face"


def _of_stream(
    limits: LivenessLimits, stream: InjectionIndicators | None
) -> Iterator[tuple[float, str]]:
    """Confidence and text of each indication in the stream as a whole."""
    if stream is None:
        return
    if stream.repeats_after is not None and not stream.exact:  # exact: ``camera.looped``
        yield STREAM_CONFIDENCE, f"the picture repeats that of {stream.repeats_after:.1f} s before"
    if not stream.ever_changed and stream.unchanged_for >= limits.max_unchanged_at_start:
        yield STREAM_CONFIDENCE, "one and the same picture since the session began"
