"""A token in a browser's cookie: every scope, only for our own pages, no longer than the token."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from tests.server.live import Live, receive, running
from tests.session.conftest import BLIND
from websockets.exceptions import InvalidStatus

from proctoring.server.grant import Scope
from proctoring.server.token_cookie import LONGEST, NAME
from proctoring.server.tokens import make_token
from proctoring.settings import Settings

SECRET = SecretStr("correct horse battery staple, twice over")


@pytest.fixture(scope="module")
def guarded() -> Iterator[Live]:
    with running(BLIND, token_secret=SECRET) as live:
        yield live


def token(*scopes: Scope, minutes: float = 5, session: str = "*") -> str:
    settings = Settings(token_secret=SECRET)
    return make_token(settings, scopes=scopes, sessions=[session], minutes=minutes)


def sign_in(http: httpx.Client, bearer: str) -> httpx.Response:
    return http.post("/api/sign-in", json={"token": bearer})


def kept(live: Live, *scopes: Scope, **chosen: Any) -> dict[str, str]:
    """The header with which a browser that signed in comes back."""
    with live.http as http:
        sign_in(http, token(*scopes, **chosen)).raise_for_status()
        return {"cookie": f"{NAME}={http.cookies[NAME]}"}


def test_the_cookie_is_for_no_script_and_no_other_site(guarded: Live) -> None:
    with guarded.http as http:
        answer = sign_in(http, token(Scope.REVIEW, minutes=5))
        assert answer.status_code == 204
        said = answer.headers["set-cookie"].lower()
        for part in ("httponly", "samesite=strict", "path=/"):
            assert part in said
        age = int(said.split("max-age=")[1].split(";")[0])
        assert 290 < age <= 300
        assert "secure" not in said, "this test's server is plain HTTP"
        long = sign_in(http, token(Scope.REVIEW, minutes=700)).headers["set-cookie"].lower()
        assert f"max-age={LONGEST};" in long
        secure = http.post(
            "/api/sign-in",
            json={"token": token(Scope.REVIEW)},
            headers={"x-forwarded-proto": "https"},
        )
        assert "secure" in secure.headers["set-cookie"].lower()


@pytest.mark.parametrize("bad", ["nonsense", "a" * 9000, ""])
def test_a_token_that_is_not_valid_gives_no_cookie(guarded: Live, bad: str) -> None:
    with guarded.http as http:
        answer = sign_in(http, bad)
        assert answer.status_code in (401, 422)
        assert "set-cookie" not in answer.headers


def test_where_no_tokens_are_used_there_is_no_cookie() -> None:
    with running(BLIND) as live, live.http as http:
        answer = sign_in(http, "anything")
        assert (answer.status_code, "set-cookie" in answer.headers) == (204, False)


def test_every_scope_works_by_cookie_and_no_other(guarded: Live) -> None:
    own = {"origin": guarded.address}
    asked: dict[Scope, tuple[str, str]] = {
        Scope.REVIEW: ("GET", "/api/records/sittings"),
        Scope.ADMIN: ("POST", "/api/sessions"),
        Scope.METRICS: ("GET", "/metrics"),
    }
    for scope, (method, path) in asked.items():
        with guarded.http as http:
            body: Any = {} if method == "POST" else None
            headers = kept(guarded, scope) | own
            answer = http.request(method, path, headers=headers, json=body)
            assert answer.status_code in (200, 201), scope
            others = kept(guarded, *(set(asked) - {scope})) | own
            assert http.request(method, path, headers=others, json=body).status_code == 403
    headers = kept(guarded, Scope.MEDIA, Scope.EVENTS, session="mine") | own
    for name in ("events", "video"):
        with guarded.socket(f"mine/{name}", additional_headers=headers):
            pass
        with (
            pytest.raises(InvalidStatus) as refused,
            guarded.socket(f"another/{name}", additional_headers=headers) as socket,
        ):
            receive(socket)
        assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://localhost:1"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site"},
    ],
)
def test_a_page_that_is_not_ours_cannot_use_the_cookie(
    guarded: Live, headers: dict[str, str]
) -> None:
    sent = kept(guarded, *Scope) | headers
    with guarded.http as http:
        answer = http.post("/api/sessions", json={"session_id": "forged"}, headers=sent)
        assert answer.status_code in (401, 403)
        assert guarded.service.sessions.find("forged") is None
        if "sec-fetch-site" in headers:
            assert http.get("/api/records/sittings", headers=sent).status_code == 401
    with (
        pytest.raises(InvalidStatus) as refused,
        guarded.socket("forged/video", additional_headers=sent),
    ):
        pass
    assert refused.value.response.status_code in (401, 403)


def test_a_header_counts_before_a_cookie(guarded: Live) -> None:
    with guarded.http as http:
        headers = kept(guarded, Scope.REVIEW)
        bearer = {"authorization": f"Bearer {token(Scope.METRICS)}"}
        assert http.get("/metrics", headers=headers | bearer).status_code == 200
        assert http.get("/api/records/sittings", headers=headers | bearer).status_code == 403


def test_pages_open_with_a_cookie_that_is_no_longer_valid(guarded: Live) -> None:
    stale = {"cookie": f"{NAME}=nonsense"}
    with guarded.http as http:
        for path in ("/", "/review", "/sitting", "/page/token.js", "/api/health"):
            assert http.get(path, headers=stale).status_code == 200, path
        assert http.get("/api/records/sittings", headers=stale).status_code == 401
        # And it can be replaced and removed.
        sign_in(http, token(Scope.REVIEW)).raise_for_status()
        removed = http.delete("/api/sign-in", headers=stale)
        assert removed.status_code == 204
        assert "max-age=0" in removed.headers["set-cookie"].lower()
