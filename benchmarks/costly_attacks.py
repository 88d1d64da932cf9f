"""Hostile clients that cost more than they send, one function per kind, as in ``benchmarks.attacks``."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import struct

import httpx

from benchmarks.attacks import PATIENCE, Attack, Target, handshake, open_raw, volley
from benchmarks.bombs import empty_comments, many_scans, wide_exif

AT_ONCE = 20
"""Connections that one attack holds."""
HOLD = 1.0
"""Seconds for which it holds them."""
_MASK = b"\x01\x02\x03\x04"


@functools.cache
def _scans() -> bytes:
    return many_scans(3840, 2160, 2000)


async def thousands_of_scans(target: Target) -> int:
    """JPEGs of 56 kB that a decoder would walk over 2,000 times."""
    return await volley(target.url("video"), [_scans()] * 25)


async def as_many_scans_as_permitted(target: Target) -> int:
    """JPEGs of as many scans and pixels as are decoded, at ten a second."""
    return await volley(target.url("video"), [many_scans(1024, 1024, 22)] * 15, pause=0.1)


async def metadata_without_end(target: Target) -> int:
    """JPEGs with 500,000 empty comments, and with EXIF whose tags refer to each other."""
    pictures = [empty_comments(target.picture, 500_000), wide_exif(target.picture)]
    return await volley(target.url("video"), pictures * 5)


async def half_requests(target: Target) -> int:
    """Connections whose headers do not end."""
    return await _held(target, [b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nX-"])


async def slow_bodies(target: Target) -> int:
    """Requests of whose bodies one byte arrives."""
    head = b"POST /api/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n{"
    return await _held(target, [head])


async def unfinished_messages(target: Target) -> int:
    """Half of a large message to each kind of socket."""
    half = b"\x82\xff" + struct.pack(">Q", 12 << 20) + _MASK + bytes(6 << 20)
    started = [handshake(target, kind) + half for kind in ("video", "audio", "browser", "events")]
    return await _held(target, started)


async def many_sockets(target: Target) -> int:
    """More sockets than a session may have, by reconnecting to one."""
    session = target.session
    return await _held(target, [handshake(target, "browser", session=session)])


async def pings_and_fragments(target: Target) -> int:
    """A hundred thousand of the smallest frames, to a client that reads no answer."""
    ping, part = b"\x89\x80" + _MASK, b"\x00\x80" + _MASK
    for frames in (ping * 100_000, b"\x02\x80" + _MASK + part * 100_000):
        async with open_raw(target) as (_, writer):
            writer.write(handshake(target, "events") + frames)
            with contextlib.suppress(OSError, TimeoutError):
                await asyncio.wait_for(writer.drain(), HOLD)
    return 2


async def deep_documents(target: Target) -> int:
    """Policies and bodies that are nested deeply, or have keys of many parts."""
    deep = [
        "a=" + "[" * 50_000,
        ".".join("a" * 30_000) + "=1",
        "a={" * 20_000,
        "[" + ".".join("a" * 20_000) + "]",
    ]
    async with httpx.AsyncClient(base_url=target.address, timeout=PATIENCE) as http:
        with contextlib.suppress(httpx.HTTPError):
            kept = (await http.get("/api/records/sittings")).json().get("sittings") or [{}]
            sitting = kept[0].get("sitting_id", "none")
            for toml in deep:
                await http.post(f"/api/records/sittings/{sitting}/rejudge", json={"toml": toml})
            for body in ("[" * 100_000, '{"a":' * 50_000, json.dumps({"accommodations": deep})):
                headers = {"content-type": "application/json"}
                await http.post("/api/sessions", content=body, headers=headers)
    return len(deep) + 3


async def _held(target: Target, started: list[bytes]) -> int:
    """Open connections, begin with these bytes in turn, and let go after ``HOLD`` seconds."""
    async with contextlib.AsyncExitStack() as stack:
        for number in range(AT_ONCE):
            with contextlib.suppress(OSError, TimeoutError):
                _, writer = await stack.enter_async_context(open_raw(target))
                writer.write(started[number % len(started)])
                await asyncio.wait_for(writer.drain(), 0.2)
        await asyncio.sleep(HOLD)
    return AT_ONCE


COSTLY: tuple[Attack, ...] = (
    thousands_of_scans,
    as_many_scans_as_permitted,
    metadata_without_end,
    half_requests,
    slow_bodies,
    unfinished_messages,
    many_sockets,
    pings_and_fragments,
    deep_documents,
)
