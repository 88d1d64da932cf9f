"""The sockets of a session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial

from fastapi import APIRouter
from starlette.types import Message
from starlette.websockets import WebSocket

from proctoring.audio.pcm import SAMPLE_RATE
from proctoring.errors import (
    BadCaptureTimesError,
    BadFrameError,
    BadRequestError,
    NotBinaryError,
    NotReadyError,
    ProctoringError,
    RecordsUnavailableError,
    SessionEndedError,
    TooManyFramesError,
    UnknownPathError,
    WrongRateError,
)
from proctoring.server.audio_feed import AudioFeed
from proctoring.server.authorisation import anyone, needs, token_of
from proctoring.server.browser_feed import NOT_ON_CLOCK, BrowserFeed
from proctoring.server.closing import CLOSE_TIMEOUT, CloseReason, close, until_first
from proctoring.server.error_answers import error_text
from proctoring.server.event_feed import EventFeed, send_replay
from proctoring.server.grant import Scope
from proctoring.server.outbound import Outbound
from proctoring.server.rate_limit import RateDecision, SocketLimit, TokenBucket
from proctoring.server.service import Service
from proctoring.server.status import Status
from proctoring.server.video_feed import VideoFeed
from proctoring.server.video_message import read_video_message
from proctoring.session.identifier import check_session_id
from proctoring.session.session import Session

router = APIRouter()

RATE_ERROR_INTERVAL = 1.0
"""Seconds between two errors about frames that arrive too fast."""

AUDIO_BYTES_PER_SECOND = 2 * SAMPLE_RATE
AUDIO_BURST = 40.0
"""Seconds of audio that are read without a pause: clients buffer up to 30 s while disconnected."""
MAX_AUDIO_SPEED = 4.0
"""Multiple of real time at which audio beyond the burst is read."""

MAX_REPORTS_PER_SECOND = 10.0
"""Rate at which a browser's reports are read. Expected are one a second and one per change."""

LISTENER_MESSAGE_PAUSE = 0.1
"""Seconds to pause after each message from a listener, who need not send any."""

# An error that is raised before a socket is accepted refuses its handshake: see ``app.create_app``.


@router.websocket("/ws/proctor/{session_id:path}/video", dependencies=[needs(Scope.MEDIA)])
async def video(socket: WebSocket, session_id: str) -> None:
    """Receives frames; sends observations, errors and how fast to send."""
    with _counted(socket, session_id) as service:
        await _video(socket, service, session_id)


async def _video(socket: WebSocket, service: Service, session_id: str) -> None:
    session = await _join(socket, session_id, mirrored=_flag(socket, "mirrored"))
    feed = VideoFeed(
        service.settings,
        observe=_flag(socket, "observe"),
        landmarks=_flag(socket, "landmarks"),
        now=service.now,
    )
    session.attach_video(feed, service.now(), address=_address(socket))
    receive = partial(_receive_video, socket, service, session, feed)
    await _serve(socket, feed, receive, detach=partial(session.detach_video, feed))


@router.websocket("/ws/proctor/{session_id:path}/audio", dependencies=[needs(Scope.MEDIA)])
async def audio(socket: WebSocket, session_id: str) -> None:
    """Receives audio; sends observations and errors."""
    with _counted(socket, session_id) as service:
        await _audio(socket, service, session_id)


async def _audio(socket: WebSocket, service: Service, session_id: str) -> None:
    start = _number(socket, "start", "a time in microseconds")
    _check_rate(socket)
    session = await _join(socket, session_id)
    feed = AudioFeed(observe=_flag(socket, "observe"))
    if start is not None and not session.fits_clock(start, service.now()):
        feed.error(BadCaptureTimesError(NOT_ON_CLOCK.format("start")))
    session.attach_audio(feed, feed, start, service.now(), address=_address(socket))
    receive = partial(_receive_audio, socket, service, session, feed)
    await _serve(socket, feed, receive, detach=partial(session.detach_audio, feed))


@router.websocket("/ws/proctor/{session_id:path}/browser", dependencies=[needs(Scope.MEDIA)])
async def browser(socket: WebSocket, session_id: str) -> None:
    """Receives the reports of the candidate's browser; sends errors."""
    with _counted(socket, session_id) as service:
        session = await _join(socket, session_id)
        feed = BrowserFeed(session)
        await _serve(socket, feed, partial(_receive_reports, socket, service, feed))


@router.websocket("/ws/proctor/{session_id:path}/events", dependencies=[needs(Scope.EVENTS)])
async def events(socket: WebSocket, session_id: str) -> None:
    """Sends events; with ``?after=`` also those of a session that has ended, while they are kept."""
    with _counted(socket, None) as service:
        await _events(socket, service, session_id)


async def _events(socket: WebSocket, service: Service, session_id: str) -> None:
    check_session_id(session_id)
    after = _number(socket, "after", "the seq of an event")
    if after is not None and await service.is_over(session_id):
        await _replay_ended_session(socket, service, session_id, after)
        return
    session = await _join(socket, session_id)
    feed = EventFeed(service.outbox, session_id, after)
    session.listener_joined(service.now())

    def detach(now: float) -> None:
        feed.unsubscribe()
        session.listener_left(now)

    await _serve(socket, feed, partial(_receive_nothing, socket), detach=detach)


@router.websocket("/ws/{rest:path}", dependencies=[anyone])
async def unknown(socket: WebSocket, rest: str) -> None:  # noqa: ARG001  (the route's own)
    """Any other path: an error that names the sockets."""
    raise UnknownPathError(
        "sockets are /ws/proctor/{session_id}/video, /audio, /browser and /events"
    )


@contextmanager
def _counted(socket: WebSocket, session_id: str | None) -> Iterator[Service]:
    """The service, while this is counted as one of the session's and the token's sockets."""
    service: Service = socket.app.state.service
    with service.socket_counts.counted(session_id, token_of(socket)):
        yield service


async def _join(socket: WebSocket, session_id: str, *, mirrored: bool = False) -> Session:
    check_session_id(session_id)
    service: Service = socket.app.state.service
    return await service.join(session_id, mirrored=mirrored)


async def _serve(
    socket: WebSocket,
    feed: Outbound | EventFeed,
    receive: Callable[[], Coroutine[None, None, None]],
    *,
    detach: Callable[[float], None] = lambda _: None,
) -> None:
    """Accept a socket; send and receive until either is done or its client is too slow to close.

    Args:
        detach: called with the present time when the socket is done, whatever happened.
    """
    service: Service = socket.app.state.service
    try:
        await socket.accept()
        await until_first(feed.send(socket), receive(), feed.closing.timeout())
    finally:
        detach(service.now())
    await _close(socket, service, feed.closing.error)


async def _messages(socket: WebSocket, closing: CloseReason) -> AsyncIterator[Message]:
    """Messages of a client, until it disconnects or its socket is to be closed."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        if closing.error is not None:
            await asyncio.sleep(CLOSE_TIMEOUT)  # for the last messages to be sent
            return
        yield message


async def _binary_messages(socket: WebSocket, feed: Outbound, what: str) -> AsyncIterator[bytes]:
    """Binary messages of a client; a text message closes the socket."""
    async for message in _messages(socket, feed.closing):
        data: bytes | None = message.get("bytes")
        if data is not None:
            yield data
        else:
            feed.close(NotBinaryError(f"the {what} socket takes binary messages only"))


async def _receive_video(
    socket: WebSocket, service: Service, session: Session, feed: VideoFeed
) -> None:
    settings = service.settings
    limit = SocketLimit(
        settings.max_frames_per_second, settings.max_bytes_per_second, service.now()
    )
    last_error_at = float("-inf")
    async for data in _binary_messages(socket, feed, "video"):
        now = service.now()
        decision, pause = limit.decide(len(data), now)
        if decision is RateDecision.DROP:
            session.frame_limited()
            if now - last_error_at >= RATE_ERROR_INTERVAL:
                last_error_at = now
                detail = f"more than {settings.max_frames_per_second:g} frames a second"
                feed.error(TooManyFramesError(f"{detail}: the rest is dropped"))
        else:
            try:
                picture, capture = read_video_message(data, settings.max_frame_bytes)
            except BadFrameError as error:
                session.message_refused(error, now)
                feed.bad_frame(error)
            else:
                feed.check_capture_time(capture, now)
                session.receive_frame(picture, capture, feed, now)
        if pause:
            await asyncio.sleep(pause)


async def _receive_audio(
    socket: WebSocket, service: Service, session: Session, feed: AudioFeed
) -> None:
    rate = MAX_AUDIO_SPEED * AUDIO_BYTES_PER_SECOND
    limit = TokenBucket(rate, AUDIO_BURST * AUDIO_BYTES_PER_SECOND, service.now())
    async for data in _binary_messages(socket, feed, "audio"):
        try:
            session.receive_audio(feed, data, service.now())
        except WrongRateError as error:
            feed.close(error)
        pause = limit.consume(len(data), service.now())
        if pause:
            await asyncio.sleep(pause)


async def _receive_reports(socket: WebSocket, service: Service, feed: BrowserFeed) -> None:
    limit = TokenBucket(MAX_REPORTS_PER_SECOND, 4 * MAX_REPORTS_PER_SECOND, service.now())
    async for message in _messages(socket, feed.closing):
        feed.receive(message.get("text") or "", service.now())  # binary is no report either
        pause = limit.consume(1, service.now())
        if pause:
            await asyncio.sleep(pause)


async def _receive_nothing(socket: WebSocket) -> None:
    """Discard a listener's messages until it disconnects."""
    while (await socket.receive())["type"] != "websocket.disconnect":  # noqa: ASYNC110
        await asyncio.sleep(LISTENER_MESSAGE_PAUSE)


async def _replay_ended_session(
    socket: WebSocket, service: Service, session_id: str, after: int
) -> None:
    error: ProctoringError = SessionEndedError("the session has ended")
    closing = CloseReason()
    closing.set(error)

    async def send() -> None:
        nonlocal error
        try:
            replay = await asyncio.to_thread(service.outbox.replay, session_id, after)
        except RecordsUnavailableError as unavailable:
            error = unavailable
        else:
            await send_replay(socket, replay)
        await socket.send_text(error_text(error))

    await socket.accept()
    await until_first(send(), _receive_nothing(socket), closing.timeout())
    await _close(socket, service, error)


async def _close(socket: WebSocket, service: Service, error: ProctoringError | None) -> None:
    if service.status is Status.STOPPING:  # the session ended with the server: come back later
        error = NotReadyError("" if error is None else error.detail)
    await close(socket, error)


def _address(socket: WebSocket) -> str:
    return "" if socket.client is None else socket.client.host


def _flag(socket: WebSocket, name: str) -> bool:
    return socket.query_params.get(name, "").lower() in ("1", "true", "yes")


def _number(socket: WebSocket, name: str, meaning: str) -> int | None:
    """A non-negative integer from the query; ``None`` if it is not there.

    Raises:
        BadRequestError: the value is no such number.
    """
    text = socket.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise BadRequestError(f"?{name}={text[:40]!r} is not {meaning}")
    return int(text)


def _check_rate(socket: WebSocket) -> None:
    """Refuse a declared sample rate other than 16 kHz: the client must resample.

    Raises:
        BadRequestError: another rate.
    """
    rate = _number(socket, "rate", "a sample rate in Hz")
    if rate not in (None, SAMPLE_RATE):
        raise BadRequestError(f"audio must be sampled at {SAMPLE_RATE} Hz, not {rate}")
