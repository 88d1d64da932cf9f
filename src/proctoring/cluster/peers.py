"""Asks the other servers, all at once, with a short time limit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpx

from proctoring.cluster.forward_http import client
from proctoring.cluster.middleware import STATUS_PATH
from proctoring.cluster.servers import Peer
from proctoring.cluster.signature import HEADER, Signature

TIMEOUT = 1.0
"""Seconds for the answers of all."""

MAX_ANSWER = 16 << 20
"""Bytes of one answer."""


class Peers:
    """For the event loop."""

    def __init__(self, signature: Signature, wall: Callable[[], float] = time.time) -> None:
        self._signature = signature
        self._wall = wall
        self._http: httpx.AsyncClient | None = None

    async def ask(
        self, peers: Iterable[Peer], path: str, headers: Iterable[tuple[str, str]] = ()
    ) -> list[Any]:
        """The JSON that each answers; ``None`` for one that does not, or with an error."""
        given = list(headers)
        return await asyncio.gather(*(self._ask(peer, path, given) for peer in peers))

    async def ages(self, peers: Iterable[Peer]) -> list[float]:
        """Of those that may take over: seconds since each asked for its last renewal."""
        answers = await self.ask(peers, STATUS_PATH)
        return [
            float(one["age"])
            for one in answers
            if isinstance(one, dict) and one.get("may_take_over") is True and "age" in one
        ]

    async def _ask(self, peer: Peer, path: str, headers: list[tuple[str, str]]) -> Any:
        if self._http is None:
            self._http = client()
        mark = (HEADER, self._signature.sign("GET", path, "", self._wall()))
        try:
            async with asyncio.timeout(TIMEOUT):
                answer = await self._http.get(
                    peer.address + path, headers=[*headers, ("host", "localhost"), mark]
                )
                if answer.status_code != 200 or len(answer.content) > MAX_ANSWER:
                    return None
                return answer.json()
        except (httpx.HTTPError, TimeoutError, ValueError):
            return None

    async def close(self) -> None:
        """Close idle connections."""
        if self._http is not None:
            await self._http.aclose()
