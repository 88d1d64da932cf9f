"""One candidate's sitting, from its first media to its end."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Any, Protocol

from proctoring.audio.analyser import AudioModels
from proctoring.audio.voice_reference import VoiceReference
from proctoring.browser.report import BrowserReport, observe
from proctoring.delivery.events import Notice, SittingRef
from proctoring.errors import BadFrameError, NotNowError
from proctoring.incidents import IncidentChange, IncidentState
from proctoring.judgement.inputs import CalibrationRequested, ChallengeRequested, JudgementInput
from proctoring.observations import ConnectionObservation, Observation, TranscriptObservation
from proctoring.session.clock import MediaClock
from proctoring.session.evidence.watch import EvidenceWatch
from proctoring.session.hearing import Hearing, SoundCount, SoundReply
from proctoring.session.mailbox import Mailbox
from proctoring.session.notices import transcript_notice, transcription_notice
from proctoring.session.pipeline import Pipeline
from proctoring.session.pool import Pool
from proctoring.session.remote_voices import RemoteVoices
from proctoring.session.silence import SILENCE, SILENCE_EVERY
from proctoring.session.slow_looks import SlowLooks
from proctoring.session.tally import Tally
from proctoring.session.transcribing import Transcribing, TranscriptionService
from proctoring.vision.analyser import FACE_RATE, FrameAnalysis
from proctoring.vision.decode import decode_jpeg
from proctoring.vision.deferred import DeferredDetection, DeferredResult
from proctoring.vision.frame import Frame

_log = logging.getLogger(__name__)


class State(StrEnum):
    """Where a session is in its life."""

    OPEN = "open"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Lifetime:
    """When a session that nobody ends is over."""

    grace: float = 120.0
    """Seconds after the last media, once every media socket is closed."""
    patience: float = 3600.0
    """Seconds that a session may stand open without media: one that was made beforehand, one whose
    listeners wait, one whose candidate holds the socket and sends nothing."""


class Reply(Protocol):
    """Whoever sent a frame and hears what became of it. Called from worker threads."""

    def analysed(self, arrival: Arrival, analysis: FrameAnalysis, decode_ms: float) -> None:
        """The frame was looked at."""

    def refused(self, error: BadFrameError) -> None:
        """The frame could not be used."""

    def failed(self) -> None:
        """The analysis failed, by no fault of the frame's sender."""


class Source(Protocol):
    """A media socket, as its session sees it. Called where the session's messages arrive."""

    def flow(self, rate: float) -> None:
        """The session is analysed at this share of the full rate from now on."""

    def replaced(self) -> None:
        """A newer source of the same media took over."""

    def ended(self, detail: str) -> None:
        """The session is over."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message with a picture."""

    data: bytes
    """The JPEG as it came."""
    time: float
    """Media time in seconds."""
    capture: int | None
    """The client's stamp, in microseconds."""
    arrived: float
    """When it arrived, in seconds of the session's clock."""
    reply: Reply


@dataclass(frozen=True, slots=True)
class _End:
    time: float
    detail: str


@dataclass(frozen=True, slots=True)
class _Tidings:
    """Something to tell that is no incident."""

    time: float
    notice: Notice


@dataclass(frozen=True, slots=True)
class _Slow:
    """A slow look is over."""

    time: float
    found: DeferredResult | None
    """``None``: it failed."""


_Item = JudgementInput | _Tidings | _Slow | _End


def _refuse(reason: str) -> None:
    if reason:
        raise NotNowError(reason)


@dataclass(slots=True)
class Frames:
    """What became of a session's frames."""

    received: int = 0
    replaced: int = 0
    """A newer one came while this one waited."""
    skipped: int = 0
    """Came sooner than anything was due."""
    analysed: int = 0
    refused: int = 0
    failed: int = 0


class Session:
    """What arrives is stamped and left here at once; the pool's threads do the work.

    ``receive``, ``receive_sound``, ``attach``, ``detach``, ``tick`` and ``end`` are for the one thread where messages
    arrive; the rest happens on the pool, one step at a time.

    Args:
        sitting: its name and when it began.
        pipeline: its own.
        pool: does the work.
        publish: takes sitting, media time, changes and what else is to be told, in order; called
            from the pool's threads.
        ended: called once from the pool, after everything is published, with media time, reason
            and the face that is to be kept; done when everybody was told.
        tally: counts for all sessions.
        audio: what can be heard with.
        transcription: makes words of speech, where the policy wants any.
        now: seconds of the clock that ``receive`` and ``tick`` use.
        mirrored: whether its pictures are.
        awaited: made beforehand, so it waits patiently for its first socket.
        evidence: its own, where the policy wants any.
    """

    def __init__(
        self,
        sitting: SittingRef,
        *,
        pipeline: Pipeline,
        pool: Pool,
        publish: Callable[[SittingRef, float, tuple[IncidentChange, ...], Notice | None], None],
        ended: Callable[[SittingRef, float, str, tuple[float, ...] | None], Future[None]],
        tally: Tally,
        audio: AudioModels,
        now: float,
        lifetime: Lifetime,
        mirrored: bool = False,
        awaited: bool = False,
        max_pixels: int,
        transcription: TranscriptionService | None = None,
        evidence: EvidenceWatch | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.session_id = sitting.session_id
        self.began_at = sitting.began_at
        self.mirrored = mirrored
        self.policy = pipeline.policy
        self.frames = Frames()
        self.state = State.OPEN
        self.open_incidents: dict[int, str] = {}
        """Numbers of incidents that run now, and their kinds."""
        self.recorded: Future[None] = Future()
        """Set when it is written that the session began: nobody may be told of it before."""
        self.done: Future[None] = Future()
        """Set when the session ended and everything of it is written and told."""
        self._sitting = sitting
        self._pipeline = pipeline
        self._publish = publish
        self._ended = ended
        self._tally = tally
        self._lifetime = lifetime
        self._awaited = awaited
        self._max_pixels = max_pixels
        self._evidence = evidence
        self._clock = clock
        self._media = MediaClock()
        self._mailbox: Mailbox[Arrival] = Mailbox()
        self._inbox: deque[_Item] = deque()
        self._lane = pool.lane(self._step)
        self._slow = SlowLooks(pool, self._looked_slowly)
        self._earlier: FrameAnalysis | None = None
        """What a slow look gave, until the next frame's reply carries it."""
        self._waiting_end: _End | None = None
        """The end, while a slow look is still made."""
        self.words = self._begin_words(transcription)
        """Its transcription, if it has one."""
        remote = self.words is not None and self.policy.sound.speakers == "deepgram"
        self._remote_voices = RemoteVoices() if remote else None
        all_heard = self._heard_everything if self.words is None else self.words.end
        self._hearing = Hearing(
            audio,
            pool,
            self._heard,
            all_heard,
            self.words,
            arrived=None if evidence is None else evidence.sound,
        )
        self._last_word: _End | None = None
        self._video: Source | None = None
        self._audio: Source | None = None
        self._flow = 1.0
        """The rate that the video socket was told last."""
        self._listeners = 0
        self._active_at = now
        """When media arrived or a socket came or went, last."""
        self._media_at: float | None = None
        self._silent_at: float | None = None
        """When the last observation of silence was made, while it lasts."""

    @property
    def media_time(self) -> float | None:
        """Media time of the last media in seconds; ``None`` before the first."""
        if not self._media.started:
            return None
        return max(self._media.last, self._hearing.end_time or 0.0)

    @property
    def guidance(self) -> dict[str, dict[str, Any]]:
        """How enrolment, calibration and challenge stand: what ``/events`` tells of changes."""
        return self._pipeline.guidance

    @property
    def sound(self) -> SoundCount:
        """What became of its sound."""
        return self._hearing.count

    @property
    def has_video(self) -> bool:
        """Whether a video socket is open."""
        return self._video is not None

    @property
    def has_audio(self) -> bool:
        """Whether an audio socket is open."""
        return self._audio is not None

    def attach(self, source: Source, now: float) -> None:
        """A video socket opens; the one before, if any, is told and replaced."""
        older, self._video = self._video, source
        self._active_at = now
        self._flow = self.rate
        source.flow(self._flow)
        if older is not None:
            older.replaced()

    def detach(self, source: Source, now: float) -> None:
        """A video socket is gone. Does nothing if a newer one took its place."""
        if self._video is source:
            self._video = None
            self._active_at = now

    def attach_audio(
        self, source: Source, reply: SoundReply, start: int | None, now: float
    ) -> None:
        """An audio socket opens; the one before, if any, is told and replaced.

        ``start`` is the capture time of its first sample, in microseconds of the pictures' clock.
        """
        older, self._audio = self._audio, source
        self._active_at = now
        at = None if start is None else self._media.locate(now, start)
        self._hearing.begin(at, reply)
        if older is not None:
            older.replaced()

    def detach_audio(self, source: Source, now: float) -> None:
        """An audio socket is gone. Does nothing if a newer one took its place."""
        if self._audio is source:
            self._audio = None
            self._active_at = now

    def receive_sound(self, source: Source, data: bytes, now: float) -> None:
        """Leave sound; all of it is listened to.

        Raises:
            WrongRateError: it is not 16 kHz, 16 bit, mono.
        """
        if self.state is State.ENDED or self._audio is not source:
            return
        before = self.sound.missing
        self._hearing.receive(data, self._media.locate(now))
        self._tally.sound_missing.inc(self.sound.missing - before)
        self._active_at = now
        if not self.frames.received:  # where there are pictures, they tell whether media arrives
            self._arrived(self._media.locate(now), now)

    def receive_report(self, report: BrowserReport, now: float) -> None:
        """Leave what the candidate's browser reports. Before the first media there is no time for
        it to belong to, and nothing to judge."""
        if self.state is State.ENDED or not self._media.started:
            return
        time = self._media.locate(now, report.capture_time)
        self._inbox.append(observe(report, time))
        self._lane.wake()

    def know_voice(self, reference: VoiceReference) -> None:
        """The candidate's voice is given, before the first sound or later."""
        self._hearing.know(reference)

    def ask_for_movement(self, action: str | None, now: float) -> None:
        """Challenge the candidate: one of ``ACTIONS``, or one drawn by chance.

        Raises:
            NotNowError: no media came yet, or a challenge runs or has just run.
        """
        time = self._time_to_ask(now)
        _refuse(self._pipeline.why_no_challenge(time))
        self._inbox.append(ChallengeRequested(time, action))
        self._lane.wake()

    def begin_calibration(self, now: float) -> None:
        """Begin a guided calibration.

        Raises:
            NotNowError: no media came yet, one runs, or the policy allows no more.
        """
        time = self._time_to_ask(now)
        _refuse(self._pipeline.why_no_calibration())
        self._inbox.append(CalibrationRequested(time))
        self._lane.wake()

    def _time_to_ask(self, now: float) -> float:
        if self.state is State.ENDED or not self._media.started:
            raise NotNowError("no pictures have come yet")
        return self._media.locate(now)

    def listener_came(self, now: float) -> None:
        """Somebody listens: worth waiting for, as long as no media came."""
        self._listeners += 1
        self._active_at = now

    def listener_left(self, now: float) -> None:
        """Somebody listens no more."""
        self._listeners -= 1
        self._active_at = now

    def receive(self, data: bytes, capture: int | None, reply: Reply, now: float) -> None:
        """Leave a picture; it is looked at if nothing newer comes before its turn."""
        if self.state is State.ENDED:
            return
        media_time = self._media.stamp(now, capture)
        self.frames.received += 1
        self._tally.received.inc()
        self._active_at = now
        self._arrived(media_time, now)
        if self._evidence is not None:
            self._evidence.picture(media_time, data)
        replaced = self._mailbox.put(Arrival(data, media_time, capture, now, reply))
        if replaced is not None:
            self.frames.replaced += 1
            self._tally.replaced.inc()
        self._lane.wake()

    def tick(self, now: float) -> None:
        """See whether rates changed, media still arrives, the session is over. To be called often."""
        if self.state is State.ENDED:
            return
        if self._video is not None and self.rate != self._flow:
            self._flow = self.rate
            self._video.flow(self._flow)
        if self.words is not None:
            self.words.poll()
        if self._is_silent(now):
            self._silent_at = now
            silent = ConnectionObservation(self._media.extrapolate(now), connected=False)
            self._inbox.append(silent)
            self._lane.wake()
        if now - self._active_at >= self._allowance():
            self.end("no media arrived for too long", now)

    @property
    def rate(self) -> float:
        """Share of the full rate at which it is analysed now."""
        return self._lane.rate()

    def end(self, detail: str, now: float) -> None:
        """End the session: open incidents end, sockets are told. Returns before that is done."""
        if self.state is State.ENDED:
            return
        self.state = State.ENDED
        for source in (self._video, self._audio):
            if source is not None:
                source.ended(detail)
        self._video = self._audio = None
        self._last_word = _End(self._media.extrapolate(now), detail)
        self._hearing.end()

    def _arrived(self, media_time: float, now: float) -> None:
        self._media_at = now
        if self._silent_at is not None:
            self._silent_at = None
            self._inbox.append(ConnectionObservation(media_time, connected=True))
            self._lane.wake()

    def _is_silent(self, now: float) -> bool:
        """Whether media does not arrive and it is time to say so (again)."""
        if self._media_at is None or now - self._media_at < SILENCE:
            return False
        return self._silent_at is None or now - self._silent_at >= SILENCE_EVERY

    def _allowance(self) -> float:
        if self.has_video or self.has_audio:
            return self._lifetime.patience
        if self._media_at is None and (self._awaited or self._listeners > 0):
            return self._lifetime.patience
        return self._lifetime.grace

    # From here on: on the pool's threads, one step at a time.

    def _step(self) -> None:
        arrival = self._mailbox.take()
        while self._inbox and (arrival is None or self._inbox[0].time <= arrival.time):
            self._take(self._inbox.popleft())
        if arrival is not None:
            self._look(arrival)
        while self._inbox:
            self._take(self._inbox.popleft())

    def _begin_words(self, service: TranscriptionService | None) -> Transcribing | None:
        wanted = self.policy.transcription
        if service is None or wanted.engine == "off":
            return None
        return Transcribing(
            service,
            wanted.engine,
            interim=wanted.interim and wanted.tell,
            tell=self._heard,
            changed=self._words_changed,
            ended=self._heard_everything,
        )

    def _words_changed(self, trouble: str) -> None:
        notice = transcription_notice(self.policy.transcription.engine, trouble)
        self._inbox.append(_Tidings(self.media_time or 0.0, notice))
        self._lane.wake()

    def _heard(self, observation: Observation) -> None:
        self._inbox.append(observation)
        self._lane.wake()

    def _looked_slowly(self, found: DeferredResult | None) -> None:
        # One that failed was of no moment: it goes before whatever waits.
        self._inbox.append(_Slow(found.time if found else 0.0, found))
        self._lane.wake()

    def _heard_everything(self) -> None:
        assert self._last_word is not None  # noqa: S101
        self._inbox.append(self._last_word)
        self._lane.wake()

    def _take(self, item: _Item) -> None:
        if isinstance(item, _End) and not self._slow.free:
            self._waiting_end = item
            return
        try:
            if isinstance(item, _End):
                self._lane.close()
                self._slow.close()
                self._tell(item.time, self._pipeline.finish(item.time))
            elif isinstance(item, _Tidings):
                self._tell(item.time, (), item.notice)
            elif isinstance(item, _Slow):
                self._take_slow(item.found)
            else:
                self._tell(item.time, self._judge(item), self._words_in(item))
        except Exception:  # noqa: BLE001  # what follows must still happen, the end above all
            self._tally.errors.inc()
            _log.exception("an observation could not be judged")
        if isinstance(item, _End):
            over = partial(self._over, item)
            if self._evidence is None:
                over()
            else:  # what is still being made of it is told first
                self._evidence.end(over)
        elif isinstance(item, _Slow) and self._waiting_end is not None:
            self._take(self._waiting_end)

    def _over(self, end: _End) -> None:
        told = self._ended(self._sitting, end.time, end.detail, self._pipeline.face_to_keep)
        told.add_done_callback(lambda _: self.done.set_result(None))

    def _begin_slow(self, look: DeferredDetection) -> None:
        self._slow.begin(look)
        if self._evidence is not None:
            self._evidence.looking_slowly(look.frame.time)

    def _take_slow(self, found: DeferredResult | None) -> None:
        self._slow.taken()
        if found is None:
            self._tally.slow_failed.inc()
            if self._evidence is not None:
                self._evidence.looked_slowly(None)
            return
        self._tally.looked_slowly(found.milliseconds)
        self._earlier, changes = self._pipeline.apply_result(found)
        if self._evidence is not None:
            self._evidence.looked_slowly(self._earlier.observation)
        self._tell(found.time, changes)

    def _look(self, arrival: Arrival) -> None:
        self._pipeline.analyser.rate = FACE_RATE * self._lane.rate()
        if not self._pipeline.is_due(arrival.time):
            self.frames.skipped += 1
            self._tally.skipped.inc()
            return
        try:
            began = time.perf_counter()
            pixels = decode_jpeg(arrival.data, max_pixels=self._max_pixels)
            decode_ms = (time.perf_counter() - began) * 1000
            frame = Frame(arrival.time, pixels)
            analysis, changes = self._pipeline.analyse_immediate(
                frame, allow_deferred=self._slow.free
            )
            if self._evidence is not None:
                self._evidence.looked(arrival.data, analysis.observation)
            if analysis.deferred is not None:
                self._begin_slow(analysis.deferred)
            self._tell(arrival.time, changes)
        except BadFrameError as error:
            self.frames.refused += 1
            self._tally.refused.inc()
            arrival.reply.refused(error)
            return
        except Exception:  # noqa: BLE001  # costs this frame; the next may do better
            self.frames.failed += 1
            self._tally.failed.inc()
            _log.exception("the analysis of a frame failed")
            arrival.reply.failed()
            return
        self.frames.analysed += 1
        self._tally.looked(analysis.milliseconds, decode_ms, self._clock() - arrival.arrived)
        analysis = replace(analysis, deferred=None, earlier=self._earlier)
        self._earlier = None
        try:
            arrival.reply.analysed(arrival, analysis, decode_ms)
        except Exception:  # noqa: BLE001  # whoever asked; what waits behind this frame must go on
            _log.exception("an observation could not be sent")

    def _judge(self, item: JudgementInput) -> tuple[IncidentChange, ...]:
        if isinstance(item, ChallengeRequested | CalibrationRequested):
            return self._pipeline.apply(item)
        if self._remote_voices is None or self.words is None:
            return self._pipeline.apply(item)
        chosen = self._remote_voices.choose(item, self.words.trouble)
        return tuple(change for one in chosen for change in self._pipeline.apply(one))

    def _words_in(self, item: JudgementInput) -> Notice | None:
        """What listeners get to read of an observation."""
        if isinstance(item, TranscriptObservation) and self.policy.transcription.tell:
            return transcript_notice(item, kept=self.policy.records.transcripts)
        return None

    def _tell(
        self,
        media_time: float,
        changes: tuple[IncidentChange, ...],
        notice: Notice | None = None,
    ) -> None:
        for told in self._pipeline.take_notices():
            self._publish(self._sitting, media_time, (), told)
        for change in changes:
            self._tally.changed(change)
            if change.state is IncidentState.ENDED:
                self.open_incidents.pop(change.number, None)
            else:
                self.open_incidents[change.number] = change.kind
        if self._evidence is not None:
            self._evidence.tell(media_time, changes, notice)
        elif changes or notice is not None:
            self._publish(self._sitting, media_time, changes, notice)
