"""Deepgram's live protocol over real sockets, through the official SDK."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from tests.audio.transcription.deepgram_server import KEY, DeepgramServer
from tests.waiting import until

from proctoring.audio.transcription.deepgram.settings import DeepgramSettings
from proctoring.audio.transcription.deepgram.stream import DeepgramStream
from proctoring.errors import TranscriberUnavailableError
from proctoring.observations import TranscriptObservation

SECOND = np.full(16_000, 500, np.int16)


@pytest.fixture
def server() -> Iterator[DeepgramServer]:
    with DeepgramServer() as running:
        yield running


def settings(server: DeepgramServer, **changes: float) -> DeepgramSettings:
    return DeepgramSettings(url=server.url, first_retry=0.05, close_timeout=30.0, **changes)  # type: ignore[arg-type]


def finals(found: list[TranscriptObservation]) -> list[str]:
    return [t.text for t in found if t.final]


def collect(
    stream: DeepgramStream, enough: Callable[[list[TranscriptObservation]], bool]
) -> list[TranscriptObservation]:
    found: list[TranscriptObservation] = []

    def done() -> bool:
        found.extend(stream.push(SECOND[:0]))
        return enough(found)

    until(done)
    return found


def test_words_come_with_media_times_speakers_and_first_guesses(server: DeepgramServer) -> None:
    stream = DeepgramStream(KEY, start=100.0, settings=settings(server))
    for _ in range(6):
        stream.push(SECOND)
    found = collect(stream, lambda f: len(finals(f)) == 3)
    assert finals(found) == ["Word1 Word2", "Word3 Word4", "Word5 Word6"]
    assert [t.text for t in found if not t.final] == ["Word1", "Word3", "Word5"]
    last = found[-1]
    assert (last.start, last.time) == pytest.approx((104.1, 105.9))
    assert [w.speaker for w in last.words] == [1, 0]
    assert last.words[0].confidence == pytest.approx(0.9)
    assert not last.times_estimated
    stream.close()
    stream.drain()


def test_the_query_is_what_the_service_documents(server: DeepgramServer) -> None:
    stream = DeepgramStream(KEY, settings=settings(server))
    until(lambda: bool(server.queries))
    stream.close()
    (query,) = server.queries
    assert {name: values[0] for name, values in query.items()} == {
        "model": "nova-3",
        "language": "en",
        "encoding": "linear16",
        "sample_rate": "16000",
        "channels": "1",
        "diarize_model": "latest",
        "interim_results": "true",
        "smart_format": "true",
        "vad_events": "true",
        "utterance_end_ms": "1000",
        "endpointing": "300",
    }


def test_flush_asks_for_what_was_said_so_far(server: DeepgramServer) -> None:
    stream = DeepgramStream(KEY, settings=settings(server))
    stream.push(SECOND)
    stream.flush()
    found = collect(stream, lambda f: bool(finals(f)))
    assert finals(found) == ["Word1"]
    assert server.texts == ["Finalize"]
    stream.close()


def test_closing_gives_the_last_words_and_ends_the_thread(server: DeepgramServer) -> None:
    stream = DeepgramStream(KEY, settings=settings(server))
    for _ in range(3):
        stream.push(SECOND)
    found = [*stream.close(), *stream.drain()]
    assert finals(found) == ["Word1 Word2", "Word3"]
    assert server.texts == ["CloseStream"]
    assert stream.push(SECOND) == ()


def test_silence_on_our_side_is_bridged_by_keeping_alive() -> None:
    assert DeepgramSettings().keep_alive < 10  # seconds after which Deepgram hangs up
    with DeepgramServer() as server:
        stream = DeepgramStream(KEY, settings=settings(server, keep_alive=0.05))
        until(lambda: server.texts.count("KeepAlive") >= 10)
        assert stream.connections == 1
        stream.close()
        stream.drain()


def test_a_cut_connection_is_made_again_and_unconfirmed_audio_is_sent_again() -> None:
    with DeepgramServer(hang_up_after=3 * 32_000) as server:
        stream = DeepgramStream(KEY, start=50.0, settings=settings(server))
        found: list[TranscriptObservation] = []
        for _ in range(2):
            found += stream.push(SECOND)
        found += collect(stream, lambda f: bool(finals(f)))  # the first two are confirmed
        stream.push(SECOND)  # the server hangs up on this one
        until(lambda: len(server.audio) == 2)
        for _ in range(3):
            stream.push(SECOND)
        found += collect(stream, lambda f: len(finals(f)) == 2)
        assert stream.connections == 2
        assert stream.trouble == ""
        assert finals(found) == ["Word1 Word2", "Word1 Word2", "Word3 Word4"]
        starts = [t.start for t in found if t.final]
        assert starts == pytest.approx([50.1, 52.1, 54.1])  # the third second was not lost
        stream.close()
        stream.drain()


def test_a_server_that_is_not_there_yet_is_tried_again() -> None:
    with DeepgramServer() as gone:
        url = gone.url
    stream = DeepgramStream(KEY, settings=DeepgramSettings(url=url, first_retry=0.05))
    until(lambda: "cannot be reached" in stream.trouble)
    assert stream.push(SECOND) == ()
    stream.close()
    stream.drain()


def test_a_refused_key_is_said_once_and_never_shown(
    server: DeepgramServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    stream = DeepgramStream("a-wrong-secret", settings=settings(server))
    until(lambda: bool(stream.trouble))
    assert stream.trouble == "Deepgram refuses the key (status 401)"
    stream.drain()
    assert server.refused == 1
    assert stream.push(SECOND) == ()
    assert sum("refuses the key" in r.getMessage() for r in caplog.records) == 1
    assert "a-wrong-secret" not in caplog.text
    assert "a-wrong-secret" not in repr(stream)


def test_words_are_in_no_log(server: DeepgramServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    stream = DeepgramStream(KEY, settings=settings(server))
    for _ in range(2):
        stream.push(SECOND)
    collect(stream, lambda f: bool(finals(f)))
    stream.close()
    stream.drain()
    assert "word1" not in caplog.text.lower()


def test_a_network_that_takes_nothing_never_holds_up_the_session() -> None:
    with DeepgramServer(deaf=True) as server:
        stream = DeepgramStream(KEY, settings=settings(server, max_buffered=5.0))
        until(lambda: stream.connections == 1)
        for _ in range(900):  # 15 minutes of audio: far more than sockets buffer
            stream.push(SECOND)
        assert stream.lost_seconds > 60
        assert (
            sum(len(p.data) for p in stream._queue.waiting.copy() if not isinstance(p, str))
            <= 5 * 32_000
        )
        stream.close()


def test_without_a_key_it_says_what_to_set() -> None:
    with pytest.raises(TranscriberUnavailableError, match="DEEPGRAM_API_KEY"):
        DeepgramStream("")
