"""Records over the REST interface of a real server."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from tests.recording.clips import sitting as clip_sitting
from tests.recording.clips import write_clip
from tests.recording.test_same_as_server import CAPTURED, pictures
from tests.server.live import Live, receive, receive_key, running, standing_clock, until
from tests.server.test_events_socket import publish
from tests.session.conftest import BLIND

from proctoring.delivery.events import number_event
from proctoring.errors import SettingsError
from proctoring.incidents import fold_changes
from proctoring.judgement.policy import parse_policy, shipped_policy
from proctoring.recording.video_track import analyse_video
from proctoring.records.entries import PendingEvent, sitting_ref
from proctoring.records.rejudging import judge_again
from proctoring.server.service import Service
from proctoring.session.pipeline import Pipeline
from proctoring.settings import Settings
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.networks import VisionModels


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server with records of its own."""
    with running(BLIND, data_folder=tmp_path_factory.mktemp("data")) as live:
        yield live


def sat(live: Live, session_id: str, events: int = 2) -> str:
    """A session that had some events and ended; the id of its sitting."""
    with live.http as http:
        assert http.post("/api/sessions", json={"session_id": session_id}).status_code == 201
        for _ in range(events):
            publish(live, session_id)
        until(lambda: live.service.outbox.last_seq(session_id) >= events)
        assert http.delete(f"/api/sessions/{session_id}").json()["last_seq"] == events
        (found,) = http.get("/api/records/sittings", params={"session_id": session_id}).json()[
            "sittings"
        ]
    id_: str = found["id"]
    return id_


def test_a_sitting_is_kept_with_its_incidents_policy_and_events(
    kept: Live, session_id: str
) -> None:
    sitting = sat(kept, session_id)
    with kept.http as http:
        detail = http.get(f"/api/records/sittings/{sitting}").json()
        events = http.get(f"/api/records/sittings/{sitting}/events").json()
    found = detail["sitting"]
    assert (found["session_id"], found["state"], found["policy"]) == (session_id, "ended", "exam")
    assert (found["end_reason"], found["incidents"]) == ("ended on request", 2)
    assert [incident["kind"] for incident in detail["incidents"]] == ["gaze.left"] * 2
    assert 'name = "exam"' in detail["policy_toml"]
    texts = [json.loads(event["text"]) for event in events]
    assert [text["seq"] for text in texts] == [1, 2]
    assert texts[0]["incidents"][0]["id"] == detail["incidents"][0]["id"]


def test_sittings_are_listed_newest_first_in_pages(kept: Live, session_id: str) -> None:
    ids = [sat(kept, f"{session_id}-{number}", events=1) for number in range(3)]
    with kept.http as http:
        first = http.get("/api/records/sittings", params={"limit": 2}).json()
        second = http.get(
            "/api/records/sittings", params={"limit": 1, "before": first["next"]}
        ).json()
    listed = [sitting["id"] for sitting in first["sittings"] + second["sittings"]]
    assert listed == ids[::-1]


def test_what_is_not_kept_is_unknown(kept: Live) -> None:
    with kept.http as http:
        for path in ("nothing", "nothing/events"):
            answer = http.get(f"/api/records/sittings/{path}")
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_record")


def test_a_server_that_follows_replays_and_goes_on_counting(
    tmp_path: Path, session_id: str
) -> None:
    with running(BLIND, data_folder=tmp_path) as live:
        sat(live, session_id, events=3)
    with running(BLIND, data_folder=tmp_path) as live, live.http as http:
        http.post("/api/sessions", json={"session_id": session_id})
        assert http.get(f"/api/sessions/{session_id}").json()["last_seq"] == 3
        with live.socket(f"{session_id}/events") as listener:
            until(lambda: live.service.outbox.listeners(session_id) == 1)
            publish(live, session_id)
            assert receive(listener)["seq"] == 4


def test_a_data_folder_that_cannot_be_written_turns_records_off_and_says_so(
    tmp_path: Path,
) -> None:
    file = tmp_path / "in the way"
    file.write_text("")
    with running(BLIND, data_folder=file / "below") as live, live.http as http:
        health = http.get("/api/health").json()
        assert health["status"] == "degraded"
        assert "in the way" in health["detail"]
        assert http.post("/api/sessions", json={}).status_code == 201
        assert http.get("/api/records/sittings").status_code == 503


def test_a_database_that_was_asked_for_and_cannot_be_used_lets_nothing_start(
    tmp_path: Path,
) -> None:
    file = tmp_path / "in the way"
    file.write_text("")
    with pytest.raises(SettingsError, match="in the way"):
        Service(Settings(data_folder=tmp_path, database=SecretStr(f"sqlite:///{file}/below")))


def test_a_consent_sent_again_and_again_is_counted_and_slowed_down(
    kept: Live, session_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept.service, "now", lambda: 100.0)
    path = f"/api/records/sessions/{session_id}/consent"
    with kept.http as http:
        answers = [http.post(path, json={"text": "You are watched."}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [201] * 4 + [429] * 2
    assert [answer.json()["times"] for answer in answers[:4]] == [1, 2, 3, 4]
    assert answers[-1].json()["error"]["retryable"] is True


def test_decisions_and_consent_are_kept_and_downloaded(kept: Live, session_id: str) -> None:
    with kept.http as http:
        agreed = {"text": "Your camera is watched.", "given_by": "c-1"}
        given = http.post(f"/api/records/sessions/{session_id}/consent", json=agreed)
        assert given.status_code == 201
        sitting = sat(kept, session_id)
        path = f"/api/records/sittings/{sitting}"
        incident = http.get(path).json()["incidents"][0]["id"]
        said = {"decision": "dismiss", "reason": "=looked at the clock", "reviewer": "rev-3"}
        decided = http.post(f"{path}/incidents/{incident}/decision", json=said)
        assert decided.status_code == 201
        report = http.get(f"{path}/json").json()
        table = http.get(f"{path}/csv")
    assert report["consents"][0]["text"] == "Your camera is watched."
    assert report["incidents"][0]["decision"] == "dismiss"
    assert [event["seq"] for event in report["events"]] == [1, 2]
    first, second = csv.DictReader(io.StringIO(table.content.decode("utf-8-sig")))
    assert (first["kind"], first["decision"]) == ("gaze.left", "dismiss")
    assert first["decision_reason"] == "'=looked at the clock"  # no formula
    assert second["decision"] == ""
    assert "attachment" in table.headers["content-disposition"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"decision": "confirm"}, 422),
        ({"decision": "acquit", "reason": "why"}, 422),
        ({"decision": "confirm", "reason": ""}, 422),
        ({"decision": "confirm", "reason": "  "}, 422),
        ({"decision": "comment"}, 422),
        ({"decision": "dismiss"}, 404),
        ({"decision": "confirm", "reason": "why"}, 404),
    ],
)
def test_a_decision_that_cannot_be_is_refused(
    kept: Live, body: dict[str, str], status: int
) -> None:
    with kept.http as http:
        path = "/api/records/sittings/nothing/incidents/nothing/decision"
        assert http.post(path, json=body).status_code == status


@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_a_sitting_is_judged_again_exactly_and_under_another_policy_as_if_it_were_live(
    vision_models: VisionModels, tmp_path: Path
) -> None:
    clip = write_clip(tmp_path / "sitting.mkv", clip_sitting(), codec="mjpeg")
    with running(vision_models) as live, live.http as http:
        with standing_clock(live) as clock, live.socket("recorded/video?observe=1") as video:
            begin = clock.seconds
            for time, jpeg in pictures(clip):
                clock.seconds = begin + time
                video.send((CAPTURED + round(time * 1e6)).to_bytes(8, "big") + jpeg)
                receive_key(video, "observation")
        assert http.delete("/api/sessions/recorded").is_success
        (found,) = http.get("/api/records/sittings").json()["sittings"]
        path = f"/api/records/sittings/{found['id']}"
        told = [json.loads(event["text"]) for event in http.get(f"{path}/events").json()]
        again = http.post(f"{path}/rejudge", json={}).json()
        lenient = http.post(f"{path}/rejudge", json={"policy": "lenient"}).json()
        curves = http.get(f"{path}/signals").json()["curves"]
        archive = live.service.storage.records
        observed = list(archive.reader.inputs(found["id"]))
        policy = parse_policy(http.get(path).json()["policy_toml"])

    # Byte for byte what listeners were told.
    sitting = sitting_ref("recorded", datetime.fromisoformat(found["started_at"]))
    changes = tuple(judge_again(policy, observed, found["media_time"]))
    incidents = [incident for message in told for incident in message["incidents"]]
    message = PendingEvent(sitting, sitting.started_at, 0.0, changes)
    assert json.loads(number_event(message, 1).text)["incidents"] == incidents
    assert incidents

    assert again["observations"] == len(observed) > 100
    nothing: list[Any] = []
    assert again["difference"] == {
        "added": nothing,
        "removed": nothing,
        "changed": nothing,
        "added_count": 0,
        "removed_count": 0,
        "changed_count": 0,
        "same": len(again["incidents"]),
    }
    assert max(curves["faces"]["high"]) == 2

    # As `proctoring analyse` would have it under the other policy.
    pipeline = Pipeline(shipped_policy("lenient"), VisionAnalyser(vision_models))
    frames = list(analyse_video(clip, pipeline))
    analysed = [change for step in frames for change in step.changes]
    analysed += pipeline.finish(frames[-1].frame.time)
    expected = fold_changes(analysed)
    assert [(i["kind"], i["severity"]) for i in lenient["incidents"]] == [
        (i.kind, i.severity) for i in expected
    ]
    assert [i["started_at"] for i in lenient["incidents"]] == pytest.approx(
        [i.started_at for i in expected], abs=0.001
    )


def test_a_sitting_is_erased_for_good_and_a_record_of_it_remains(
    kept: Live, session_id: str
) -> None:
    sitting = sat(kept, session_id)
    path = f"/api/records/sittings/{sitting}"
    with kept.http as http:
        http.post("/api/sessions", json={"session_id": f"{session_id}-open"})
        named = {"session_id": f"{session_id}-open"}
        (running_,) = http.get("/api/records/sittings", params=named).json()["sittings"]
        refused = http.delete(f"/api/records/sittings/{running_['id']}")
        done = http.delete(path, params={"reason": "the candidate asked"})
        gone = [http.get(f"{path}{part}").status_code for part in ("", "/events", "/signals")]
        again = http.delete(path)
        remaining = http.get("/api/records/erasures").json()
    assert refused.status_code == 409
    assert done.status_code == 200
    assert done.json()["row_counts"]["events"] == 2
    assert gone == [404, 404, 404]
    assert again.status_code == 404
    assert remaining[-1] == done.json()
    assert session_id not in str(remaining)


def test_policies_of_the_folder_are_used_by_name_and_a_broken_one_is_told(
    tmp_path: Path, session_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "viva.toml").write_text('name = "viva"\n[screen]\nleft = 25\n')
    (folder / "broken.toml").write_text("name = \n")
    with running(BLIND, data_folder=tmp_path, policies=folder) as live, live.http as http:
        listed = http.get("/api/policies").json()
        assert {"exam", "viva"} <= {policy["name"] for policy in listed["policies"]}
        wanted = {"session_id": session_id, "policy": "viva"}
        made = http.post("/api/sessions", json=wanted)
        assert (made.status_code, made.json()["policy"]) == (201, "viva")
        http.delete(f"/api/sessions/{session_id}")
        (sitting,) = http.get("/api/records/sittings").json()["sittings"]
        path = f"/api/records/sittings/{sitting['id']}"
        assert "left = 25" in http.get(path).json()["policy_toml"]
        assert http.post(f"{path}/rejudge", json={"policy": "viva"}).json()["policy"] == "viva"
        for name in ("viva.toml", "../policies/viva", "broken"):
            refused = http.post("/api/sessions", json={"policy": name})
            assert (refused.status_code, refused.json()["error"]["code"]) == (422, "bad_policy")
        health = http.get("/api/health").json()
    assert health["status"] == "degraded"
    assert "policies is off" in health["detail"]
    assert "broken.toml: line 1: not TOML" in health["detail"]
    assert "a policy is not used" in caplog.text


def test_the_default_policy_may_be_one_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "viva.toml").write_text('name = "viva"\n')
    settings = Settings(data_folder=tmp_path, policies=tmp_path, default_policy="viva")
    assert Service(settings).default_policy.name == "viva"
    with pytest.raises(SettingsError, match="default policy"):
        Service(settings.model_copy(update={"default_policy": "vivaa"}))
