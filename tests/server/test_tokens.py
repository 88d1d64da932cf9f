"""What is a token and what only looks like one."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from pydantic import SecretStr

from proctoring.errors import BadTokenError, NotReadyError, SettingsError
from proctoring.server import token_keys
from proctoring.server.grant import Grant, Scope
from proctoring.server.tokens import TokenCheck, make_token
from proctoring.settings import Settings, read_settings

SECRET = "correct horse battery staple, twice over"  # noqa: S105  (no password)
SETTINGS = Settings(token_secret=SecretStr(SECRET))


def read(token: str, settings: Settings = SETTINGS) -> Grant:
    return asyncio.run(TokenCheck(settings).read(token))


def claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    all_of_them = {
        "iat": now,
        "exp": now + 60,
        "aud": "proctoring",
        "scope": "media events",
        "sessions": ["exam-7"],
    } | changed
    return {name: value for name, value in all_of_them.items() if value is not None}


def signed(secret: str = SECRET, **changed: Any) -> str:
    return jwt.encode(claims(**changed), secret, "HS256")


def part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_what_was_made_is_read() -> None:
    token = make_token(
        SETTINGS,
        scopes=[Scope.REVIEW, Scope.MEDIA],
        sessions=["exam-7", "exam-8*"],
        minutes=30,
        subject="reviewer-3",
    )
    grant = read(token)
    assert grant.scopes == {Scope.REVIEW, Scope.MEDIA}
    assert grant.subject == "reviewer-3"
    assert grant.expires_at == pytest.approx(time.time() + 1800, abs=5)
    covered = {name: grant.covers(name) for name in ("exam-7", "exam-70", "exam-8", "exam-81", "x")}
    assert covered == {
        "exam-7": True, "exam-70": False, "exam-8": True, "exam-81": True, "x": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": None},
        {"iat": None},
        {"aud": None},
        {"aud": "another"},
        {"aud": ["another"]},
        {"exp": int(time.time()) - 3600},
        {"exp": int(time.time()) + 400 * 86_400},
        {"exp": "tomorrow"},
        {"exp": str(int(time.time()) + 60)},
        {"iat": True, "exp": int(time.time()) + 60},
        {"exp": float("inf")},
        {"iat": int(time.time()) + 3600, "exp": int(time.time()) + 3700},
        {"iat": -(10**15)},
        {"nbf": int(time.time()) + 3600},
        {"scope": ["media"]},
        {"scope": 7},
        {"sessions": {"exam-7": True}},
        {"sessions": [7]},
        {"sessions": [""]},
        {"sessions": ["*exam"]},
        {"sessions": ["exam-[0-9]"]},
        {"sessions": [f"exam-{number}" for number in range(1000)]},
    ],
    ids=lambda changed: re.sub(r"[0-9]{9,}", "T", repr(changed))[:80],  # the same at any time
)
def test_claims_that_are_not_as_they_should_be_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(BadTokenError) as caught:
        read(signed(**changed))
    assert SECRET not in caught.value.detail


def test_scopes_for_other_services_are_passed_over() -> None:
    assert read(signed(scope="openid profile media superuser")).scopes == {Scope.MEDIA}


def test_one_session_may_be_given_as_a_word() -> None:
    assert read(signed(sessions="exam-7")).sessions == ("exam-7",)


def test_without_sessions_none_is_covered() -> None:
    assert not read(signed(sessions=None)).covers("exam-7")


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        "x" * 9000,
        signed("another secret of the same length, twice"),
        signed()[:-4] + "AAAA",
        base64.urlsafe_b64encode(b'{"alg":' + b"[" * 5900).decode() + ".e30.x",
        base64.urlsafe_b64encode(b'{"alg":' + b"1" * 5900 + b"}").decode() + ".e30.x",
        part({"alg": "none", "typ": "JWT"}) + "." + part(claims()) + ".",
        part({"alg": "None"}) + "." + part(claims()) + ".",
        part({"alg": "nOnE"}) + "." + part(claims()) + "." + signed().split(".")[2],
        part({"typ": "JWT"}) + "." + part(claims()) + ".AAAA",
        part({"alg": ["HS256"]}) + "." + part(claims()) + ".AAAA",
        jwt.encode(claims(), SECRET * 2, "HS512"),
        "é" * 40,
        "\x00" * 40,
    ],
    ids=lambda token: f"{len(token)}-characters",
)
def test_what_is_signed_otherwise_is_refused(token: str) -> None:
    with pytest.raises(BadTokenError):
        read(token)


def test_an_issuer_that_is_asked_for_must_be_the_one() -> None:
    settings = Settings(token_secret=SecretStr(SECRET), token_issuer="school")
    assert read(signed(iss="school"), settings).covers("exam-7")
    for changed in ({}, {"iss": "another"}):
        with pytest.raises(BadTokenError):
            read(signed(**changed), settings)


class Issuer:
    """Keys of all kinds, their JWKS address, and how often it was asked."""

    def __init__(self) -> None:
        self.rsa = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.ec = ec.generate_private_key(ec.SECP256R1())
        self.ed = ed25519.Ed25519PrivateKey.generate()
        self.asked = 0
        self.broken = False
        self.url = ""
        self.keys = [
            self._public(jwt.algorithms.RSAAlgorithm, self.rsa, "rsa-1", "RS256"),
            self._public(jwt.algorithms.ECAlgorithm, self.ec, "ec-1", "ES256"),
            self._public(jwt.algorithms.OKPAlgorithm, self.ed, "ed-1", "EdDSA"),
        ]

    @staticmethod
    def _public(algorithm: Any, key: Any, kid: str, name: str) -> dict[str, Any]:
        return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid, "alg": name}

    def sign(self, algorithm: str = "RS256", kid: str | None = None, **changed: Any) -> str:
        key, name = {
            "RS256": (self.rsa, "rsa-1"),
            "ES256": (self.ec, "ec-1"),
            "EdDSA": (self.ed, "ed-1"),
        }[algorithm]
        headers = {"kid": name if kid is None else kid}
        return jwt.encode(claims(**{"iss": "school"} | changed), key, algorithm, headers)  # type: ignore[arg-type]

    @property
    def settings(self) -> Settings:
        return Settings(token_jwks_url=self.url, token_issuer="school")


@contextmanager
def serving(issuer: Issuer) -> Iterator[Issuer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked += 1
            self.send_response(500 if issuer.broken else 200)
            self.end_headers()
            self.wfile.write(json.dumps({"keys": issuer.keys}).encode())

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer.url = f"http://127.0.0.1:{server.server_port}/keys"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with serving(Issuer()) as one:
        yield one


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_tokens_of_an_issuer_with_public_keys_are_read(issuer: Issuer, algorithm: str) -> None:
    assert read(issuer.sign(algorithm), issuer.settings).covers("exam-7")


def test_a_public_key_is_no_secret_to_sign_with(issuer: Issuer) -> None:
    public = issuer.rsa.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    import hashlib
    import hmac

    head = part({"alg": "HS256", "kid": "rsa-1"}) + "." + part(claims(iss="school"))
    seal = hmac.new(public, head.encode(), hashlib.sha256).digest()
    forged = head + "." + base64.urlsafe_b64encode(seal).rstrip(b"=").decode()
    for settings in (
        issuer.settings,
        issuer.settings.model_copy(update={"token_secret": SecretStr(SECRET)}),
    ):
        with pytest.raises(BadTokenError):
            read(forged, settings)


def test_a_key_signs_with_its_own_algorithm_alone(issuer: Issuer) -> None:
    forged = jwt.encode(claims(iss="school"), issuer.ed, "EdDSA", {"kid": "rsa-1"})
    with pytest.raises(BadTokenError):
        read(forged, issuer.settings)


def test_a_shared_secret_among_public_keys_is_not_used(issuer: Issuer) -> None:
    issuer.keys = [{"kty": "oct", "kid": "oct-1", "alg": "HS256", "k": part({"a": SECRET})}]
    token = jwt.encode(claims(iss="school"), SECRET, "HS256", {"kid": "oct-1"})
    with pytest.raises(BadTokenError):
        read(token, issuer.settings)


def test_a_token_signed_with_a_secret_needs_the_secret(issuer: Issuer) -> None:
    with pytest.raises(BadTokenError):
        read(signed(iss="school"), issuer.settings)


def test_keys_are_asked_for_seldom_and_withdrawn_ones_do_not_live_for_ever(issuer: Issuer) -> None:
    now = 0.0
    check = TokenCheck(issuer.settings, now=lambda: now)

    async def story() -> None:
        nonlocal now
        for _ in range(5):
            await check.read(issuer.sign())
        assert issuer.asked == 1
        for _ in range(50):  # keys that nobody has: no hammering of the issuer
            with pytest.raises(BadTokenError):
                await check.read(issuer.sign(kid="unknown"))
        assert issuer.asked == 1
        now += token_keys.MIN_FETCH_INTERVAL
        with pytest.raises(BadTokenError):
            await check.read(issuer.sign(kid="unknown"))
        assert issuer.asked == 2
        issuer.broken = True
        now += token_keys.REFRESH_AFTER + 1
        await check.read(issuer.sign())  # what was known serves on, for a while
        now += token_keys.MAX_AGE
        with pytest.raises(NotReadyError):
            await check.read(issuer.sign())
        issuer.broken = False
        now += token_keys.MIN_FETCH_INTERVAL
        await check.read(issuer.sign())

    asyncio.run(story())


def test_an_issuer_that_cannot_be_reached_is_told_apart_from_a_bad_token() -> None:
    settings = Settings(token_jwks_url="http://127.0.0.1:1/keys", token_issuer="school")
    with pytest.raises(NotReadyError):
        read(Issuer().sign(), settings)


def test_a_short_secret_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROCTORING_TOKEN_SECRET", "hunter2")
    with pytest.raises(SettingsError) as caught:
        read_settings()
    assert "PROCTORING_TOKEN_SECRET" in caught.value.detail
    assert "32" in caught.value.detail
    assert "hunter2" not in caught.value.detail


@pytest.mark.parametrize(
    "url", ["http://issuer.example.org/keys", "ftp://127.0.0.1/keys", "http://127.0.0.1.evil/keys"]
)
def test_keys_come_over_tls_or_from_this_machine(url: str) -> None:
    with pytest.raises(SettingsError, match="token_jwks_url"):
        read_settings(token_jwks_url=url, token_issuer="school")


def test_a_jwks_address_needs_an_issuer() -> None:
    with pytest.raises(SettingsError, match="PROCTORING_TOKEN_ISSUER"):
        read_settings(token_jwks_url="https://issuer.example.org/keys")


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        (Settings(), {"minutes": 5}),
        (SETTINGS, {"minutes": 0}),
        (SETTINGS, {"minutes": 10_000}),
        (SETTINGS, {"minutes": 5, "sessions": ["a b"]}),
    ],
)
def test_a_token_that_would_be_refused_is_not_made(
    settings: Settings, wanted: dict[str, Any]
) -> None:
    with pytest.raises(BadTokenError):
        make_token(settings, scopes=[Scope.MEDIA], **({"sessions": []} | wanted))
