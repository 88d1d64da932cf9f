"""The REST interface of a real server."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.server.live import Live, receive_key, running
from websockets.exceptions import InvalidStatus

from proctoring import __version__
from proctoring.vision.networks import VisionModels

API = Path(__file__).parents[2] / "docs" / "integrate" / "sockets.md"


@pytest.fixture(scope="module")
def http(live: Live) -> Iterator[httpx.Client]:
    with live.http as client:
        yield client


def error(response: httpx.Response) -> tuple[int, str, str]:
    body = response.json()["error"]
    return response.status_code, body["code"], body["detail"]


def test_health_says_what_is_on_and_what_is_off_and_why(live: Live, http: httpx.Client) -> None:
    health = http.get("/api/health").json()
    assert health["version"] == __version__
    assert health["grant"] == {
        "scopes": ["admin", "events", "media", "metrics", "review"],
        "sessions": ["*"],
    }
    known = {capability.name: capability for capability in live.service.capabilities}
    assert {found["name"] for found in health["capabilities"]} == set(known) >= {"faces", "gaze"}
    for found in health["capabilities"]:
        assert found["available"] is known[found["name"]].available
        assert bool(found["reason"]) is not found["available"]
    everything = all(f["available"] for f in health["capabilities"] if f["wanted"])
    # Other sessions of this server may be slowed down where tests share few cores.
    slowed = "less than the full rate" in health["detail"]
    assert health["status"] == ("ok" if everything and not slowed else "degraded")
    assert health["frames_per_second"] == 10.0


def test_without_models_the_service_runs_and_says_so(
    face_jpeg: bytes, vision_models: VisionModels
) -> None:
    reason = "faces: no source could give it"
    blind = VisionModels(
        faces=None,
        objects=None,
        capabilities=tuple(
            type(found)(found.name, available=False, reason=reason, model=found.model)
            for found in vision_models.capabilities
        ),
    )
    with running(blind) as live, live.http as http:
        health = http.get("/api/health").json()
        assert health["status"] == "degraded"
        assert reason in health["detail"]
        with live.socket("a/video?observe=1") as video:
            video.send(face_jpeg)
            observation = receive_key(video, "observation")
    # Not "nobody is there": nobody looked.
    assert observation["faces"] is None
    assert observation["objects"] is None


def test_a_session_is_made_shown_listed_and_ended(http: httpx.Client, session_id: str) -> None:
    wanted = {"session_id": session_id, "policy": "lenient", "mirrored": True}
    made = http.post("/api/sessions", json=wanted)
    assert made.status_code == 201
    body = made.json()
    assert (body["session_id"], body["policy"], body["mirrored"]) == (session_id, "lenient", True)
    assert (body["state"], body["media_time"], body["last_seq"]) == ("open", None, 0)
    assert http.get(f"/api/sessions/{session_id}").json() == body
    assert body in http.get("/api/sessions").json()["sessions"]
    ended = http.delete(f"/api/sessions/{session_id}")
    assert (ended.status_code, ended.json()["state"]) == (200, "ended")
    for method in ("GET", "DELETE"):
        status, code, _ = error(http.request(method, f"/api/sessions/{session_id}"))
        assert (status, code) == (404, "unknown_session")


def test_a_session_without_a_name_gets_one(http: httpx.Client) -> None:
    first, second = (http.post("/api/sessions", json={}).json() for _ in range(2))
    assert first["session_id"] != second["session_id"]
    assert first["policy"] == "exam"


def test_a_session_that_is_open_is_not_made_again(http: httpx.Client, session_id: str) -> None:
    http.post("/api/sessions", json={"session_id": session_id}).raise_for_status()
    refused = http.post("/api/sessions", json={"session_id": session_id})
    status, code, detail = error(refused)
    assert (status, code) == (409, "session_exists")
    assert refused.json()["error"]["retryable"] is False
    assert "retry-after" not in refused.headers
    assert session_id in detail


def test_a_socket_joins_the_session_that_was_made_with_its_policy(
    live: Live, http: httpx.Client, session_id: str, face_jpeg: bytes
) -> None:
    http.post("/api/sessions", json={"session_id": session_id, "policy": "interview"})
    with live.socket(f"{session_id}/video?observe=1") as video:
        video.send(face_jpeg)
        receive_key(video, "observation")
        shown = http.get(f"/api/sessions/{session_id}").json()
    assert (shown["policy"], shown["video"], shown["frames"]["analysed"]) == ("interview", True, 1)


def test_accommodations_change_the_sessions_own_policy(
    live: Live, http: httpx.Client, session_id: str
) -> None:
    accommodations = {"gaze.down": {"persist": 5}, "screen": {"down": 30}}
    wanted = {"session_id": session_id, "accommodations": accommodations}
    assert http.post("/api/sessions", json=wanted).status_code == 201
    session = live.service.sessions.find(session_id)
    assert session is not None
    assert session.policy.screen.down == 30
    assert session.policy.incidents["gaze.down"].persist == 5
    assert live.service.default_policy.screen.down != 30


BAD: dict[str, tuple[Any, int, str]] = {
    "a name that cannot be": ({"session_id": "a b"}, 422, "session_id"),
    "a name too long": ({"session_id": "x" * 10_000}, 422, "session_id"),
    "an unknown policy": ({"policy": "brutal"}, 422, "brutal"),
    "a policy that is a file": ({"policy": "/etc/passwd"}, 422, "passwd"),
    "an unknown accommodation": ({"accommodations": {"gaze.inwards": {}}}, 422, "gaze.inwards"),
    "an impossible one": (
        {"accommodations": {"gaze.left": {"persist": -1}}},
        422,
        "gaze.left.persist",
    ),
    "an unknown field": ({"polcy": "exam"}, 422, "polcy"),
    "no object": ([1, 2], 422, "body"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_session_that_cannot_be_made_is_refused_by_name(http: httpx.Client, case: str) -> None:
    body, status, named = BAD[case]
    found, _, detail = error(http.post("/api/sessions", json=body))
    assert found == status
    assert named in detail
    assert len(detail) < 500


def test_what_is_no_json_is_refused(http: httpx.Client) -> None:
    headers = {"content-type": "application/json"}
    response = http.post("/api/sessions", content=b"{", headers=headers)
    assert error(response)[0] == 422


def test_a_body_too_large_or_of_unknown_length_is_refused(http: httpx.Client) -> None:
    headers = {"content-type": "application/json"}
    large = http.post("/api/sessions", content=b" " * ((8 << 20) + 1), headers=headers)
    assert error(large)[:2] == (413, "too_large")
    endless = http.post("/api/sessions", content=iter([b"{", b"}"]), headers=headers)
    assert error(endless)[:2] == (413, "too_large")


def test_sessions_beyond_the_bound_are_refused_until_one_ends(
    vision_models: VisionModels,
) -> None:
    with running(vision_models, max_sessions=2) as live, live.http as http:
        for name in ("a", "b"):
            http.post("/api/sessions", json={"session_id": name}).raise_for_status()
        refused = http.post("/api/sessions", json={})
        assert error(refused)[:2] == (503, "too_many")
        assert refused.json()["error"]["retryable"] is True
        assert refused.headers["retry-after"] == "5"
        http.delete("/api/sessions/a").raise_for_status()
        http.post("/api/sessions", json={"session_id": "a"}).raise_for_status()


def test_a_session_that_is_still_being_written_is_refused_for_the_moment(
    vision_models: VisionModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By REST and by a socket's handshake alike."""
    with running(vision_models) as live, live.http as http:

        async def not_done(_: object) -> bool:
            return False

        http.post("/api/sessions", json={"session_id": "a"}).raise_for_status()
        with monkeypatch.context() as patched:
            patched.setattr(live.service.storage.outbox, "end", lambda _: Future())
            patched.setattr(live.service, "until_done", not_done)
            http.delete("/api/sessions/a").raise_for_status()
            answer = http.post("/api/sessions", json={"session_id": "a"})
            with pytest.raises(InvalidStatus) as handshake:
                live.socket("a/video")
        response = handshake.value.response
        for status, headers, body in (
            (answer.status_code, answer.headers, answer.json()),
            (response.status_code, response.headers, json.loads(response.body or b"")),
        ):
            assert status == 409
            assert headers["retry-after"] == "1"
            assert body["error"]["code"] == "session_closing"
            assert body["error"]["retryable"] is True


def test_policies_are_listed_with_the_default(http: httpx.Client) -> None:
    body = http.get("/api/policies").json()
    assert {policy["name"] for policy in body["policies"]} == {"exam", "interview", "lenient"}
    assert all(policy["description"] for policy in body["policies"])
    assert body["default"] == "exam"


def test_metrics_count_and_name_no_session(vision_models: VisionModels, face_jpeg: bytes) -> None:
    with (
        running(vision_models) as live,
        live.http as http,
        live.socket("secret-name/video?observe=1") as video,
    ):
        for i in range(3):
            video.send((10**15 + i * 100_000).to_bytes(8, "big") + face_jpeg)
            receive_key(video, "observation")
        text = http.get("/metrics").text
    assert "secret-name" not in text
    values = {
        (sample.name, sample.labels.get("name", "") or sample.labels.get("analyser", "")): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert values["proctoring_sessions", ""] == 1
    assert values["proctoring_frames_received_total", ""] == 3
    assert values["proctoring_analysis_seconds_count", "decode"] == 3
    assert values["proctoring_analysis_seconds_count", "faces"] == 3
    assert values["proctoring_frame_latency_seconds_count", ""] == 3
    assert values["proctoring_capability_available", "faces"] == 1
    assert values["proctoring_rate_ratio", ""] == 1
    assert values["process_resident_memory_bytes", ""] > 1e7


def test_openapi_and_the_documentation_name_the_same_paths(http: httpx.Client) -> None:
    described = http.get("/openapi.json").json()
    table, records = API.read_text().split("## Records: `/api/records`")
    named = set(re.findall(r"`([A-Z]+ /[^`?]*)`", table.split("## Sessions and the service")[1]))
    named |= {
        f"{method} /api/records{path}"
        for method, path in re.findall(r"`([A-Z]+) (/[^`?]*)`", records.split("## Close codes")[0])
    }
    assert named == {
        f"{method.upper()} {path}" for path, of in described["paths"].items() for method in of
    }
    request = described["components"]["schemas"]["SessionRequest"]
    assert request["examples"][0]["session_id"] == "exam-7"
    assert http.get("/docs").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nothing", 404), ("PUT", "/api/health", 405)]
)
def test_errors_of_all_kinds_have_one_form(
    http: httpx.Client, method: str, path: str, status: int
) -> None:
    assert error(http.request(method, path))[0] == status


def test_a_session_with_a_reference_photo(
    http: httpx.Client, session_id: str, face_jpeg: bytes, vision_models: VisionModels
) -> None:
    if vision_models.identity is None:
        pytest.skip("the weights of the face embedding cannot be had")
    wanted = {"session_id": session_id, "reference_photo": base64.b64encode(face_jpeg).decode()}
    assert http.post("/api/sessions", json=wanted).status_code == 201
    assert http.delete(f"/api/sessions/{session_id}").status_code == 200


@pytest.mark.parametrize(
    ("photo", "detail"),
    [("***", "not base64"), (base64.b64encode(b"hello").decode(), "neither JPEG nor PNG")],
)
def test_a_bad_reference_photo_makes_no_session(
    http: httpx.Client, session_id: str, photo: str, detail: str, vision_models: VisionModels
) -> None:
    if vision_models.identity is None:
        pytest.skip("the weights of the face embedding cannot be had")
    wanted = {"session_id": session_id, "reference_photo": photo}
    status, code, said = error(http.post("/api/sessions", json=wanted))
    assert (status, code) == (422, "bad_photo")
    assert detail in said
    assert http.get(f"/api/sessions/{session_id}").status_code == 404
