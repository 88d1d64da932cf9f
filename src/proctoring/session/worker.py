"""The worker half of a session: decodes, analyses and judges what the event loop half received."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from threading import RLock

from proctoring.errors import BadFrameError
from proctoring.incidents import IncidentChange
from proctoring.judgement.inputs import CalibrationRequested, ChallengeRequested, JudgementInput
from proctoring.observations import ConnectionObservation, TranscriptObservation
from proctoring.records.entries import Notice
from proctoring.session.deferred_runner import DeferredRunner
from proctoring.session.inbox import Inbox
from proctoring.session.load import SessionRate
from proctoring.session.messages import (
    DeferredDone,
    Message,
    ReceivedFrame,
    SessionEnd,
    SoundAnalysed,
    StateWanted,
    TranscriptionStatus,
)
from proctoring.session.notices import transcript_notice, transcription_notice
from proctoring.session.outcomes import (
    DeferredAnalysed,
    DeferredFailed,
    FrameAnalysed,
    FrameFailed,
    FrameRefused,
    FrameSkipped,
    JudgementFailed,
    JudgementUpdate,
    Outcome,
    SessionEnded,
)
from proctoring.session.pipeline import Pipeline
from proctoring.session.remote_speakers import RemoteSpeakers
from proctoring.session.sinks import Sinks
from proctoring.session.worker_pool import WorkerPool
from proctoring.vision.analyser import FACE_RATE, FrameAnalysis
from proctoring.vision.decode import read_jpeg
from proctoring.vision.deferred import DeferredResult
from proctoring.vision.frame import Frame

_log = logging.getLogger(__name__)

REFUSED_SHARE = 0.1
"""Share of a worker's time that a session gets for frames that are refused: after one, its frames are
skipped for the other nine tenths. After a frame of 640 x 480 that was cut short this is some 20 ms."""


class SessionWorker:
    """Decodes and analyses on pool threads, one step at a time. What is found is judged and emitted
    under a lock: observations of what arrives are judged beside a step, which may take long.

    ``post``, ``post_arrival``, ``post_frame`` and ``decided`` may be used from any thread.

    Args:
        pipeline: the session's own.
        sinks: receive every outcome.
        max_pixels: largest frame that is decoded.
        remote_speakers: replaces the speakers found here by those of a remote transcriber, where the
            policy asks for that.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        sinks: Sinks,
        pool: WorkerPool,
        *,
        max_pixels: int,
        remote_speakers: RemoteSpeakers | None = None,
    ) -> None:
        self._pipeline = pipeline
        self._sinks = sinks
        self._max_pixels = max_pixels
        self._remote_speakers = remote_speakers
        self._inbox = Inbox()
        self._turn = RLock()
        """Held while the pipeline judges and outcomes are emitted; never while a frame is decoded or
        analysed."""
        self._ended = False
        self._pool = pool
        self._queue = pool.serial_queue(self._step)
        self._deferred = DeferredRunner(pool, self._post_deferred)
        self._deferred_analysis: FrameAnalysis | None = None
        """The last deferred detection's, until the next frame's reply carries it."""
        self._resting_until = float("-inf")
        """Frames that arrive before are not decoded."""
        self._waiting_end: SessionEnd | None = None
        """The end, while it waits for a deferred detection."""

    @property
    def decided(self) -> SessionRate:
        """The rate at which the session is analysed now."""
        return self._queue.decided()

    def post(self, message: Message) -> None:
        """Leave a message for the worker."""
        self._inbox.put(message)
        self._queue.schedule()

    def post_arrival(self, observation: ConnectionObservation) -> None:
        """Have an observation judged soon, also while a step is running."""
        self._pool.run_aside(partial(self._handle, observation))

    def post_frame(self, frame: ReceivedFrame) -> ReceivedFrame | None:
        """Leave a frame for the worker. Returns the frame that it replaced, if one was waiting."""
        replaced = self._inbox.put_frame(frame)
        self._queue.schedule()
        return replaced

    def _step(self) -> None:
        for item in self._inbox.drain():
            if isinstance(item, ReceivedFrame):
                self._analyse(item)
            else:
                self._handle(item)

    def _post_deferred(self, result: DeferredResult | None) -> None:
        # A failed one has no time of its own and is handled before everything that waits.
        self.post(DeferredDone(0.0 if result is None else result.time, result))

    # Messages.

    def _handle(self, message: Message) -> None:
        with self._turn:
            if not self._ended:
                self._handle_in_turn(message)

    def _handle_in_turn(self, message: Message) -> None:
        if isinstance(message, SessionEnd) and not self._deferred.is_free:
            self._waiting_end = message
            return
        try:
            self._apply(message)
        except Exception:  # noqa: BLE001  # later messages must still be handled, above all the end
            _log.exception("an observation could not be judged")
            self._sinks.emit(JudgementFailed())
        if isinstance(message, SessionEnd):
            self._ended = True
            face = self._pipeline.face_to_keep
            self._sinks.emit(SessionEnded(message.time, message.detail, face))
        elif isinstance(message, DeferredDone) and self._waiting_end is not None:
            self._handle_in_turn(self._waiting_end)

    def _apply(self, message: Message) -> None:
        match message:
            case SessionEnd():
                self._queue.close()
                self._deferred.close()
                waiting = self._inbox.pop_frame()
                if (
                    waiting is not None
                ):  # it arrived while the step that ends the session was running
                    self._sinks.emit(FrameSkipped(waiting))
                self._publish(message.time, self._pipeline.finish(message.time))
            case TranscriptionStatus(time, trouble):
                if self._remote_speakers is not None:
                    self._remote_speakers.trouble = trouble
                engine = self._pipeline.policy.transcription.engine
                self._publish(time, (), transcription_notice(engine, trouble))
            case DeferredDone():
                self._apply_deferred(message.result)
            case StateWanted():
                message.take()
            case SoundAnalysed(observation):
                message.judged()
                self._publish(message.time, self._judge(observation))
            case _:
                changes = self._judge(message)
                notice, pending = self._transcript_notice(message), _frames_pending(message)
                self._publish(message.time, changes, notice, frames_pending=pending)

    def _apply_deferred(self, result: DeferredResult | None) -> None:
        self._deferred.release()
        if result is None:
            self._sinks.emit(DeferredFailed())
            return
        analysis, changes = self._pipeline.apply_result(result)
        self._deferred_analysis = analysis
        self._sinks.emit(DeferredAnalysed(analysis.observation, result.milliseconds))
        self._publish(result.time, changes)

    def _judge(self, item: JudgementInput) -> tuple[IncidentChange, ...]:
        if self._remote_speakers is None or isinstance(
            item, ChallengeRequested | CalibrationRequested
        ):
            return self._pipeline.apply(item)
        selected = self._remote_speakers.select(item)
        return tuple(change for one in selected for change in self._pipeline.apply(one))

    def _transcript_notice(self, item: JudgementInput) -> Notice | None:
        """The notice with a transcript's text, where the policy publishes transcripts."""
        policy = self._pipeline.policy
        if isinstance(item, TranscriptObservation) and policy.transcription.publish:
            return transcript_notice(item, kept=policy.records.transcripts)
        return None

    # Frames.

    def _analyse(self, received: ReceivedFrame) -> None:
        self._pipeline.analyser.rate = FACE_RATE * self._queue.decided().rate
        if received.arrived < self._resting_until or not self._pipeline.is_due(received.time):
            self._emit(FrameSkipped(received))
            return
        processor_time = time.thread_time()
        try:
            began = time.perf_counter()
            frame = Frame(received.time, read_jpeg(received.data, max_pixels=self._max_pixels))
            decode_ms = (time.perf_counter() - began) * 1000
            analysis = self._pipeline.analyser.analyse_immediate(
                frame, allow_deferred=self._deferred.is_free
            )
        except BadFrameError as error:
            spent = time.thread_time() - processor_time
            self._resting_until = received.arrived + spent / REFUSED_SHARE
            self._emit(FrameRefused(received, error))
            _reply(partial(received.reply.refused, error))
        except Exception:  # noqa: BLE001  # affects this frame only
            self._fail(received)
        else:
            decode_ms += analysis.milliseconds.pop("decode", 0.0)
            with self._turn:
                self._judge_frame(received, analysis, decode_ms)

    def _judge_frame(
        self, received: ReceivedFrame, analysis: FrameAnalysis, decode_ms: float
    ) -> None:
        """Judge what was found in a frame, and publish it."""
        deferred = analysis.deferred
        try:
            changes = self._pipeline.apply(analysis.observation)
            if deferred is not None:
                self._deferred.start(deferred)
        except Exception:  # noqa: BLE001  # affects this frame only
            self._fail(received)
            return
        analysis = replace(analysis, deferred=None, earlier=self._deferred_analysis)
        self._deferred_analysis = None
        latency = time.monotonic() - received.arrived
        self._sinks.emit(
            FrameAnalysed(received, analysis, decode_ms, latency, deferred is not None)
        )
        self._publish(received.time, changes)
        _reply(partial(received.reply.analysed, received, analysis, decode_ms))

    def _fail(self, received: ReceivedFrame) -> None:
        """Called while the exception is handled."""
        _log.exception("the analysis of a frame failed")
        self._emit(FrameFailed(received))
        _reply(received.reply.failed)

    def _emit(self, outcome: Outcome) -> None:
        with self._turn:
            self._sinks.emit(outcome)

    def _publish(
        self,
        time: float,
        changes: tuple[IncidentChange, ...],
        notice: Notice | None = None,
        *,
        frames_pending: bool = False,
    ) -> None:
        """Emit what the last call of the pipeline gave, guidance for the candidate first.

        The last that is published carries the state of judgement: one that is stored without what
        follows must not be ahead of it.
        """
        self._queue.set_suspicious(self._pipeline.suspicious)
        updates = [
            JudgementUpdate(time, (), guidance, frames_pending)
            for guidance in self._pipeline.take_notices()
        ]
        told = bool(changes) or notice is not None
        if told:
            updates.append(JudgementUpdate(time, changes, notice, frames_pending))
        if updates:
            updates[-1] = replace(updates[-1], state=self._pipeline.state)
        if not told:
            updates.append(JudgementUpdate(time, (), None, frames_pending))
        for update in updates:
            self._sinks.emit(update)


def _frames_pending(item: JudgementInput) -> bool:
    """Whether frames that arrived before this input may still be analysed: what arrives is judged beside
    the analysis, everything else after the frames before it."""
    if not isinstance(item, ConnectionObservation):
        return False
    return bool(item.pictures) or (item.unanalysed is not None and item.unanalysed.waiting > 0)


def _reply(send: Callable[[], None]) -> None:
    try:
        send()
    except Exception:  # noqa: BLE001  # the sender's problem; later frames must still be analysed
        _log.exception("the outcome of a frame could not be sent")
