"""Bearer tokens: JSON Web Tokens (RFC 7519), verified for every request, signed for operators.

Claims: ``exp``, ``iat`` and ``aud`` always; ``iss`` if the settings name an issuer, which they must
with a JWKS URL; ``scope``, separated by spaces (RFC 9068); ``sessions``, session ids or prefixes of
session ids followed by ``*``; ``sub``, the token's holder.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jwt

from proctoring.errors import BadTokenError
from proctoring.server.grant import Grant, Scope
from proctoring.server.token_keys import ASYMMETRIC, KeySet
from proctoring.session.identifier import SESSION_ID
from proctoring.settings import Settings

SHARED = "HS256"

LEEWAY = 10.0
"""Seconds that the clocks of issuer and server may differ."""
MAX_LENGTH = 8192
"""Characters of a token; tokens of common issuers have up to a third of that."""
MAX_SESSIONS = 256
_PREFIX = re.compile(r"[A-Za-z0-9_\-.:@~]{0,200}\*")


class TokenCheck:
    """Verifies tokens.

    Args:
        settings: with a secret, a JWKS URL, or both.
        now: monotonic clock, seconds.
    """

    def __init__(self, settings: Settings, now: Callable[[], float] = time.monotonic) -> None:
        secret = settings.token_secret
        self._secret = None if secret is None else secret.get_secret_value()
        self._keys = (
            None if settings.token_jwks_url is None else KeySet(settings.token_jwks_url, now)
        )
        self._audience = settings.token_audience
        self._issuer = settings.token_issuer
        self._longest = settings.token_max_minutes * 60

    async def read(self, token: str) -> Grant:
        """Verify a token and return what it grants.

        Raises:
            BadTokenError: it is invalid, expired, or valid for too long.
            NotReadyError: it cannot be verified now.
        """
        if len(token) > MAX_LENGTH:
            raise BadTokenError(f"a token has at most {MAX_LENGTH} characters")
        try:
            header = jwt.get_unverified_header(token)
            claims = jwt.decode(
                token,
                await self._key(header),
                # ``_key`` found a key for exactly this algorithm.
                algorithms=[header["alg"]],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "aud"], "enforce_minimum_key_length": True},
            )
        except jwt.PyJWTError as error:
            raise BadTokenError(_reason(error)) from error
        return self._grant(claims)

    async def _key(self, header: Mapping[str, Any]) -> Any:
        algorithm = header.get("alg")
        if algorithm == SHARED and self._secret is not None:
            return self._secret
        if algorithm in ASYMMETRIC and self._keys is not None:
            kid = header.get("kid")
            return await self._keys.find(kid if isinstance(kid, str) else None, algorithm)
        raise BadTokenError("the token is not signed in a way that is accepted here")

    def _grant(self, claims: Mapping[str, Any]) -> Grant:
        issued, end = claims["iat"], claims["exp"]
        if not isinstance(issued, int | float) or not isinstance(end, int | float):
            raise BadTokenError("the token's times are no numbers")
        if end - issued > self._longest:
            raise BadTokenError(f"a token lives {self._longest / 60:g} minutes at most")
        words, sessions = claims.get("scope", ""), claims.get("sessions", [])
        if isinstance(sessions, str):
            sessions = [sessions]
        if not isinstance(words, str) or not isinstance(sessions, list):
            raise BadTokenError("the token's scope or sessions are not what they should be")
        if len(sessions) > MAX_SESSIONS or not all(map(_is_session, sessions)):
            raise BadTokenError("the token's sessions are not names of sessions")
        known = {scope.value for scope in Scope}
        return Grant(
            # An issuer may add scopes of other services: they are ignored.
            scopes=frozenset(Scope(word) for word in words.split() if word in known),
            sessions=tuple(sessions),
            subject=str(claims.get("sub", ""))[:200],
            expires_at=float(end),
        )


def token_check(settings: Settings) -> TokenCheck | None:
    """The check that the settings ask for; ``None`` where no tokens are used."""
    return TokenCheck(settings) if settings.requires_tokens else None


def make_token(
    settings: Settings,
    *,
    scopes: Iterable[Scope],
    sessions: Iterable[str],
    minutes: float,
    subject: str = "",
    now: float | None = None,
) -> str:
    """A token signed with the configured secret.

    Raises:
        BadTokenError: no secret is configured, or such a token would be refused.
    """
    if settings.token_secret is None:
        raise BadTokenError("PROCTORING_TOKEN_SECRET is not set: nothing to sign with")
    if not 0 < minutes <= settings.token_max_minutes:
        raise BadTokenError(f"a token lives {settings.token_max_minutes:g} minutes at most")
    named = list(sessions)
    wrong = [name for name in named if not _is_session(name)]
    if wrong or len(named) > MAX_SESSIONS:
        raise BadTokenError(
            f"not names of sessions: {', '.join(wrong)[:200]}" if wrong else "too many sessions"
        )
    issued = int(time.time() if now is None else now)
    claims: dict[str, Any] = {
        "iat": issued,
        "exp": issued + int(minutes * 60),
        "aud": settings.token_audience,
        "scope": " ".join(sorted(scopes)),
        "sessions": named,
    }
    claims |= {"iss": settings.token_issuer} if settings.token_issuer else {}
    claims |= {"sub": subject} if subject else {}
    return jwt.encode(claims, settings.token_secret.get_secret_value(), SHARED)


def _is_session(name: object) -> bool:
    if not isinstance(name, str):
        return False
    if name.endswith("*"):
        return _PREFIX.fullmatch(name) is not None
    return re.match(SESSION_ID, name) is not None and not name.endswith("\n")


def _reason(error: jwt.PyJWTError) -> str:
    """What is wrong, without any part of the token."""
    if isinstance(error, jwt.ExpiredSignatureError):
        return "the token has expired"
    if isinstance(error, jwt.ImmatureSignatureError):
        return "the token is not valid yet"
    if isinstance(error, jwt.InvalidAudienceError):
        return "the token is for another audience"
    if isinstance(error, jwt.InvalidIssuerError):
        return "the token is of another issuer"
    if isinstance(error, jwt.MissingRequiredClaimError):
        return f"the token lacks {error.claim}"
    return "the token cannot be used"
