"""Hostile clients, one function per kind: each opens one connection and returns its message count.

Not standalone: ``benchmarks.hostile`` runs them against a server of its own.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import random
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

PATIENCE = 10.0
"""Seconds that one attack may take."""


@dataclass(frozen=True)
class Target:
    """The server under attack, and material for messages."""

    address: str
    """``http://127.0.0.1:8000``"""
    picture: bytes
    """A JPEG that the server can use."""
    random: random.Random
    names: int = 40
    """Number of sessions that the attackers share."""

    @property
    def session(self) -> str:
        """One of the attackers' own sessions."""
        return f"hostile-{self.random.randrange(self.names)}"

    def url(self, kind: str, query: str = "", session: str | None = None) -> str:
        """The address of a socket."""
        base = self.address.replace("http", "ws", 1)
        return f"{base}/ws/proctor/{session or self.session}/{kind}{query}"

    def bytes(self, most: int) -> bytes:
        """At most so many random bytes."""
        return self.random.randbytes(self.random.randrange(most + 1))


Attack = Callable[[Target], Awaitable[int]]


async def volley(url: str, messages: Sequence[bytes | str], pause: float = 0.0) -> int:
    """Send everything, as fast as possible or with pauses, until the server closes the connection."""
    sent = 0
    with contextlib.suppress(ConnectionClosed, InvalidHandshake, OSError, TimeoutError):
        async with connect(
            url, compression=None, max_size=None, open_timeout=PATIENCE, close_timeout=1
        ) as socket:
            reader = asyncio.create_task(_read(socket))
            try:
                for message in messages:
                    await socket.send(message)
                    sent += 1
                    await asyncio.sleep(pause)
            finally:
                reader.cancel()
    return max(sent, 1)


async def _read(socket: ClientConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        async for _ in socket:
            pass


async def garbage_pictures(target: Target) -> int:
    """Random bytes in place of frames."""
    return await volley(target.url("video"), [target.bytes(4096) for _ in range(40)])


async def cut_pictures(target: Target) -> int:
    """Truncated JPEGs, some with flipped bits, some with a capture time."""
    messages: list[bytes | str] = []
    for _ in range(40):
        broken = bytearray(target.picture[: target.random.randrange(2, len(target.picture))])
        for _ in range(target.random.randrange(8)):
            broken[target.random.randrange(2, len(broken) + 1) - 1] ^= 1 << target.random.randrange(
                8
            )
        stamp = target.random.randbytes(8) if target.random.random() < 0.5 else b""
        messages.append(stamp + bytes(broken))
    return await volley(target.url("video", "?observe=1&landmarks=1"), messages)


async def giant_pictures(target: Target) -> int:
    """JPEGs whose header claims 65,500 x 65,500 pixels."""
    at = target.picture.find(b"\xff\xc0")
    giant = target.picture[: at + 5] + struct.pack(">HH", 65500, 65500) + target.picture[at + 9 :]
    return await volley(target.url("video"), [giant] * 25)


async def flood_of_pictures(target: Target) -> int:
    """Two hundred valid frames at once."""
    return await volley(target.url("video", "?observe=1"), [target.picture] * 200)


async def texts(target: Target) -> int:
    """Text in place of binary messages."""
    kind = target.random.choice(["video", "audio"])
    return await volley(target.url(kind), ["hello", "{}", "x" * 70_000])


async def nothings(target: Target) -> int:
    """Empty messages."""
    kind = target.random.choice(["video", "audio", "browser", "events"])
    return await volley(target.url(kind), [b""] * 60)


async def huge_messages(target: Target) -> int:
    """Messages larger than a frame may be, or than the server reads."""
    size = target.random.choice([6 << 20, (6 << 20) + 8, 13 << 20])
    return await volley(target.url("video"), [b"\xff\xd8" + bytes(size)])


async def odd_sound(target: Target) -> int:
    """Audio in pieces of odd length, with implausible start times."""
    start = target.random.choice(["", "?start=0", "?start=999999999999999999"])
    pieces: list[bytes | str] = [target.bytes(701) for _ in range(100)]
    return await volley(target.url("audio", start), pieces)


async def flood_of_sound(target: Target) -> int:
    """Ten minutes of noise at once."""
    return await volley(target.url("audio"), [target.random.randbytes(64_000)] * 300)


async def odd_reports(target: Target) -> int:
    """Unexpected JSON, and text that is no JSON, in place of a browser's report."""
    messages: list[bytes | str] = [
        "", "{", "null", "[]", '"x"', "NaN", '{"visible": NaN}', "[" * 5000, "1e999999",
        '{"visible": "yes"}', json.dumps({"camera": "\ud800"}), '{"visible": true, "visible": 1}',
        '{"capture_time": -1}', '{"pasted": 1e400}', "x" * 70_000, b"\x00\xff",
        json.dumps({str(number): number for number in range(3000)}),
    ]  # fmt: skip
    target.random.shuffle(messages)
    return await volley(target.url("browser"), messages)


async def talking_listeners(target: Target) -> int:
    """Listeners that send messages, and ask for event numbers that do not exist."""
    after = target.random.choice(["", "?after=0", "?after=999999999999999999"])
    return await volley(target.url("events", after), ["talk"] * 20)


async def wrong_sessions(target: Target) -> int:
    """Invalid session ids, unknown sockets, invalid queries."""
    wrong = [
        target.url("video", session="a%2F..%2F..%2Fetc"),
        target.url("video", session="x" * 300),
        target.url("video", session="%00"),
        target.url("events", "?after=-1"),
        target.url("audio", "?start=soon"),
        target.url("audio", "?rate=44100"),
        target.url("nothing"),
        target.url("video", session="%F0%9F%92%A9"),
        target.url("video", "?" + "a=1&" * 2000),
    ]
    for url in wrong:
        with contextlib.suppress(InvalidURI):
            await volley(url, [b""])
    return len(wrong)


# Below the WebSocket protocol: raw bytes on a connection.


@contextlib.asynccontextmanager
async def open_raw(
    target: Target,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection, aborted at the end."""
    parts = urlsplit(target.address)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def _raw(target: Target, *pieces: bytes) -> None:
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        async with open_raw(target) as (reader, writer):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(1 << 16), 0.05)


def handshake(
    target: Target, kind: str = "video", key: bytes | None = None, session: str | None = None
) -> bytes:
    """The request for a socket."""
    key = base64.b64encode(os.urandom(16)) if key is None else key
    host = urlsplit(target.address).netloc
    return (
        f"GET /ws/proctor/{session or target.session}/{kind} HTTP/1.1\r\nHost: {host}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: "
    ).encode() + key + b"\r\n\r\n"  # fmt: skip


async def bad_handshakes(target: Target) -> int:
    """Truncated requests, invalid keys, endless headers, and bytes that are no HTTP."""
    whole = handshake(target)
    bad = [
        whole[: target.random.randrange(len(whole))],
        handshake(target, key=b"short"),
        whole.replace(b"Version: 13", b"Version: 7"),
        whole.replace(b"\r\n\r\n", b"\r\nX-Long: " + b"a" * 100_000 + b"\r\n\r\n"),
        whole.replace(b"GET", b"POST"),
        target.bytes(3000),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + target.bytes(400),
        b"GET /api/health HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/sessions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    ]
    for one in bad:
        await _raw(target, one)
    return len(bad)


async def broken_frames(target: Target) -> int:
    """WebSocket frames that the protocol forbids, after a valid handshake."""
    mask = b"\x01\x02\x03\x04"
    bad = [
        b"\x82\x05hello",  # not masked
        b"\xf2\x85" + mask + b"12345",  # reserved bits
        b"\x83\x80" + mask,  # an unknown opcode
        b"\x09\x80" + mask,  # a fragmented ping
        b"\x89\xfe\x00\xff" + mask + bytes(255),  # a ping too long
        b"\x81\x82" + mask + bytes([0xFF ^ 1, 0xFE ^ 2]),  # invalid UTF-8
        b"\x82\xff" + b"\xff" * 8 + mask,  # a length of 2^64 bytes
        b"\x80\x85" + mask + b"12345",  # a continuation without a start
        b"\x88\x81" + mask + b"x",  # a close frame of one byte
        b"\x02\x81" + mask + b"x" + (b"\x00\x81" + mask + b"x") * 500,  # never ends
    ]
    for one in bad:
        await _raw(target, handshake(target), one)
    return len(bad)


async def gone_in_the_midst(target: Target) -> int:
    """Half a message, then the connection is aborted."""
    for kind in ("video", "audio", "events", "browser"):
        half = b"\x82\xff" + struct.pack(">Q", 1 << 20) + b"\x01\x02\x03\x04" + target.bytes(5000)
        await _raw(target, handshake(target, kind), half)
    return 4


ATTACKS: tuple[Attack, ...] = (
    garbage_pictures,
    cut_pictures,
    giant_pictures,
    flood_of_pictures,
    texts,
    nothings,
    huge_messages,
    odd_sound,
    flood_of_sound,
    odd_reports,
    talking_listeners,
    wrong_sessions,
    bad_handshakes,
    broken_frames,
    gone_in_the_midst,
)
