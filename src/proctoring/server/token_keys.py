"""Public keys of whoever issues tokens, from a JWKS address, kept for a while."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import httpx
import jwt

from proctoring.errors import BadTokenError, NotReadyError

_log = logging.getLogger(__name__)

FRESH = 300.0
"""Seconds for which fetched keys are used without asking again."""
STALE = 3600.0
"""Seconds for which they are still used while the address does not answer: a key that was withdrawn
must not live for ever because its withdrawal cannot be heard."""
COOLDOWN = 30.0
"""Seconds between two attempts, however many tokens name keys that are not known."""
TIMEOUT = 5.0

ASYMMETRIC = ("RS256", "ES256", "EdDSA")
"""Algorithms of public keys. Never one of a shared secret: whoever knows the public key could sign."""


class KeySet:
    """The keys of one address. For the event loop.

    Args:
        now: seconds, monotonic.
    """

    def __init__(self, url: str, now: Callable[[], float]) -> None:
        self._url = url
        self._now = now
        self._keys: list[jwt.PyJWK] = []
        self._fetched = float("-inf")
        self._tried = float("-inf")
        self._lock = asyncio.Lock()

    async def find(self, kid: str | None, algorithm: str) -> jwt.PyJWK:
        """The key that a token names.

        Raises:
            BadTokenError: there is none such.
            NotReadyError: the keys cannot be had now.
        """
        if self._now() - self._fetched > FRESH or self._known(kid, algorithm) is None:
            await self._refresh()
        if self._now() - self._fetched > STALE:
            raise NotReadyError("the keys that tokens are checked with cannot be had now")
        key = self._known(kid, algorithm)
        if key is None:
            raise BadTokenError("no key of the issuer fits this token")
        return key

    def _known(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        fitting = [key for key in self._keys if key.algorithm_name == algorithm]
        if kid is None:  # RFC 7517: only needed where there are several
            return fitting[0] if len(fitting) == 1 else None
        return next((key for key in fitting if key.key_id == kid), None)

    async def _refresh(self) -> None:
        async with self._lock:
            if self._now() - self._tried < COOLDOWN:
                return
            self._tried = self._now()
            try:
                async with httpx.AsyncClient(timeout=TIMEOUT) as client:
                    answer = (await client.get(self._url)).raise_for_status()
                found = jwt.PyJWKSet.from_dict(answer.json()).keys
            except (httpx.HTTPError, jwt.PyJWTError, ValueError, AttributeError) as error:
                _log.warning("keys of tokens cannot be had: %s", type(error).__name__)
                return
            self._keys = [
                key
                for key in found
                if key.algorithm_name in ASYMMETRIC and key.public_key_use in (None, "sig")
            ]
            self._fetched = self._now()
