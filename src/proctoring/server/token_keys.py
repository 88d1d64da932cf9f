"""Public keys of a token issuer, from a JWKS URL, with a cache."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import jwt

from proctoring.errors import BadTokenError, NotReadyError

_log = logging.getLogger(__name__)

REFRESH_AFTER = 300.0
"""Seconds after which keys are fetched again."""
MAX_AGE = 3600.0
"""Seconds for which keys are used while the URL does not answer. Limited, because a revoked key must
not stay valid for as long as its revocation cannot be fetched."""
MIN_FETCH_INTERVAL = 30.0
"""Seconds between two attempts to fetch, however many tokens name unknown keys."""
FETCH_TIMEOUT = 5.0
"""Seconds for one attempt."""

ASYMMETRIC = ("RS256", "ES256", "EdDSA")
"""Accepted algorithms. None with a shared secret: the public key would be that secret."""


class KeySet:
    """The keys of one JWKS URL. For the event loop.

    Args:
        now: monotonic clock, seconds.
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
            BadTokenError: the issuer has no such key.
            NotReadyError: the keys cannot be fetched now.
        """
        if self._now() - self._fetched > REFRESH_AFTER or self._known(kid, algorithm) is None:
            await self._refresh()
        if self._now() - self._fetched > MAX_AGE:
            raise NotReadyError("the keys that tokens are checked with cannot be had now")
        key = self._known(kid, algorithm)
        if key is None:
            raise BadTokenError("no key of the issuer fits this token")
        return key

    def _known(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        fitting = [key for key in self._keys if key.algorithm_name == algorithm]
        if kid is None:  # RFC 7517: optional where there is one key
            return fitting[0] if len(fitting) == 1 else None
        return next((key for key in fitting if key.key_id == kid), None)

    async def _refresh(self) -> None:
        async with self._lock:
            if self._now() - self._tried < MIN_FETCH_INTERVAL:
                return
            self._tried = self._now()
            import httpx  # 90 ms, of which only servers with a JWKS address have a use

            try:
                async with httpx.AsyncClient(timeout=FETCH_TIMEOUT) as client:
                    answer = (await client.get(self._url)).raise_for_status()
                found = jwt.PyJWKSet.from_dict(answer.json()).keys
            except (
                httpx.HTTPError,
                jwt.PyJWTError,
                ValueError,
                AttributeError,
                RecursionError,
            ) as error:
                _log.warning("keys of tokens cannot be had: %s", type(error).__name__)
                return
            self._keys = [
                key
                for key in found
                if key.algorithm_name in ASYMMETRIC and key.public_key_use in (None, "sig")
            ]
            self._fetched = self._now()
