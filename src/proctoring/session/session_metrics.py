"""Prometheus metrics over all sessions of a process. They identify no session."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

from proctoring.session.analyser_times import AnalyserTimes
from proctoring.session.outcomes import (
    AudioReceived,
    DeferredAnalysed,
    DeferredFailed,
    FrameAnalysed,
    FrameFailed,
    FrameLimited,
    FrameReceived,
    FrameRefused,
    FrameReplaced,
    FrameSkipped,
    JudgementFailed,
    JudgementUpdate,
    MessageRefused,
    Outcome,
    SinkFailed,
)

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5)
"""Upper bounds of latency buckets, finest around the goal of 100 ms."""


class SessionMetrics:
    """Counters and histograms; a sink of every session.

    Args:
        registry: exports them.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        def frames(outcome: str, text: str) -> Counter:
            return Counter(f"proctoring_frames_{outcome}", text, registry=registry)

        self._received = frames("received", "Frames that arrived")
        self._replaced = frames("replaced", "Frames replaced by a newer one while they waited")
        self._skipped = frames("skipped", "Frames for which no analysis was due")
        self._refused = frames(
            "refused", "Frames that could not be decoded, and messages that are no frames"
        )
        self._carried = frames(
            "carried_over", "Analysed frames to which the faces of an earlier one were carried over"
        )
        self._failed = frames("failed", "Frames whose analysis failed")
        self._deferred_failed = Counter(
            "proctoring_deferred_detections_failed",
            "Deferred detections (objects) that failed",
            registry=registry,
        )
        self._limited = frames("limited", "Frames dropped because their socket sent too many")
        self._audio_missing = Counter(
            "proctoring_audio_missing_seconds",
            "Audio that never arrived or did not fit into its buffer",
            registry=registry,
        )
        self.evidence_lost = Counter(
            "proctoring_evidence_lost",
            "Stills and clips that a policy asked for and that could not be stored",
            registry=registry,
        )
        self.webhooks_given_up = Counter(
            "proctoring_webhook_messages_given_up",
            "Webhook messages that were never accepted",
            registry=registry,
        )
        self._errors = Counter(
            "proctoring_judgement_errors",
            "Observations that could not be judged, outcomes that could not be handled",
            registry=registry,
        )
        self._latency = Histogram(
            "proctoring_frame_latency_seconds",
            "Time from a frame's arrival to its observation",
            buckets=_SECONDS,
            registry=registry,
        )
        self._analysis = AnalyserTimes(_SECONDS, registry)
        self._incidents = Counter(
            "proctoring_incident_changes",
            "Incidents that started, were updated or ended",
            ["kind", "state"],
            registry=registry,
        )
        self.sessions_begun = Counter(
            "proctoring_sessions_begun", "Sessions that began", registry=registry
        )
        self.sessions_continued = Counter(
            "proctoring_sessions_continued",
            "Sessions that another process left and that continued here",
            registry=registry,
        )
        self.sessions_ended = Counter(
            "proctoring_sessions_ended", "Sessions that ended", registry=registry
        )

    def accept(self, outcome: Outcome) -> None:
        """Count an outcome of a session."""
        match outcome:
            case FrameReceived():
                self._received.inc()
            case FrameReplaced():
                self._replaced.inc()
            case FrameSkipped():
                self._skipped.inc()
            case FrameRefused() | MessageRefused():
                self._refused.inc()
            case FrameLimited():
                self._limited.inc()
            case FrameFailed():
                self._failed.inc()
            case FrameAnalysed():
                if outcome.analysis.observation.carried_since is not None:
                    self._carried.inc()
                self._latency.observe(outcome.latency)
                self._analysis.observe(
                    {"decode": outcome.decode_ms, **outcome.analysis.milliseconds}
                )
            case DeferredAnalysed():
                self._analysis.observe(outcome.milliseconds)
            case DeferredFailed():
                self._deferred_failed.inc()
            case AudioReceived():
                self._audio_missing.inc(outcome.missing)
            case JudgementUpdate():
                for change in outcome.changes:
                    self._incidents.labels(change.kind, change.state.value).inc()
            case JudgementFailed() | SinkFailed():
                self._errors.inc()
