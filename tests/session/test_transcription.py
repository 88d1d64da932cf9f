"""A session's words: real speech, real networks, Deepgram's protocol over real sockets."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from queue import Empty
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.audio.transcription.deepgram_server import KEY, DeepgramServer
from tests.session.conftest import TIMEOUT, FakeSocket, SessionUnderTest

from proctoring.audio.networks import AudioModels
from proctoring.audio.transcription.deepgram.settings import DeepgramSettings
from proctoring.audio.transcription.transcribers import Transcribers
from proctoring.incidents import IncidentChange
from proctoring.judgement.policy import Policy, shipped_policy
from proctoring.models.store import ModelStore
from proctoring.observations import AudioObservation
from proctoring.records.entries import Notice
from proctoring.session.transcription import TranscriptionService
from proctoring.session.worker_pool import WorkerPool

Pcm = NDArray[np.int16]
MakeSession = Callable[..., SessionUnderTest]

SECOND = 16_000


def policy(engine: str, *phrases: str, **transcription: Any) -> Policy:
    return shipped_policy("exam").with_accommodations(
        {
            "transcription": {"engine": engine, **transcription},
            "audio": {"phrases": list(phrases)},
        }
    )


@pytest.fixture
def transcription_pool() -> Iterator[WorkerPool]:
    pool = WorkerPool(1, name="transcription")
    pool.start()
    yield pool
    assert pool.stop(TIMEOUT)


@pytest.fixture
def moonshine(
    transcription_pool: WorkerPool, model_store: ModelStore, audio_models: AudioModels
) -> TranscriptionService:
    return TranscriptionService(
        Transcribers(model_store, audio_models.voice_activity), transcription_pool
    )


@pytest.fixture
def deepgram_server() -> Iterator[DeepgramServer]:
    with DeepgramServer() as server:
        yield server


@pytest.fixture
def deepgram(
    transcription_pool: WorkerPool, model_store: ModelStore, deepgram_server: DeepgramServer
) -> Callable[..., TranscriptionService]:
    def serving(key: str, close_timeout: float = 30.0) -> TranscriptionService:
        settings = DeepgramSettings(
            url=deepgram_server.url, close_timeout=close_timeout, first_retry=0.05
        )
        transcribers = Transcribers(model_store, None, deepgram_key=key, deepgram=settings)
        return TranscriptionService(transcribers, transcription_pool)

    return serving


def speak(live: SessionUnderTest, sound: Pcm, *, end: bool = True) -> list[AudioObservation]:
    """Send sound as fast as its buffer takes it, end the session; what was heard of it."""
    socket = FakeSocket()
    live.session.attach_audio(socket, socket, None, now=0.0)
    heard: list[AudioObservation] = []
    for at in range(0, len(sound), SECOND // 2):
        live.session.receive_audio(socket, sound[at : at + SECOND // 2].tobytes(), now=at / SECOND)
        heard.append(socket.next())
    if end:
        live.session.end("over", now=len(sound) / SECOND)
        live.session.done.result(TIMEOUT)
    return heard


def told(live: SessionUnderTest) -> list[Notice]:
    notices: list[Notice] = []
    while True:
        try:
            notices.append(live.notices.get_nowait())
        except Empty:
            return notices


def started(live: SessionUnderTest) -> list[str]:
    """Reasons of the phrases that were found."""
    reasons: list[str] = []
    while not live.published.empty():
        _, changes = live.published.get()
        reasons += [c.reason for c in changes if c.kind == "audio.phrase" and c.alerts]
    return reasons


def test_words_are_told_where_the_policy_asks_and_never_logged(
    make_session: MakeSession,
    moonshine: TranscriptionService,
    audio_models: AudioModels,
    one_voice: Pcm,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    wanted = policy("moonshine", "Worst of times", publish=True)
    live = make_session(audio=audio_models, policy=wanted, transcription=moonshine)
    speak(live, one_voice[: 12 * SECOND])
    notices = told(live)
    assert {notice.kind for notice in notices} == {"transcript"}
    text = " ".join(notice.body["text"] for notice in notices).casefold()
    assert "best of times" in text
    first = notices[0].body
    assert (first["final"], first["transcriber"]) == (True, "moonshine_tiny_en")
    assert first["times_estimated"] is True
    assert 0 <= first["start"] < first["words"][0]["end"] <= first["end"] <= 12
    (reason,) = started(live)
    assert reason.startswith("phrase 'Worst of times' said")
    assert "best" not in reason
    assert not [word for word in ("best", "worst", "times") if word in caplog.text.casefold()]


def test_phrases_are_found_where_nobody_may_read_the_words(
    make_session: MakeSession,
    moonshine: TranscriptionService,
    audio_models: AudioModels,
    one_voice: Pcm,
) -> None:
    wanted = policy("moonshine", "worst of times")
    live = make_session(audio=audio_models, policy=wanted, transcription=moonshine)
    speak(live, one_voice[: 12 * SECOND])
    assert told(live) == []
    assert len(started(live)) == 1


def test_unfinished_words_come_only_where_they_are_asked_for(
    make_session: MakeSession,
    moonshine: TranscriptionService,
    audio_models: AudioModels,
    one_voice: Pcm,
) -> None:
    wanted = policy("moonshine", publish=True, interim=True)
    live = make_session(audio=audio_models, policy=wanted, transcription=moonshine)
    speak(live, one_voice[: 6 * SECOND])
    finals = [notice.body["final"] for notice in told(live)]
    assert False in finals
    assert finals[-1] is True


def test_nothing_is_transcribed_where_no_policy_asks(
    make_session: MakeSession,
    moonshine: TranscriptionService,
    audio_models: AudioModels,
    one_voice: Pcm,
) -> None:
    live = make_session(audio=audio_models, transcription=moonshine)
    speak(live, one_voice[: 3 * SECOND])
    assert live.session.transcription is None
    assert told(live) == []
    assert not any(found.wanted for found in moonshine.transcribers.capabilities)


def test_the_last_words_of_a_remote_transcriber_come_before_the_end(
    make_session: MakeSession, deepgram: Callable[..., TranscriptionService]
) -> None:
    service = deepgram(KEY)
    wanted = policy("deepgram", "word5", publish=True)
    live = make_session(policy=wanted, transcription=service)
    speak(live, np.full(5 * SECOND, 500, np.int16))
    text = " ".join(notice.body["text"] for notice in told(live))
    assert text == "Word1 Word2 Word3 Word4 Word5"
    assert len(started(live)) == 1
    (moonshine, known) = service.transcribers.capabilities
    assert (moonshine.wanted, known.wanted, known.available) == (False, True, True)


def test_a_refused_key_is_told_and_costs_no_sound(
    make_session: MakeSession,
    deepgram: Callable[..., TranscriptionService],
    audio_models: AudioModels,
    one_voice: Pcm,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    service = deepgram("k3y-of-nobody")
    live = make_session(
        audio=audio_models, policy=policy("deepgram", publish=True), transcription=service
    )
    heard = speak(live, one_voice[: 8 * SECOND], end=False)
    words = live.session.transcription
    assert words is not None
    while not words.trouble:  # it is asked each time sound comes
        heard += speak(live, one_voice[:SECOND], end=False)
    notice = live.notices.get(timeout=TIMEOUT)
    assert notice.kind == "transcription"
    assert notice.body["available"] is False
    assert "refuses the key" in notice.body["reason"]
    assert len(heard) >= 16
    assert max(sound.speech or 0 for sound in heard) > 0.9
    (_, known) = service.transcribers.capabilities
    assert (known.available, known.reason) == (False, "Deepgram refuses the key (status 401)")
    assert "k3y-of-nobody" not in caplog.text
    live.session.end("over", now=20.0)
    live.session.done.result(TIMEOUT)


def test_no_key_at_all_is_one_clear_sentence(
    make_session: MakeSession, deepgram: Callable[..., TranscriptionService]
) -> None:
    live = make_session(policy=policy("deepgram", publish=True), transcription=deepgram(""))
    speak(live, np.zeros(2 * SECOND, np.int16))
    (notice,) = told(live)
    assert notice.body["reason"] == "Deepgram needs a key: set DEEPGRAM_API_KEY"


@pytest.mark.slow
def test_a_transcriber_that_never_reads_holds_neither_sound_nor_end_up(
    make_session: MakeSession,
    deepgram: Callable[..., TranscriptionService],
    deepgram_server: DeepgramServer,
    audio_models: AudioModels,
    one_voice: Pcm,
) -> None:
    deepgram_server.deaf = True
    service = deepgram(KEY, close_timeout=2.0)
    live = make_session(audio=audio_models, policy=policy("deepgram"), transcription=service)
    heard = speak(live, one_voice[: 10 * SECOND])
    assert len(heard) == 20


def test_deepgrams_speakers_raise_the_incident_where_the_policy_chooses_them(
    make_session: MakeSession, deepgram: Callable[..., TranscriptionService]
) -> None:
    wanted = policy("deepgram").with_accommodations({"audio": {"diarization": "deepgram"}})
    # A word of 0.8 s, as the server gives every fifth, is enough for this policy.
    wanted = wanted.with_accommodations({"audio": {"min_other_speaker_confidence": 0.4}})
    live = make_session(policy=wanted, transcription=deepgram(KEY))
    speak(live, np.full(6 * SECOND, 500, np.int16))
    kinds = [c.kind for _, changes in iter_all(live) for c in changes if c.alerts]
    assert kinds == ["audio.multiple_speakers"]


def iter_all(live: SessionUnderTest) -> Iterator[tuple[float, tuple[IncidentChange, ...]]]:
    while not live.published.empty():
        yield live.published.get()
