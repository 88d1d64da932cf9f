"""The sockets of a session (contract 1.1)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial
from typing import TypeVar

from fastapi import APIRouter
from starlette.responses import JSONResponse
from starlette.types import Message
from starlette.websockets import WebSocket

from proctoring.audio.pcm import SAMPLE_RATE
from proctoring.errors import (
    BadFrameError,
    BadRequestError,
    NotReadyError,
    ProctoringError,
    RecordsUnavailableError,
    TooManyError,
)
from proctoring.server.audio_feed import AudioFeed
from proctoring.server.authorisation import anyone, needs
from proctoring.server.browser_feed import BrowserFeed
from proctoring.server.closing import (
    NOT_BINARY,
    PATIENCE,
    RESTART,
    SESSION_ENDED,
    WRONG_RATE,
    Farewell,
    close,
    error_text,
    until_first,
)
from proctoring.server.event_feed import EventFeed, send_replay
from proctoring.server.grant import Scope
from proctoring.server.outbound import Outbound
from proctoring.server.rate_limit import Bucket, SocketLimit, Verdict
from proctoring.server.service import Service
from proctoring.server.status import Status
from proctoring.server.video_feed import VideoFeed
from proctoring.server.video_message import read_video_message
from proctoring.session.audio_position import WrongRateError
from proctoring.session.identifier import check_session_id
from proctoring.session.session import Session

router = APIRouter()

T = TypeVar("T")

COMPLAIN_EVERY = 1.0
"""Seconds between two errors that say that frames come too fast."""

BYTES_PER_SECOND = 2 * SAMPLE_RATE
KEPT = 40.0
"""Seconds of sound that are read at once."""
MAX_SOUND_RATE = 4.0
"""Times real time at which sound is read beyond that."""

REPORTS_PER_SECOND = 10.0
"""Reports of a browser that are read; one a second and one per change are expected."""

CHATTER = 0.1
"""Seconds to pause after each message on a socket that expects none."""

_REFUSALS: dict[type[ProctoringError], int] = {NotReadyError: 503, TooManyError: 503}
"""HTTP status of a refused handshake; 400 for all others."""


@router.websocket("/ws/proctor/{session_id:path}/video", dependencies=[needs(Scope.MEDIA)])
async def video(socket: WebSocket, session_id: str) -> None:
    """Takes pictures."""
    service: Service = socket.app.state.service
    mirrored = _flag(socket, "mirrored")
    session = await _or_refuse(socket, _join(socket, session_id, mirrored=mirrored))
    if session is None:
        return
    feed = VideoFeed(
        service.settings,
        observe=_flag(socket, "observe"),
        landmarks=_flag(socket, "landmarks"),
        now=service.now,
    )
    session.attach(feed, service.now())
    try:
        await _converse(socket, feed, partial(_receive_video, socket, service, session, feed))
    finally:
        session.detach(feed, service.now())
    await _close(socket, service, feed.farewell)


@router.websocket("/ws/proctor/{session_id:path}/audio", dependencies=[needs(Scope.MEDIA)])
async def audio(socket: WebSocket, session_id: str) -> None:
    """Takes sound."""
    service: Service = socket.app.state.service
    joined = await _or_refuse(socket, _join_from(socket, session_id))
    if joined is None:
        return
    session, start = joined
    feed = AudioFeed(observe=_flag(socket, "observe"))
    session.attach_audio(feed, feed, start, service.now())
    try:
        await _converse(socket, feed, partial(_receive_audio, socket, service, session, feed))
    finally:
        session.detach_audio(feed, service.now())
    await _close(socket, service, feed.farewell)


@router.websocket("/ws/proctor/{session_id:path}/events", dependencies=[needs(Scope.EVENTS)])
async def events(socket: WebSocket, session_id: str) -> None:
    """Tells what changes."""
    service: Service = socket.app.state.service
    listening = await _or_refuse(socket, _listen(socket, session_id))
    if listening is None:
        return
    if isinstance(listening, int):
        await _tell_of_the_past(socket, service, session_id, listening)
        return
    session, feed = listening
    session.listener_came(service.now())
    try:
        await _converse(socket, feed, partial(_receive_nothing, socket))
    finally:
        feed.unsubscribe()
        session.listener_left(service.now())
    await _close(socket, service, feed.farewell)


@router.websocket("/ws/proctor/{session_id:path}/browser", dependencies=[needs(Scope.MEDIA)])
async def browser(socket: WebSocket, session_id: str) -> None:
    """Takes what the candidate's browser reports about itself."""
    service: Service = socket.app.state.service
    session = await _or_refuse(socket, _join(socket, session_id))
    if session is None:
        return
    feed = BrowserFeed(session)
    await _converse(socket, feed, partial(_receive_reports, socket, service, feed))
    await _close(socket, service, feed.farewell)


@router.websocket("/ws/{rest:path}", dependencies=[anyone])
async def unknown(socket: WebSocket, rest: str) -> None:  # noqa: ARG001  (the route's own)
    """Every other socket: a clear answer instead of a bare refusal."""
    detail = "sockets are /ws/proctor/{session_id}/video, /audio, /browser and /events"
    await refuse(socket, 404, "unknown_socket", detail)


async def refuse(socket: WebSocket, status: int, code: str, detail: str) -> None:
    """Answer the handshake with an HTTP error instead of accepting it."""
    body = {"error": {"code": code, "detail": detail}}
    await socket.send_denial_response(JSONResponse(body, status))


async def _or_refuse(socket: WebSocket, joining: Coroutine[None, None, T]) -> T | None:
    """What joining gives; where it cannot be, the handshake is answered with why."""
    try:
        return await joining
    except ProctoringError as error:
        await refuse(socket, _REFUSALS.get(type(error), 400), error.code, error.detail)
        return None


async def _join(socket: WebSocket, session_id: str, *, mirrored: bool = False) -> Session:
    check_session_id(session_id)
    service: Service = socket.app.state.service
    return await service.join(session_id, mirrored=mirrored)


async def _join_from(socket: WebSocket, session_id: str) -> tuple[Session, int | None]:
    """The session, and when its first sample was captured, if that is told."""
    start = _number(socket, "start", "a time in microseconds")
    _check_rate(socket)
    return await _join(socket, session_id), start


async def _listen(socket: WebSocket, session_id: str) -> tuple[Session, EventFeed] | int:
    """The session and what goes out; of a session that is over, what was heard of it already."""
    service: Service = socket.app.state.service
    check_session_id(session_id)
    after = _number(socket, "after", "the seq of an event")
    if after is not None and service.is_over(session_id):
        return after
    session = await _join(socket, session_id)
    return session, EventFeed(service.outbox, session_id, after)


async def _converse(
    socket: WebSocket,
    feed: Outbound | EventFeed,
    receive: Callable[[], Coroutine[None, None, None]],
) -> None:
    """Send and receive until one of both is done, or the last words are not taken."""
    await socket.accept()
    await until_first(feed.send(socket), receive(), feed.farewell.overdue())


async def _messages(socket: WebSocket, farewell: Farewell) -> AsyncIterator[Message]:
    """What a client sends, until it goes or its socket is to be closed."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        if farewell.said:
            await asyncio.sleep(PATIENCE)  # the last words are on their way
            return
        yield message


async def _pieces(socket: WebSocket, feed: Outbound, what: str) -> AsyncIterator[bytes]:
    """Binary messages; another one closes the socket."""
    async for message in _messages(socket, feed.farewell):
        data: bytes | None = message.get("bytes")
        if data is not None:
            yield data
        else:
            detail = f"the {what} socket takes binary messages alone"
            feed.error("not_binary", detail)
            feed.close(NOT_BINARY, detail)


async def _receive_video(
    socket: WebSocket, service: Service, session: Session, feed: VideoFeed
) -> None:
    settings = service.settings
    limit = SocketLimit(
        settings.max_frames_per_second, settings.max_bytes_per_second, service.now()
    )
    complained = float("-inf")
    async for data in _pieces(socket, feed, "video"):
        now = service.now()
        verdict, pause = limit.judge(len(data), now)
        if verdict is Verdict.DROP:
            session.frame_limited()
            if now - complained >= COMPLAIN_EVERY:
                complained = now
                detail = f"more than {settings.max_frames_per_second:g} frames a second"
                feed.error("too_many_frames", f"{detail}: the rest is dropped")
        else:
            try:
                picture, capture = read_video_message(data, settings.max_frame_bytes)
            except BadFrameError as error:
                session.message_refused(error)
                feed.bad_frame(error)
            else:
                session.receive(picture, capture, feed, now)
        if pause:
            await asyncio.sleep(pause)


async def _receive_audio(
    socket: WebSocket, service: Service, session: Session, feed: AudioFeed
) -> None:
    # As fast as a client may that kept half a minute while it was disconnected, and not for long.
    limit = Bucket(MAX_SOUND_RATE * BYTES_PER_SECOND, KEPT * BYTES_PER_SECOND, service.now())
    async for data in _pieces(socket, feed, "audio"):
        try:
            session.receive_sound(feed, data, service.now())
        except WrongRateError as error:
            feed.error(error.code, error.detail)
            feed.close(WRONG_RATE, error.detail)
        pause = limit.take(len(data), service.now())
        if pause:
            await asyncio.sleep(pause)


async def _receive_reports(socket: WebSocket, service: Service, feed: BrowserFeed) -> None:
    limit = Bucket(REPORTS_PER_SECOND, 4 * REPORTS_PER_SECOND, service.now())
    async for message in _messages(socket, feed.farewell):
        feed.receive(message.get("text") or "", service.now())  # binary is no report either
        pause = limit.take(1, service.now())
        if pause:
            await asyncio.sleep(pause)


async def _receive_nothing(socket: WebSocket) -> None:
    """Notice when the listener goes; what it says is not listened to."""
    while (await socket.receive())["type"] != "websocket.disconnect":  # noqa: ASYNC110
        await asyncio.sleep(CHATTER)  # slows a client that talks


async def _tell_of_the_past(
    socket: WebSocket, service: Service, session_id: str, after: int
) -> None:
    farewell = Farewell()
    farewell.say(SESSION_ENDED, "the session has ended")

    async def tell() -> None:
        try:
            replay = await asyncio.to_thread(service.outbox.replay, session_id, after)
        except RecordsUnavailableError as error:
            await socket.send_text(error_text(error.code, error.detail))
            return
        await send_replay(socket, replay)
        await socket.send_text(error_text("ended", "the session has ended"))

    await socket.accept()
    await until_first(tell(), _receive_nothing(socket), farewell.overdue())
    await _close(socket, service, farewell)


async def _close(socket: WebSocket, service: Service, farewell: Farewell) -> None:
    if service.status is Status.STOPPING:
        farewell.code = RESTART
    await close(socket, farewell)


def _flag(socket: WebSocket, name: str) -> bool:
    return socket.query_params.get(name, "").lower() in ("1", "true", "yes")


def _number(socket: WebSocket, name: str, meaning: str) -> int | None:
    """A whole number from the query.

    Raises:
        BadRequestError: it is none.
    """
    text = socket.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise BadRequestError(f"?{name}={text[:40]!r} is not {meaning}")
    return int(text)


def _check_rate(socket: WebSocket) -> None:
    """Refuse a declared sample rate that is not the contract's; resampling is the client's work,
    which alone knows what it recorded.

    Raises:
        BadRequestError: another rate.
    """
    rate = _number(socket, "rate", "a sample rate in Hz")
    if rate not in (None, SAMPLE_RATE):
        raise BadRequestError(f"sound must be sampled at {SAMPLE_RATE} Hz, not {rate}")
