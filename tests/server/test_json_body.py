"""Bodies that would cost time, memory or log: refused before they are parsed."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from tests.processor_time import processor_seconds
from tests.server.live import Live, running
from tests.session.conftest import BLIND

from proctoring.errors import InvalidRequestError
from proctoring.incidents import LABELS
from proctoring.server.app import create_app
from proctoring.server.guard import MAX_BODY, MAX_REFERENCE, _max_body
from proctoring.server.json_body import MAX_DEPTH, MAX_PARTS, BoundedRoute, check_json

RULE = {"enabled": True, "persist": {"hits": 2, "of": 3}, "cooldown": 5.0, "max_gap": 1.6}


@pytest.fixture(scope="module")
def blind() -> Iterator[Live]:
    with running(BLIND) as live:
        yield live


@pytest.fixture
def http(blind: Live) -> Iterator[httpx.Client]:
    with blind.http as client:
        yield client


def test_the_largest_honest_body_passes() -> None:
    check_json(json.dumps({"accommodations": dict.fromkeys(LABELS, RULE)}).encode())
    check_json(json.dumps({"reference_voice": "A" * (8 << 20)}).encode())
    check_json(b'{"a": "[[[[[[[[[[[[[[[[[[[[[[[[\\"[[["}')


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"[" * (MAX_DEPTH + 1), "nested deeper"),
        (b"[" * (8 << 20), "nested deeper"),
        (b'{"a":' * 10_000, "nested deeper"),
        (b'"\\\\"' + b"[" * 100, "nested deeper"),
        (b"[" + b"[]," * (2 << 20), "more than"),
        (json.dumps(dict.fromkeys(map(str, range(MAX_PARTS)), 1)).encode(), "more than"),
        ("{}".encode("utf-16"), "UTF-8"),
        ("{}".encode("utf-32"), "UTF-8"),
    ],
    ids=["deep", "8 MiB deep", "objects", "after a string", "8 MiB wide", "keys", "16", "32"],
)
def test_a_body_of_more_than_that_is_refused_at_once(body: bytes, problem: str) -> None:
    def refuse() -> None:
        with pytest.raises(InvalidRequestError, match=problem):
            check_json(body)

    assert processor_seconds(refuse) < 0.5


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/sessions"),
        ("PUT", "/api/sessions/a/voice"),
        ("POST", "/api/sessions/a/challenge"),
        ("POST", "/api/records/sittings/a/rejudge"),
        ("POST", "/api/records/sittings/a/incidents/b/decision"),
        ("POST", "/api/records/sessions/a/consent"),
    ],
)
@pytest.mark.parametrize("body", [b"[" * 100_000, b"[" + b"[]," * 50_000], ids=["deep", "wide"])
def test_every_route_with_a_body_refuses_it_with_a_short_answer(
    http: httpx.Client, method: str, path: str, body: bytes
) -> None:
    answer = http.request(method, path, content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_request")
    assert len(answer.content) < 300


def test_no_route_with_a_body_is_without_the_check(blind: Live) -> None:
    app = create_app(service=blind.service)
    routes = [found.original_route for found in iter_route_contexts(app.routes)]
    with_body = [
        route for route in routes if isinstance(route, APIRoute) and route.body_field is not None
    ]
    assert len(with_body) >= 6
    assert all(isinstance(route, BoundedRoute) for route in with_body)


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/api/sessions", MAX_REFERENCE),
        ("/api/sessions/exam-7/voice", MAX_REFERENCE),
        ("/api/sessions/exam-7/calibration", MAX_BODY),
        ("/api/sessions/exam-7/challenge/voice", MAX_BODY),
        ("/api/records/sessions/exam-7/consent", MAX_BODY),
    ],
)
def test_only_bodies_with_a_recording_may_be_large(path: str, limit: int) -> None:
    assert _max_body(path) == limit


def test_a_validation_error_echoes_little_of_what_was_sent(http: httpx.Client) -> None:
    keys = {"k" * 3000 + str(number): "v" * 3000 for number in range(30)}
    answer = http.post("/api/sessions", json=keys)
    assert answer.status_code == 422
    assert len(answer.content) < 3000
    assert "v" * 10 not in answer.text


TOML = {
    "nested": "a=" + "[" * 2000,
    "dotted": ".".join("a" * 20_000) + "=1",
    "digits": "update_interval=" + "1" * 5000,
    "keys": "".join(f"k{number}=1\n" for number in range(6000)),
}


@pytest.mark.parametrize("toml", TOML.values(), ids=TOML)
def test_a_policy_that_would_be_costly_is_refused_shortly(http: httpx.Client, toml: str) -> None:
    session_id = f"policy-{abs(hash(toml))}"
    http.post("/api/sessions", json={"session_id": session_id})
    http.delete(f"/api/sessions/{session_id}")
    found = http.get("/api/records/sittings", params={"session_id": session_id}).json()
    path = f"/api/records/sittings/{found['sittings'][0]['id']}/rejudge"
    answer = http.post(path, json={"toml": 'name="x"\n' + toml})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "bad_policy")
    assert len(answer.content) < 1000


def test_text_with_a_null_character_is_refused(http: httpx.Client) -> None:
    consent = http.post("/api/records/sessions/a/consent", json={"text": "a\0b"})
    assert consent.status_code == 422
    listed = http.get("/api/records/sittings?before=%00")
    assert listed.status_code == 400
