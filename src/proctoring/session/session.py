"""The event loop half of a session: sockets, arriving media, media time and lifetime."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from proctoring.audio.speaker_reference import SpeakerReference
from proctoring.browser.report import BrowserReport, observe
from proctoring.errors import BadFrameError, LimitReachedError, NotNowError
from proctoring.incidents import IncidentChange
from proctoring.judgement.inputs import CalibrationRequested, ChallengeRequested
from proctoring.observations import SocketReplaced
from proctoring.session.audio_session import AudioReply, AudioSession
from proctoring.session.clock import MediaClock
from proctoring.session.config import SessionConfig, SessionResources
from proctoring.session.continuation import Continuation
from proctoring.session.counters import AudioCounts, FrameCounts, SessionCounters
from proctoring.session.keeper import StateKeeper
from proctoring.session.lifetime import IdleTimer
from proctoring.session.load import Slowed
from proctoring.session.media_monitor import MediaMonitor
from proctoring.session.media_source import MediaSource, SessionState
from proctoring.session.messages import (
    FrameReply,
    ReceivedFrame,
    SessionEnd,
    TranscriptionStatus,
)
from proctoring.session.outcomes import (
    FrameLimited,
    FrameReceived,
    FrameReplaced,
    MessageRefused,
)
from proctoring.session.pipeline import Pipeline
from proctoring.session.remote_speakers import RemoteSpeakers
from proctoring.session.sinks import Sink, Sinks
from proctoring.session.takeover import describe_takeover
from proctoring.session.transcription import TranscriptionService, TranscriptionSession
from proctoring.session.worker import SessionWorker


class Session:
    """Stamps what arrives with media time and posts it to the session's worker.

    Every method is for the event loop; none blocks.

    Args:
        pipeline: the session's own. Used by the worker; here only for what any thread may read.
        sinks: receive every outcome, in this order, after the session's own counters.
        done: set by one of the sinks when the end of the session is published.
        withdraw: from this call on, nothing of the session is published or recorded.
        now: seconds of the clock that all methods use.
    """

    def __init__(
        self,
        config: SessionConfig,
        resources: SessionResources,
        pipeline: Pipeline,
        sinks: Sequence[Sink],
        *,
        done: Future[None],
        withdraw: Callable[[], None] = lambda: None,
        now: float,
    ) -> None:
        self.session_id = config.sitting.session_id
        self.sitting_id = config.sitting.id
        self.epoch = config.sitting.epoch
        self.started_at = config.sitting.started_at
        self.mirrored = config.mirrored
        self.policy = pipeline.policy
        self.state = SessionState.OPEN
        self.recorded: Future[None] = Future()
        """Set when the start of the session is stored. Until then no client may use it."""
        self.done = done
        """Set when the session has ended and everything of it is stored and published."""
        self.keeper: StateKeeper | None = None
        """Has its state taken; ``None`` where it is not kept."""
        self._withdraw = withdraw
        self._pipeline = pipeline
        self._counters = SessionCounters()
        self._sinks = Sinks((self._counters, *sinks))
        self._media = MediaClock()
        self._arrivals = MediaMonitor()
        self._idle = IdleTimer(config.lifetime, now, awaited=config.awaited)
        self._video: MediaSource | None = None
        self._audio: MediaSource | None = None
        self._video_address = self._audio_address = ""
        self._flow = (1.0, Slowed.NO)
        """What was last sent to the video socket."""
        wanted = self.policy.transcription
        service = None if wanted.engine == "off" else resources.transcription
        by_deepgram = service is not None and self.policy.audio.diarization == "deepgram"
        remote = RemoteSpeakers() if by_deepgram else None
        self._worker = SessionWorker(
            pipeline,
            self._sinks,
            resources.pool,
            max_pixels=config.max_pixels,
            remote_speakers=remote,
        )
        self.transcription = None if service is None else self._start_transcription(service)
        """``None`` where there is none."""
        self._audio_session = AudioSession(
            resources.audio, resources.pool, self._worker.post, self._sinks, self.transcription
        )
        half = (self._media, self._arrivals, self._idle, self._counters)
        self.continuation = Continuation(*half, self._audio_session, self.transcription, remote)
        """What another process needs of this half and of its sound."""
        self.post, self.emit = self._worker.post, self._sinks.emit
        """Leaves a message for the worker; hands an outcome to the sinks. For who constructs the session."""

    @property
    def media_time(self) -> float | None:
        """Media time of the last media in seconds; ``None`` before the first."""
        if not self._media.started:
            return None
        return max(self._media.last, self._audio_session.end_time or 0.0)

    @property
    def guidance(self) -> dict[str, dict[str, Any]]:
        """The state of enrolment, calibration and challenge, as on the events socket."""
        return self._pipeline.guidance

    @property
    def frames(self) -> FrameCounts:
        """Its frames by outcome."""
        return self._counters.frames

    @property
    def audio(self) -> AudioCounts:
        """Its audio by outcome."""
        return self._counters.audio

    @property
    def open_incidents(self) -> tuple[IncidentChange, ...]:
        """The last change of each open incident: worst severity first, then longest open."""
        return self._counters.open_incidents

    @property
    def last_alert(self) -> IncidentChange | None:
        """The start of the newest incident that alerted."""
        return self._counters.last_alert

    @property
    def has_video(self) -> bool:
        """Whether a video socket is open."""
        return self._video is not None

    @property
    def has_audio(self) -> bool:
        """Whether an audio socket is open."""
        return self._audio is not None

    @property
    def rate(self) -> float:
        """Share of the full rate at which it is analysed now."""
        return self._worker.decided.rate

    @property
    def slowed(self) -> Slowed:
        """Why that is less than the full rate."""
        return self._worker.decided.slowed

    # Sockets.

    def attach_video(self, source: MediaSource, now: float, *, address: str = "") -> None:
        """Set the video socket. A previous one is replaced and notified, which reviewers are told.

        ``address`` is its client's; only its kind, and whether it is another one, are recorded.
        """
        older, self._video = self._video, source
        before, self._video_address = self._video_address, address
        self._idle.touch(now)
        self._flow = (self.rate, self.slowed)
        source.flow(*self._flow)
        if older is not None:
            self._taken_over("video", older, describe_takeover(before, address), now)

    def detach_video(self, source: MediaSource, now: float) -> None:
        """Remove the video socket. Does nothing if a newer one has replaced it."""
        if self._video is source:
            self._video = None
            self._idle.touch(now)

    def attach_audio(
        self,
        source: MediaSource,
        reply: AudioReply,
        start: int | None,
        now: float,
        *,
        address: str = "",
    ) -> None:
        """Set the audio socket, as ``attach_video``.

        ``start`` is the capture time of its first sample, in microseconds of the frames' clock.
        """
        older, self._audio = self._audio, source
        before, self._audio_address = self._audio_address, address
        self._idle.touch(now)
        at = None if start is None else self._media.locate(now, start)
        self._audio_session.connect(at, reply)
        if older is not None:
            self._taken_over("audio", older, describe_takeover(before, address), now)

    def detach_audio(self, source: MediaSource, now: float) -> None:
        """Remove the audio socket. Does nothing if a newer one has replaced it."""
        if self._audio is source:
            self._audio = None
            self._idle.touch(now)

    def listener_joined(self, now: float) -> None:
        """An events socket was opened: it keeps a session open that has had no media."""
        self._idle.listener_joined(now)

    def listener_left(self, now: float) -> None:
        """An events socket was closed."""
        self._idle.listener_left(now)

    # What arrives.

    def receive_frame(
        self, data: bytes, capture: int | None, reply: FrameReply, now: float
    ) -> None:
        """Post a JPEG to the worker. It is analysed unless a newer one arrives before its turn."""
        if self.state is not SessionState.OPEN:
            return
        frame = ReceivedFrame(data, self._media.stamp(now, capture), capture, now, reply)
        self._sinks.emit(FrameReceived(frame))
        self._idle.touch(now)
        self._arrivals.frame_arrived(now)
        replaced = self._worker.post_frame(frame)
        if replaced is not None:
            self._sinks.emit(FrameReplaced(replaced))
        self._report_arrivals(now)

    def fits_clock(self, capture: int, now: float) -> bool:
        """Whether a capture time of audio or a report, in microseconds, fits those of the frames."""
        return self._media.fits(now, capture)

    def frame_limited(self) -> None:
        """A frame was dropped on arrival because its client sends too many."""
        self._sinks.emit(FrameLimited())

    def message_refused(self, error: BadFrameError, now: float) -> None:
        """A message on the video socket is no frame."""
        self._sinks.emit(MessageRefused(error))
        if self.state is SessionState.OPEN:
            self._arrivals.message_refused(now)
            self._report_arrivals(now)

    def receive_audio(self, source: MediaSource, data: bytes, now: float) -> None:
        """Queue audio for analysis.

        Raises:
            WrongRateError: it is not 16 kHz, 16 bit, mono.
        """
        if self.state is not SessionState.OPEN or self._audio is not source:
            return
        self._audio_session.receive(data, self._media.locate(now))
        self._idle.touch(now)
        self._arrivals.sound_arrived(now)
        self._report_arrivals(now)

    def receive_report(self, report: BrowserReport, now: float) -> None:
        """Post a report of the candidate's browser. Ignored before the first media."""
        if self.state is not SessionState.OPEN or not self._media.started:
            return
        time = max(0.0, self._media.locate(now, report.capture_time))
        self._worker.post(observe(report, time))

    def set_speaker_reference(self, reference: SpeakerReference) -> None:
        """Set the candidate's reference voice, before the first audio or later."""
        self._audio_session.set_reference(reference)

    # Requests.

    def request_challenge(self, action: str | None, now: float) -> None:
        """Challenge the candidate with one of ``ACTIONS``; ``None`` draws one at random.

        Raises:
            NotNowError: no media came yet, or a challenge runs or has just run.
        """
        time = self._request_time(now)
        _refuse(self._pipeline.why_no_challenge(time))
        self._worker.post(ChallengeRequested(time, action))

    def request_calibration(self, now: float) -> None:
        """Begin a guided calibration.

        Raises:
            NotNowError: no media came yet, or one runs.
            LimitReachedError: the policy permits no further attempt.
        """
        time = self._request_time(now)
        reason = self._pipeline.why_no_calibration()
        if self._pipeline.calibration_limit_reached:
            raise LimitReachedError(reason)
        _refuse(reason)
        self._worker.post(CalibrationRequested(time))

    def _request_time(self, now: float) -> float:
        if self.state is not SessionState.OPEN or not self._media.started:
            raise NotNowError("no media has arrived yet")
        return self._media.locate(now)

    # Time.

    def tick(self, now: float) -> None:
        """Update the flow, report what arrives, end the session when it has expired. To be called
        a few times a second."""
        if self.state is not SessionState.OPEN:
            return
        flow = (self.rate, self.slowed)
        if self._video is not None and flow != self._flow:
            self._flow = flow
            self._video.flow(*flow)
        if self.transcription is not None:
            self.transcription.poll()
        self._report_arrivals(now)
        connected = self.has_video or self.has_audio
        if self._idle.has_expired(now, connected=connected, media_seen=self._arrivals.media_seen):
            self.end("no media arrived for too long", now)

    def end(self, detail: str, now: float) -> None:
        """End the session: sockets are notified, open incidents end. Returns before ``done``."""
        if self.state is not SessionState.OPEN:
            return
        self.state = SessionState.ENDED
        for source in (self._video, self._audio):
            if source is not None:
                source.ended(detail)
        self._finish(detail, now)

    def release(self, detail: str, now: float) -> None:
        """Stop at once, without ending the sitting, which goes on at another server or has ended there."""
        self._withdraw()
        if self.state is SessionState.OPEN:
            self.leave(detail)
            self._finish(detail, now)

    def leave(self, detail: str) -> None:
        """Close its sockets so that clients connect again; what came so far is still judged and told."""
        self.state = SessionState.MOVED
        for source in (self._video, self._audio):
            if source is not None:
                source.moved(detail)

    def finish_leaving(self, detail: str, now: float) -> None:
        """After ``leave``: publish nothing more, and stop."""
        self._withdraw()
        self._finish(detail, now)

    def _finish(self, detail: str, now: float) -> None:
        self._video = self._audio = None
        # In this order: audio that waits is analysed, then transcribed, then the session ends.
        end = partial(self._worker.post, SessionEnd(self._media.extrapolate(now), detail))
        self._audio_session.end(
            end if self.transcription is None else partial(self.transcription.end, end)
        )

    def _report_arrivals(self, now: float) -> None:
        """Have judged what arrives, where that is due: also while a step of the worker takes long."""
        arrivals, frames = self._arrivals, self.frames
        arrivals.frames_counted(frames)
        if not arrivals.is_due(now):
            return
        arrive = arrivals.frames_arrive(now)
        time = self._media.locate(now) if arrive else self._media.extrapolate(now)
        self._worker.post_arrival(arrivals.report(now, time, frames))

    def _taken_over(self, media: str, older: MediaSource, origin: str, now: float) -> None:
        older.replaced()
        if self._media.started:  # media time is fixed by the first media
            self._worker.post(SocketReplaced(self._media.locate(now), media, origin))

    def _start_transcription(self, service: TranscriptionService) -> TranscriptionSession:
        wanted = self.policy.transcription
        return TranscriptionSession(
            service,
            wanted.engine,
            interim=wanted.interim and wanted.publish,
            publish=self._worker.post,
            status_changed=self._transcription_changed,
        )

    def _transcription_changed(self, trouble: str) -> None:
        """Called from a transcription thread."""
        self._worker.post(TranscriptionStatus(self.media_time or 0.0, trouble))


def _refuse(reason: str) -> None:
    if reason:
        raise NotNowError(reason)
