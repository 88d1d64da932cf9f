"""A session's clocks, counters and sound, continued by another process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.attributes import attributes, check_kept, differences
from tests.audio.synthetic import sound, synthetic_models
from tests.session.conftest import DEAF, FakeSocket, SessionUnderTest
from tests.waiting import until

from proctoring.audio.pcm import SAMPLE_RATE, Pcm
from proctoring.audio.speaker_reference import SpeakerReference
from proctoring.incidents import IncidentChange, IncidentState, Severity
from proctoring.observations import AudioObservation
from proctoring.session.audio_buffer import AudioBuffer
from proctoring.session.audio_position import AudioPosition
from proctoring.session.audio_session import AudioSession
from proctoring.session.clock import ClockState, MediaClock
from proctoring.session.continuation import ArrivalState, Continuation
from proctoring.session.counters import AudioCounts, FrameCounts, IncidentsShown, SessionCounters
from proctoring.session.lifetime import IdleTimer, Lifetime
from proctoring.session.load import SessionRate
from proctoring.session.media_monitor import MISSING_AFTER, MediaMonitor, MonitorState
from proctoring.session.messages import SoundAnalysed
from proctoring.session.outcomes import AudioReceived, Outcome
from proctoring.session.remote_speakers import RemoteSpeakers
from proctoring.session.sinks import Sinks
from proctoring.session.sound_state import SoundState, SoundVoices
from proctoring.session.transcription import TranscriptionService, TranscriptionSession
from proctoring.session.worker_pool import SerialQueue, WorkerPool
from proctoring.snapshots import decode, encode

if TYPE_CHECKING:
    from proctoring.audio.transcription.transcribers import Transcribers

SYNTHETIC = synthetic_models()
ELSEWHERE = 4096.0
"""What another process's clock shows when this one's shows 0. Times below are multiples of 1/64 s, so that
their differences are exact."""
SIXTY_FOURTHS = st.integers(0, 640).map(lambda n: n / 64)

MakeSession = Callable[..., SessionUnderTest]

# Media time.

CALLS = st.lists(
    st.tuples(
        st.sampled_from(["stamp", "stamp", "locate", "extrapolate"]),
        st.integers(0, 128).map(lambda n: n / 64),  # seconds since the call before
        st.one_of(st.none(), st.integers(-8_000_000, 8_000_000)),  # capture, from arrival
    ),
    max_size=12,
)


def call(clock: MediaClock, name: str, now: float, capture: int | None) -> float:
    if name == "extrapolate":
        return clock.extrapolate(now)
    return clock.stamp(now, capture) if name == "stamp" else clock.locate(now, capture)


@given(before=CALLS, after=CALLS, pause=SIXTY_FOURTHS)
def test_media_time_goes_on_to_the_bit_and_the_time_in_between_counts(
    before: list[tuple[str, float, int | None]],
    after: list[tuple[str, float, int | None]],
    pause: float,
) -> None:
    here, there, now = MediaClock(), MediaClock(), 0.0
    for name, passed, capture in before:
        now += passed
        call(here, name, now, None if capture is None else 10**15 + int(now * 1e6) + capture)
    state = decode(encode(here.snapshot(now)), ClockState)
    now += pause
    there.restore(state, ELSEWHERE + now - pause)
    for name, passed, capture in after:
        now += passed
        stamp = None if capture is None else 10**15 + int(now * 1e6) + capture
        assert call(here, name, now, stamp) == call(there, name, ELSEWHERE + now, stamp)


def test_capture_times_decide_where_the_two_machines_clocks_differ() -> None:
    here, there = MediaClock(), MediaClock()
    for n in range(10):
        here.stamp(float(n), n * 1_000_000)
    there.restore(here.snapshot(9.0), 100.0 - 3.0)
    # Really two seconds have passed, not three: the client's own clock knows it.
    assert there.stamp(100.0, 11_000_000) == 11.0
    assert there.stamp(101.0, 12_000_000) == 12.0


def test_all_of_the_clock_is_kept() -> None:
    used = MediaClock()
    for now, capture in ((1.0, 5_000_000), (2.0, 6_000_000), (3.0, 6_000_000)):
        used.stamp(now, capture)
    restored = MediaClock()
    restored.restore(decode(encode(used.snapshot(4.0)), ClockState), 4.0)
    check_kept(used, restored, MediaClock(), set())


# What arrives.


def monitored(monitor: MediaMonitor, now: float, media: str, counts: FrameCounts) -> object:
    """One moment of a monitor."""
    if "f" in media:
        monitor.frame_arrived(now)
        counts.received += 1
    if "a" in media:
        counts.analysed = counts.received
    if "s" in media:
        monitor.sound_arrived(now)
    monitor.frames_counted(counts)
    return monitor.report(now, now, counts) if monitor.is_due(now) else None


MEDIA = st.lists(st.sampled_from(["", "fa", "fas", "s", "f"]), max_size=20)


@given(before=MEDIA, after=MEDIA)
def test_reports_go_on_as_if_the_pause_had_not_been(before: list[str], after: list[str]) -> None:
    here, there, counts, now = MediaMonitor(), MediaMonitor(), FrameCounts(), 0.0
    for media in before:
        now += 0.5
        monitored(here, now, media, counts)
    # Frames in work are lost with the process: the comparison is with a client that waited for them.
    monitored(here, now, "a", counts)
    there.restore(decode(encode(here.snapshot(now)), MonitorState), ELSEWHERE + now)
    other = counts.copied()
    for media in after:
        now += 0.5
        one = monitored(here, now, media, counts)
        two = monitored(there, ELSEWHERE + now, media, other)
        assert (one is None) == (two is None)
        if one is not None:
            assert not list(differences(replace(one, time=0.0), replace(two, time=0.0)))  # type: ignore[type-var]


def test_all_of_the_monitor_is_kept() -> None:
    used, counts = MediaMonitor(), FrameCounts(received=3, analysed=3)
    used.frames_counted(counts)
    used.frame_arrived(1.0)
    used.sound_arrived(1.0)
    used.message_refused(2.0)
    used.report(2.0 + MISSING_AFTER, 2.0, counts)
    restored = MediaMonitor()
    restored.restore(decode(encode(used.snapshot(4.0)), MonitorState), 4.0)
    check_kept(used, restored, MediaMonitor(), set())


def test_frames_that_were_lost_with_the_process_are_not_reported_as_unanalysed() -> None:
    used = MediaMonitor()
    used.frame_arrived(1.0)
    used.report(1.0, 0.0, FrameCounts())
    restored = MediaMonitor()
    restored.restore(used.snapshot(1.25), 100.0)
    assert restored.report(101.0, 5.0, FrameCounts()).pictures
    later = restored.report(103.0, 7.0, FrameCounts())
    assert (later.pictures, later.unanalysed) == (False, None)


def test_time_without_a_server_is_no_inactivity() -> None:
    used = IdleTimer(Lifetime(grace=10.0, patience=60.0), 0.0, awaited=True)
    used.touch(5.0)
    restored = IdleTimer(Lifetime(grace=10.0, patience=60.0), 500.0, awaited=False)
    restored.restore(used.idle_for(9.0), 500.0, awaited=used.awaited)
    assert not restored.has_expired(505.9, connected=False, media_seen=True)
    assert restored.has_expired(506.0, connected=False, media_seen=True)
    same = IdleTimer(Lifetime(), 0.0, awaited=False)
    same.restore(used.idle_for(9.0), 9.0, awaited=used.awaited)
    # Listeners' sockets are gone.
    check_kept(used, same, IdleTimer(Lifetime(), 0.0, awaited=False), {"_lifetime", "_listeners"})


def test_all_of_the_counters_is_kept() -> None:
    used = SessionCounters()
    used.frames = FrameCounts(6, 1, 1, 1, 1, 1)
    used.audio = AudioCounts(3.0, 2.0, 1.0)
    change = IncidentChange(
        4,
        "face.absent",
        "Face Absent",
        IncidentState.STARTED,
        Severity.WARNING,
        0.9,
        3.0,
        1.0,
        "",
        True,
    )
    used._open, used.last_alert = {4: change}, change
    restored = SessionCounters()
    shown = decode(encode(used.incidents), IncidentsShown)
    restored.restore(used.frames.copied(), used.audio.copied(), shown)
    check_kept(used, restored, SessionCounters(), set())


def test_which_transcripts_are_waited_for_and_their_trouble_are_kept(
    make_session: MakeSession,
) -> None:
    def remote(live: SessionUnderTest) -> tuple[RemoteSpeakers, Continuation]:
        speakers, transcription = RemoteSpeakers(), Transcriber().session
        return speakers, replace(
            live.session.continuation, remote_speakers=speakers, transcription=transcription
        )

    used, first = remote(make_session())
    used.transcribed_until, used.trouble = 7.5, "no key"
    assert first.transcription is not None
    first.transcription.trouble = "no key"
    restored, second = remote(make_session())
    arrivals, (sound_state, voices) = first.arrival_state(1.0, 0.0), first.sound_state()
    second.restore(arrivals, IncidentsShown(), sound_state, voices, now=1.0, passed=0.0)
    check_kept(used, restored, RemoteSpeakers(), set())


# Sound.


class InTurn(WorkerPool):
    """Runs a step at once, on this thread."""

    def __init__(self) -> None:
        super().__init__(1)

    def serial_queue(
        self,
        step: Callable[[], None],
        *,
        background: bool = False,  # noqa: ARG002  (the pool's own)
    ) -> SerialQueue:
        def schedule() -> None:
            self.again = True
            while self.again:
                self.again = False
                step()

        def reschedule() -> None:
            self.again = True

        return SerialQueue(schedule, reschedule, lambda: None, SessionRate, lambda _: None)


class Heard:
    """An ``AudioSession`` whose observations are judged at once, or not before they are asked for."""

    def __init__(self, *, judging: bool = True) -> None:
        self.observations: list[AudioObservation] = []
        self.waiting: list[SoundAnalysed] = []
        self.judging = judging
        self.missing: list[float] = []
        self.session = AudioSession(SYNTHETIC, InTurn(), self._publish, Sinks((self,)))

    def accept(self, outcome: Outcome) -> None:
        if isinstance(outcome, AudioReceived):
            self.missing.append(outcome.missing)

    def _publish(self, message: SoundAnalysed) -> None:
        self.waiting.append(message)
        if self.judging:
            self.judge()

    def judge(self) -> None:
        """Judge what waits."""
        for message in self.waiting:
            message.judged()
            self.observations.append(message.observation)
        self.waiting = []

    def connect(self, start: float | None) -> None:
        self.session.connect(start, FakeSocket())

    def receive(self, audio: Pcm, at: float) -> None:
        """Audio in messages of a quarter second, each arriving when its last sample was spoken."""
        for first in range(0, len(audio), 4_000):
            piece = audio[first : first + 4_000]
            self.session.receive(piece.tobytes(), at + (first + len(piece)) / SAMPLE_RATE)

    def continued(self, judged_until: float = 0.0) -> Heard:
        """The same in another process."""
        state, voices = self.session.snapshot()
        other = Heard()
        other.session.restore(
            decode(encode(state), SoundState), decode(encode(voices), SoundVoices), judged_until
        )
        return other


SPEECH = sound(("candidate", 4.0), ("", 1.0), ("stranger", 3.0))


def part(start: float, end: float) -> Pcm:
    return SPEECH[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)]


def spans(observations: list[AudioObservation]) -> list[tuple[float, float, bool]]:
    """Begin and end of each observation, and whether it is of a gap."""
    return [(o.time - o.duration, o.time, o.level is None) for o in observations]


def assert_seamless(observations: list[AudioObservation], end: float) -> None:
    """Every moment up to ``end`` was heard or missed, and none twice."""
    at = 0.0
    for start, end_at, _ in spans(observations):
        assert start == pytest.approx(at, abs=1e-4)
        at = end_at
    assert at == pytest.approx(end, abs=1e-4)


def test_sound_that_the_client_kept_is_neither_lost_nor_doubled() -> None:
    first = Heard()
    first.connect(0.0)
    first.receive(part(0.0, 3.3), 0.0)
    second = first.continued()
    # It goes on with what the last process had not yet analysed.
    second.connect(3.0)
    second.receive(part(3.0, 5.0), 5.0)
    assert_seamless(first.observations + second.observations, 5.0)
    assert sum(second.missing) == 0


def test_what_the_last_process_had_not_analysed_is_a_gap() -> None:
    first = Heard()
    first.connect(0.0)
    first.receive(part(0.0, 3.3), 0.0)
    second = first.continued()
    second.connect(5.25)
    second.receive(part(5.25, 7.25), 5.25)
    assert_seamless(first.observations + second.observations, 7.25)
    assert spans(second.observations)[0] == pytest.approx((3.0, 5.25, True))
    assert sum(second.missing) == pytest.approx(2.25)


def test_sound_that_comes_twice_is_skipped() -> None:
    first = Heard()
    first.connect(0.0)
    first.receive(part(0.0, 4.0), 0.0)
    second = first.continued()
    second.connect(2.5)
    second.receive(part(2.5, 6.0), 4.5)
    assert_seamless(first.observations + second.observations, 6.0)


def test_sound_that_was_judged_after_the_state_was_kept_is_not_judged_again() -> None:
    first = Heard()
    first.connect(0.0)
    first.receive(part(0.0, 2.0), 0.0)
    second = first.continued(judged_until=3.0)
    third = first.continued()
    first.receive(part(2.0, 3.0), 2.0)
    for other in (second, third):
        other.connect(0.0)
        other.receive(part(0.0, 5.0), 4.0)
    assert_seamless(first.observations + second.observations, 5.0)
    # It was analysed again all the same: what follows is as if it had been in the state.
    assert not list(differences(second.observations, third.observations[2:]))


def test_if_nothing_but_judgement_is_kept_sound_goes_on_after_what_was_judged() -> None:
    second = Heard()
    second.session.restore(SoundState(), SoundVoices(), judged_until=3.0)
    second.connect(4.0)
    second.receive(part(4.0, 6.0), 4.0)
    assert spans(second.observations)[0] == pytest.approx((3.0, 4.0, True))
    assert second.observations[-1].time == pytest.approx(6.0)


def test_sound_that_was_analysed_and_not_judged_is_a_gap() -> None:
    first = Heard()
    first.connect(0.0)
    first.receive(part(0.0, 2.0), 0.0)
    first.judging = False
    first.receive(part(2.0, 4.0), 2.0)
    second = first.continued()
    second.connect(4.0)
    second.receive(part(4.0, 6.0), 4.0)
    assert_seamless(first.observations + second.observations, 6.0)
    assert spans(second.observations)[0] == pytest.approx((2.0, 4.0, True))
    first.judge()
    assert first.session.snapshot()[0].until == pytest.approx(4.0)


def test_sound_of_which_nothing_was_analysed_is_a_gap_too() -> None:
    first = Heard()
    first.connect(0.0)
    first.receive(part(0.0, 0.25), 0.0)
    second = first.continued()
    second.connect(2.0)
    second.receive(part(2.0, 3.0), 2.0)
    assert_seamless(second.observations, 3.0)


def test_a_sender_without_capture_times_goes_on_where_it_was() -> None:
    first = Heard()
    first.connect(None)
    first.receive(part(0.0, 2.0), -0.25)
    second = first.continued()
    second.connect(None)
    second.receive(part(2.0, 4.0), 3.0)
    assert_seamless(first.observations + second.observations, 4.0)


def test_voices_are_known_again_and_a_reference_is_applied_once() -> None:
    reference = SpeakerReference((first_voice(),), 6.0)
    first = Heard()
    first.session.set_reference(reference)
    _, voices = first.session.snapshot()
    assert voices.reference is reference  # also before the first sound
    first.connect(0.0)
    first.receive(part(0.0, 4.0), 0.0)
    _, voices = first.session.snapshot()
    assert (voices.reference, len(voices.voices.speakers)) == (None, 1)
    second = first.continued()
    second.connect(4.0)
    second.receive(part(4.0, 8.0), 4.0)
    heard = [v.number for o in second.observations if o.diarization for v in o.diarization.speakers]
    assert set(heard) == {2}
    kept = second.session.snapshot()[1].voices.speakers[0]
    assert kept.reference_seconds == 6.0
    assert len(kept.exemplars) == len(voices.voices.speakers[0].exemplars)


def test_a_reference_that_waits_is_applied_by_the_next_process() -> None:
    reference = SpeakerReference((first_voice(),), 6.0)
    first = Heard()
    first.connect(0.0)
    first.receive(part(0.0, 2.0), 0.0)
    first.session.set_reference(reference)
    second = first.continued()
    second.connect(2.0)
    second.receive(part(2.0, 4.0), 2.0)
    (candidate,) = second.session.snapshot()[1].voices.speakers
    assert candidate.reference_seconds == 6.0
    assert second.session.snapshot()[1].reference is None


def first_voice() -> np.ndarray:
    heard = Heard()
    heard.connect(0.0)
    heard.receive(sound(("candidate", 4.0)), 0.0)
    return heard.session.snapshot()[1].voices.speakers[0].centroid


def test_all_of_the_sound_is_kept_but_what_waits() -> None:
    first = Heard()
    first.connect(0.5)
    first.receive(part(0.0, 2.1), 0.5)
    first.session._carry = b"1"
    restored = first.continued().session
    check_kept(
        first.session,
        restored,
        Heard().session,
        {
            # The process's own.
            "_models", "_publish", "_sinks", "_transcription", "_queue",
            # The connection's, or those of the end.
            "_carry", "_reply", "_ended",
            # Of the process before.
            "_judged_until",
            # Sound that waits: it is a gap unless it is sent again.
            "_buffer",
            # Compared elsewhere: here and in tests/audio/test_audio_state.py.
            "_analyser", "_judged", "_position", "_reference", "_applied",
        },
    )  # fmt: skip
    used, new = AudioPosition(1.0), AudioPosition()
    # A new connection begins with all but this.
    kept_anew = {"_announced", "_late_since", "_window_began", "_window_samples", "_fast_windows"}
    check_kept(used, AudioPosition(used.end), new, kept_anew)
    assert restored.end_time == first.session.end_time - 0.1  # type: ignore[operator]
    assert attributes(AudioBuffer()).keys() == {"_capacity", "_lock", "_items", "_waiting", "_gaps"}


# Words.


class Transcriber:
    """Transcribes nothing, and knows what it was given."""

    trouble = ""
    lost_seconds = 0.25

    def __init__(self) -> None:
        self.starts: list[float] = []
        self.samples = 0
        service = TranscriptionService(cast("Transcribers", self), InTurn())
        self.session = TranscriptionSession(
            service,
            "moonshine",
            interim=False,
            publish=lambda _: None,
            status_changed=lambda _: None,
        )

    def begin(self, engine: str, start: float, *, interim: bool) -> Transcriber:
        assert (engine, interim) == ("moonshine", False)
        self.starts.append(start)
        return self

    def push(self, samples: Pcm) -> tuple[()]:
        self.samples += len(samples)
        return ()

    def gap(self, seconds: float) -> tuple[()]:
        assert seconds
        return ()

    def note(self, engine: str, trouble: str) -> None:
        """What is wrong."""


def test_a_new_transcriber_begins_where_the_words_before_ended_and_what_is_missing_counts() -> None:
    first, second = Transcriber(), Transcriber()
    first.session.receive(part(0.0, 2.0), 10.0, 0.0)
    first.session.receive(part(2.0, 3.0), 12.5, 0.5)
    second.session.restore(first.session.missing, "", until=13.0)
    assert second.session.missing == 0.75
    second.session.receive(part(0.0, 0.5), 12.25, 0.0)
    assert second.starts == []
    second.session.receive(part(0.5, 1.5), 12.75, 0.0)
    assert second.starts == [13.0]
    assert second.samples == 12_000
    third = Transcriber()
    third.session.restore(0.75, "")
    third.session.receive(part(0.0, 1.0), 20.0, 3.0)
    assert third.starts == [20.0]
    assert third.session.missing == 0.75 + 3.0 + 0.25


def test_all_of_transcription_is_kept_but_the_transcriber_and_its_words() -> None:
    used = Transcriber().session
    used.restore(1.5, "no key", until=2.0)
    restored = Transcriber().session
    restored.restore(used.missing, used.trouble, until=2.0)
    check_kept(
        used,
        restored,
        Transcriber().session,
        {
            # Given when it is created.
            "engine", "_transcribers", "_interim", "_publish", "_status_changed", "_queue",
            # Begins anew, from the next sample on.
            "_buffer", "_start", "_stream", "_off", "_last", "_ended",
        },
    )  # fmt: skip


# A whole session.

KEPT = {"_media", "_arrivals", "_idle", "_counters", "_audio_session", "transcription"}
"""Attributes of a ``Session`` that ``Continuation`` takes care of."""
LEFT_OUT = {
    # Given when it is created.
    "session_id", "sitting_id", "started_at", "mirrored", "policy", "recorded", "done", "_sinks",
    "continuation", "state", "epoch", "_withdraw", "keeper", "post", "emit",
    # The other half, which is kept with judgement.
    "_pipeline", "_worker",
    # Sockets are gone; whoever comes next replaces none, and is told the present rate.
    "_video", "_audio", "_video_address", "_audio_address", "_flow",
}  # fmt: skip


def test_every_attribute_of_a_session_is_kept_or_left_out_on_purpose(
    make_session: MakeSession,
) -> None:
    assert attributes(make_session().session).keys() == KEPT | LEFT_OUT


def test_a_session_goes_on_with_its_media_time_and_what_reviewers_see(
    make_session: MakeSession, empty_jpeg: bytes
) -> None:
    first, socket = make_session(audio=DEAF), FakeSocket()
    first.session.receive_frame(empty_jpeg, 50_000_000, socket, now=7.0)
    socket.next()
    first.session.attach_audio(socket, socket, 51_000_000, 8.0)
    first.session.receive_audio(socket, np.zeros(20_000, np.int16).tobytes(), 9.25)
    for _ in range(2):
        socket.next()
    until(lambda: first.session.continuation.sound_state()[0].until == 2.0)
    judged = first.session.continuation.sound_state()
    arrivals = first.session.continuation.arrival_state(10.0, 1_000_000.0)
    second = make_session(audio=DEAF).session
    second.continuation.restore(
        decode(encode(arrivals), ArrivalState),
        decode(encode(first.session.continuation.incidents()), IncidentsShown),
        decode(encode(judged[0]), SoundState),
        decode(encode(judged[1]), SoundVoices),
        now=500.0,
        passed=4.0,
    )
    assert second.frames == first.session.frames
    assert (second.audio.received, second.audio.missing) == (1.0, 0.0)
    assert second.media_time == first.session.media_time == 2.25
    # Seven seconds since the frame: three here, four in between.
    again = FakeSocket()
    second.receive_frame(empty_jpeg, 57_000_000, again, now=500.0)
    assert again.next().observation.time == 7.0
    second.attach_audio(again, again, 56_000_000, 500.0)
    second.receive_audio(again, np.zeros(8_000, np.int16).tobytes(), 500.5)
    missing, heard = again.next(), again.next()
    assert (missing.time, missing.duration, missing.level) == (6.0, 4.0, None)
    assert (heard.time, heard.duration) == (6.5, 0.5)
    assert (second.audio.received, second.audio.missing) == (1.5, 4.0)
    assert second.frames.received == second.frames.analysed == 2
