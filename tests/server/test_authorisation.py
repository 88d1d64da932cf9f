"""Who may use a server that asks for tokens: every route and socket, every kind of token."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.routing import Mount, Route, WebSocketRoute
from tests.server.live import DEAF, TIMEOUT, Live, receive, running
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from proctoring.server import tokens
from proctoring.server.app import OPEN_PATHS, create_app
from proctoring.server.authorisation import RouteAccess, declarations
from proctoring.server.grant import Grant, Scope
from proctoring.server.service import Service
from proctoring.server.tokens import make_token
from proctoring.session.loaded_models import Models
from proctoring.settings import Settings
from proctoring.vision.networks import VisionModels

SECURITY = Path(__file__).parents[2] / "docs" / "operate" / "security.md"
SECRET = "correct horse battery staple, twice over"  # noqa: S105  (no password)
SETTINGS = Settings(token_secret=SecretStr(SECRET), port=0)

ROUTES = [
    (route, access)
    for route, access in declarations(create_app(SETTINGS), OPEN_PATHS)
    if isinstance(route, Route | WebSocketRoute)
]


def named(found: tuple[Route | WebSocketRoute, RouteAccess]) -> str:
    route, _ = found
    return f"{','.join(sorted(getattr(route, 'methods', None) or ['socket']))} {route.path}"


GUARDED = [found for found in ROUTES if found[1].scopes]
OF_A_SESSION = [found for found in GUARDED if "{session_id" in found[0].path]
OF_A_SITTING = [found for found in GUARDED if "{sitting_id}" in found[0].path]


@pytest.fixture(scope="module")
def guarded(vision_models: VisionModels) -> Iterator[Live]:
    """A server that asks for tokens."""
    with running(vision_models, token_secret=SecretStr(SECRET)) as live:
        yield live


def token(*scopes: Scope, sessions: list[str] | None = None, minutes: float = 5) -> str:
    return make_token(SETTINGS, scopes=scopes, sessions=sessions or [], minutes=minutes)


def ask(
    live: Live,
    route: Route | WebSocketRoute,
    session: str,
    bearer: str | None,
    sitting: str = "0",
) -> Any:
    """Status and error code that a route of this session gives; 101 for a socket that opens."""
    path = re.sub(r"\{session_id(:\w+)?\}", session, route.path)
    path = re.sub(r"\{\w+(:\w+)?\}", "0", path.replace("{sitting_id}", sitting))
    headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
    if isinstance(route, WebSocketRoute):
        relative = path.removeprefix("/ws/proctor/")
        try:
            with live.socket(relative, additional_headers=headers):
                return 101, ""
        except InvalidStatus as refused:
            body = json.loads(refused.response.body or b"{}")
            return refused.response.status_code, body.get("error", {}).get("code", "")
    method = min((route.methods or {"GET"}) - {"HEAD"})
    with live.http as http:
        answer = http.request(method, path, headers=headers)
    body = answer.json() if answer.is_error else {}
    return answer.status_code, body.get("error", {}).get("code", "")


def test_every_route_mount_and_socket_says_whom_it_is_for() -> None:
    found = list(declarations(create_app(SETTINGS), OPEN_PATHS))
    assert [route for route, access in found if not access.declared] == []
    for_all = {route.path for route, access in found if not access.scopes}  # type: ignore[attr-defined]
    # Whoever adds to these lets everybody have it, and says so here.
    pages = {"/review", "/sitting", "/page/plotly.min.js"}
    assert for_all == {
        *OPEN_PATHS,
        *pages,
        "/api/health",
        "/api/ready",
        "/api/sign-in",
        "/ws/{rest:path}",
    }
    told = SECURITY.read_text().split("### What is open to everybody")[1].split("## ")[0]
    named = set(re.findall(r"`(/[^`]*)`", told)) - {"/metrics"}
    assert named == for_all - {"/ws/{rest:path}"}
    assert {route.path for route, _ in found if isinstance(route, Mount)} == {
        "/page",
        "/docs/viewer",
    }


def test_a_route_that_says_nothing_is_for_nobody(vision_models: VisionModels) -> None:
    with running(vision_models, token_secret=SecretStr(SECRET)) as live:
        app: FastAPI = create_app(SETTINGS, service=live.service)
        app.add_api_route("/api/forgotten", lambda: "secret")
        route, access = list(declarations(app, OPEN_PATHS))[-1]
    assert isinstance(route, Route)
    assert route.path == "/api/forgotten"
    everything = Grant(frozenset(Scope), ("*",))
    assert access.refusal(everything, None) is not None


@pytest.mark.parametrize("found", GUARDED, ids=named)
def test_without_a_token_nothing_is_had(guarded: Live, found: Any) -> None:
    assert ask(guarded, found[0], "exam-7", None) == (401, "unauthorised")


@pytest.mark.parametrize("found", OF_A_SESSION, ids=named)
def test_a_token_of_another_session_is_refused(guarded: Live, found: Any) -> None:
    other = token(*Scope, sessions=["exam-8", "exam-70", "exam-7-*"])
    assert ask(guarded, found[0], "exam-7", other) == (403, "forbidden")


@pytest.mark.parametrize("found", OF_A_SESSION, ids=named)
def test_a_token_of_no_session_is_refused(guarded: Live, found: Any) -> None:
    assert ask(guarded, found[0], "exam-7", token(*Scope)) == (403, "forbidden")


@pytest.mark.parametrize("found", GUARDED, ids=named)
def test_a_token_of_every_other_scope_is_refused(guarded: Live, found: Any) -> None:
    route, access = found
    others = set(Scope) - set().union(*access.scopes)
    if others:
        assert ask(guarded, route, "exam-7", token(*others, sessions=["*"])) == (403, "forbidden")
    else:
        assert ask(guarded, route, "exam-7", token(sessions=["*"])) == (403, "forbidden")


@pytest.mark.parametrize("sessions", [["exam-7"], ["exam-*"], ["*"], ["other", "exam-7"]])
@pytest.mark.parametrize("found", OF_A_SESSION, ids=named)
def test_the_right_token_is_let_through(guarded: Live, found: Any, sessions: list[str]) -> None:
    status, _ = ask(guarded, found[0], "exam-7", token(*Scope, sessions=sessions))
    assert status not in (401, 403)


def test_a_session_is_made_only_with_a_name_that_the_token_covers(guarded: Live) -> None:
    headers = {"authorization": f"Bearer {token(Scope.ADMIN, sessions=['made-*'])}"}
    with guarded.http as http:
        post = http.post("/api/sessions", json={"session_id": "made-1"}, headers=headers)
        assert post.status_code == 201
        for wanted in ({"session_id": "another"}, {}):
            refused = http.post("/api/sessions", json=wanted, headers=headers)
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "forbidden")


def test_a_list_shows_each_token_its_own_sessions(guarded: Live) -> None:
    everything = {"authorization": f"Bearer {token(*Scope, sessions=['*'])}"}
    own = {"authorization": f"Bearer {token(Scope.REVIEW, sessions=['list-a*'])}"}
    with guarded.http as http:
        for name in ("list-a1", "list-a2", "list-b"):
            http.post("/api/sessions", json={"session_id": name}, headers=everything)
        shown = http.get("/api/sessions", headers=own).json()["sessions"]
        all_of_them = http.get("/api/sessions", headers=everything).json()["sessions"]
    assert {one["session_id"] for one in shown} == {"list-a1", "list-a2"}
    assert {one["session_id"] for one in all_of_them} >= {"list-a1", "list-a2", "list-b"}


@pytest.fixture(scope="module")
def sitting(guarded: Live) -> str:
    """The record of a session named exam-7."""
    headers = {"authorization": f"Bearer {token(*Scope, sessions=['*'])}"}
    with guarded.http as http:
        http.post("/api/sessions", json={"session_id": "exam-7"}, headers=headers)
        shown = http.get("/api/records/sittings?session_id=exam-7", headers=headers).json()
    found: str = shown["sittings"][0]["id"]
    return found


@pytest.mark.parametrize("found", OF_A_SITTING, ids=named)
def test_records_of_another_session_are_refused_like_records_that_there_are_not(
    guarded: Live, sitting: str, found: Any
) -> None:
    other = token(*Scope, sessions=["exam-8", "exam-70", "Exam-*"])
    for asked in (sitting, "01KDZ2CN80000000F6FMQ3VH2M", "nothing"):
        assert ask(guarded, found[0], "", other, sitting=asked) == (403, "forbidden")


@pytest.mark.parametrize("found", OF_A_SITTING, ids=named)
@pytest.mark.parametrize("sessions", [["exam-7"], ["ex*"], ["*"]])
def test_records_of_the_tokens_own_session_are_let_through(
    guarded: Live, sitting: str, found: Any, sessions: list[str]
) -> None:
    status, _ = ask(guarded, found[0], "", token(*Scope, sessions=sessions), sitting=sitting)
    assert status not in (401, 403)


def test_the_list_of_records_shows_each_token_its_own_sessions(guarded: Live, sitting: str) -> None:
    everything = {"authorization": f"Bearer {token(*Scope, sessions=['*'])}"}
    with guarded.http as http:
        for name in ("kept-a_1", "Kept-a_2", "kept-ab1", "kept-b"):
            http.post("/api/sessions", json={"session_id": name}, headers=everything)
        shown = {}
        for sessions in (["kept-a_*"], ["kept-b", "exam-7"], ["*"], []):
            own = {"authorization": f"Bearer {token(Scope.REVIEW, sessions=sessions)}"}
            page = http.get("/api/records/sittings?limit=500", headers=own).json()["sittings"]
            shown[" ".join(sessions)] = {one["session_id"] for one in page}
    assert shown["kept-a_*"] == {"kept-a_1"}
    assert shown["kept-b exam-7"] == {"kept-b", "exam-7"}
    assert shown["*"] >= {"kept-a_1", "Kept-a_2", "kept-ab1", "kept-b", "exam-7"}
    assert shown[""] == set()


def test_health_tells_strangers_no_more_than_how_it_is(guarded: Live) -> None:
    with guarded.http as http:
        brief = http.get("/api/health").json()
        whole = http.get(
            "/api/health", headers={"authorization": f"Bearer {token(Scope.METRICS)}"}
        ).json()
        bad = http.get("/api/health", headers={"authorization": "Bearer nonsense"})
    assert set(brief) == {"status", "access", "accepting"}
    assert brief["access"] == whole["access"] == "tokens"
    assert "capabilities" in whole
    assert whole["grant"]["scopes"] == ["metrics"]
    assert bad.status_code == 401


def test_the_page_and_its_files_are_for_everybody(guarded: Live) -> None:
    with guarded.http as http:
        for path in ("/", "/page/main.js", "/docs", "/openapi.json"):
            assert http.get(path).status_code == 200, path


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/api/sessions/", 404)])
def test_what_is_not_there_needs_no_token_to_be_not_there(
    guarded: Live, path: str, status: int
) -> None:
    with guarded.http as http:
        assert http.get(path).status_code == status
        assert http.put("/api/sessions").status_code == 405


def test_a_browser_passes_its_token_as_a_subprotocol_and_never_sees_it_again(
    guarded: Live,
) -> None:
    bearer = token(Scope.EVENTS, sessions=["browser-1"])
    with guarded.socket("browser-1/events", subprotocols=["proctoring", f"bearer.{bearer}"]) as it:
        assert it.subprotocol == "proctoring"
        assert it.response is not None
        assert bearer not in str(it.response.headers)


@pytest.mark.parametrize("offered", [["proctoring"], ["bearer."], ["proctoring", "bearer.x.y.z"]])
def test_a_subprotocol_without_a_good_token_is_refused(guarded: Live, offered: list[str]) -> None:
    with pytest.raises(InvalidStatus) as caught:
        guarded.socket("browser-1/events", subprotocols=offered)
    assert caught.value.response.status_code == 401


def test_a_token_in_the_address_counts_for_nothing(guarded: Live) -> None:
    bearer = token(*Scope, sessions=["*"])
    with guarded.http as http:
        for name in ("token", "access_token", "bearer"):
            assert http.get(f"/api/sessions?{name}={bearer}").status_code == 401


def test_a_server_without_tokens_speaks_the_subprotocol_all_the_same(
    live: Live, session_id: str
) -> None:
    with live.socket(f"{session_id}/events", subprotocols=["proctoring", "bearer.abc"]) as socket:
        assert socket.subprotocol == "proctoring"
    with live.socket(f"{session_id}/events") as socket:
        assert socket.subprotocol is None


def test_a_socket_is_closed_when_its_token_expires(
    guarded: Live,
) -> None:
    def expiring(seconds: float) -> dict[str, str]:
        """With a token that a server takes for so long."""
        issued = time.time() - 60 - tokens.LEEWAY + seconds
        bearer = make_token(
            SETTINGS, scopes=[Scope.EVENTS], sessions=["late"], minutes=1, now=issued
        )
        return {"authorization": f"Bearer {bearer}"}

    def opened() -> tuple[ClientConnection, dict[str, str]]:
        """On a busy machine a token may have expired before the socket is open."""
        for seconds in (2, 5, 10):
            headers = expiring(seconds)
            with suppress(InvalidStatus):
                return guarded.socket("late/events", additional_headers=headers), headers
        raise AssertionError("no token was accepted")

    socket, headers = opened()
    with socket:
        assert receive(socket)["error"]["code"] == "token_expired"
        with pytest.raises(ConnectionClosed) as caught:
            receive(socket)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 4003
    session = guarded.service.sessions.find("late")
    assert session is not None  # it lives on; the next token may go on with it
    with pytest.raises(InvalidStatus) as refused:
        guarded.socket("late/events", additional_headers=headers, open_timeout=TIMEOUT)
    assert refused.value.response.status_code == 401


def test_no_token_is_ever_logged(
    guarded: Live, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    good = token(*Scope, sessions=["logged"])
    for bearer in (good, good[:-3] + "abc", "nonsense"):
        for found in OF_A_SESSION:
            ask(guarded, found[0], "logged", bearer)
    # What the tests' own clients log of themselves is theirs, a reset connection's traceback too.
    others = [r for r in caplog.records if r.name != "websockets.client"]
    said = "".join(map(caplog.handler.format, others)) + "".join(capfd.readouterr())
    ours = [r for r in caplog.records if r.name.startswith(("proctoring", "uvicorn", "fastapi"))]
    assert all(good[:-3] not in record.getMessage() for record in ours)
    assert "Traceback" not in said


def test_what_follows_a_path_segment_is_always_the_same_kind_of_id() -> None:
    found: dict[str, set[str]] = {}
    for route, _ in ROUTES:
        for segment, name in re.findall(r"(\w+)/\{(\w+)(?::\w+)?\}", route.path):
            found.setdefault(segment, set()).add(name)
    assert found.pop("ws") == {"rest"}  # every other socket: answered with an error
    assert found == {
        "proctor": {"session_id"},
        "sessions": {"session_id"},
        "sittings": {"sitting_id"},
        "incidents": {"incident_id"},
        "evidence": {"digest"},
    }


def test_openapi_says_what_each_path_needs() -> None:
    document = create_app(SETTINGS).openapi()
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    delete = document["paths"]["/api/sessions/{session_id}"]["delete"]
    assert delete["security"] == [{"token": ["admin"]}]
    assert "security" not in document["paths"]["/api/health"]["get"]


def test_a_server_with_tokens_may_be_asked_by_any_name(guarded: Live) -> None:
    with guarded.http as http:
        answer = http.get("/api/health", headers={"host": "proctor.example.org"})
    assert answer.status_code == 200


def test_one_client_asks_only_so_often(vision_models: VisionModels) -> None:
    with running(vision_models, max_requests_per_second=1.0) as live, live.http as http:
        answers = [http.get("/api/health") for _ in range(15)]
    codes = [answer.status_code for answer in answers]
    assert codes[:2] == [200] * 2
    assert 429 in codes[2:]
    refused = answers[codes.index(429)]
    error = refused.json()["error"]
    assert (error["code"], error["retryable"]) == ("too_many_requests", True)
    assert refused.headers["retry-after"] == "1"


def test_a_service_says_how_it_lets_in(vision_models: VisionModels) -> None:
    models = Models(vision_models, DEAF)
    assert Service(Settings(insecure=True), models=models).access == "insecure"
    assert Service(Settings(), models=models).access == "local"
    assert Service(SETTINGS, models=models).access == "tokens"
