"""A TCP proxy between one server and its database that can be cut: silently, or by reset."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Coroutine
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")

CHUNK = 1 << 16


class TcpProxy:
    """Runs on a thread of its own. ``port`` is where it listens."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._refusing = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread = Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def silence(self) -> None:
        """Pass nothing on any more, on no connection; none is closed."""
        self._loop.call_soon_threadsafe(self._flowing.clear)

    def reset(self) -> None:
        """Break all connections with a reset, and each new one."""

        def act() -> None:
            self._refusing = True
            for writer in self._writers:
                _reset(writer)

        self._loop.call_soon_threadsafe(act)

    def heal(self) -> None:
        """Let everything through again."""

        def act() -> None:
            self._refusing = False
            self._flowing.set()

        self._loop.call_soon_threadsafe(act)

    def close(self) -> None:
        """End it."""

        async def act() -> None:
            self._server.close()
            for writer in self._writers:
                _reset(writer)
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            await asyncio.sleep(0)  # aborted transports close their sockets

        self._call(act())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            _reset(writer)
            return
        try:
            await self._flowing.wait()
            there, other = await asyncio.open_connection("127.0.0.1", self._target)
        except (OSError, asyncio.CancelledError):
            _reset(writer)
            return
        self._writers |= {writer, other}
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                done, waiting = await asyncio.wait(
                    [
                        asyncio.ensure_future(self._pump(reader, other)),
                        asyncio.ensure_future(self._pump(there, writer)),
                    ],
                    return_when=asyncio.FIRST_COMPLETED,
                )
                for task in waiting:
                    task.cancel()
                await asyncio.gather(*done, *waiting, return_exceptions=True)
        finally:
            self._writers -= {writer, other}
            writer.close()
            other.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            data = await reader.read(CHUNK)
            await self._flowing.wait()
            if not data:
                return
            writer.write(data)
            await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    its: socket.socket | None = writer.get_extra_info("socket")
    if its is not None:
        with contextlib.suppress(OSError):
            its.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
