"""From real frames over real sockets to evidence that a reviewer fetches and opens."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import simplejpeg
from tests.server.live import Live, receive, receive_key, running, standing_clock
from tests.session.evidence.people import BYSTANDER, CANDIDATE, encode, one_person, part, two_people
from tests.session.evidence.test_bystanders import is_hidden
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from proctoring.vision.frame import Pixels
from proctoring.vision.networks import VisionModels

EPOCH = 1_700_000_000_000_000
POLICY = """
name = "kept"
[enrolment]
enabled = false
[evidence]
stills = ["face.absent", "person.*", "object.phone"]
clips = ["face.absent", "person.*", "object.phone"]
seconds_before = 2.0
seconds_after = 1.0
"""


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("policy") / "kept.toml"
    file.write_text(POLICY)
    return file


@pytest.fixture(scope="module")
def keeping(vision_models: VisionModels, policy: Path) -> Iterator[Live]:
    """A server whose policy wants evidence."""
    if vision_models.faces is None or vision_models.objects is None:
        pytest.skip("; ".join(c.reason for c in vision_models.capabilities if not c.available))
    with running(vision_models, default_policy=str(policy)) as live:
        yield live


def jittered(pixels: Pixels, n: int) -> bytes:
    """As from a camera: no two pictures are the same."""
    noise = np.random.default_rng(n).normal(0, 2, pixels.shape)
    return encode(np.clip(pixels + noise, 0, 255).astype(np.uint8))


def sit(live: Live, session_id: str, pictures: Iterable[bytes]) -> list[dict[str, Any]]:
    """Ten pictures a second of media time, each waited for; then the session is ended.

    Returns:
        Its events.
    """
    with live.socket(f"{session_id}/events") as events:
        with (
            standing_clock(live) as clock,
            live.socket(f"{session_id}/video?observe=1") as video,
        ):
            for n, jpeg in enumerate(pictures):
                clock.seconds += 0.1
                video.send((EPOCH + n * 100_000).to_bytes(8, "big") + jpeg)
                receive_key(video, "observation")
        with live.http as http:
            http.delete(f"/api/sessions/{session_id}").raise_for_status()
        return list(_until_closed(events))


def _until_closed(events: ClientConnection) -> Iterator[dict[str, Any]]:
    while True:
        try:
            told = receive(events)
        except ConnectionClosed:
            return
        if "incidents" in told:  # not that the session has ended
            yield told


def evidence_of(events: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    """Still and clip of an incident of a kind, as its last event names them."""
    told = [i for event in events for i in event["incidents"] if i["kind"] == kind]
    assert told, f"no {kind}: {[i['kind'] for event in events for i in event['incidents']]}"
    return {piece["kind"]: piece for piece in told[-1]["evidence"]}


def fetched(live: Live, piece: dict[str, Any]) -> bytes:
    with live.http as http:
        answer = http.get(piece["url"])
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == piece["media_type"]
    assert answer.headers["cache-control"] == "no-store"
    assert hashlib.sha256(answer.content).hexdigest() == piece["digest"]
    assert len(answer.content) == piece["bytes"]
    return answer.content


def shown(piece: dict[str, Any], data: bytes) -> list[tuple[float, Pixels]]:
    """Media times and pictures of a clip."""
    with av.open(io.BytesIO(data), "r") as container:
        return [
            (
                piece["start"] + float(frame.time or 0.0),
                np.asarray(frame.to_ndarray(format="rgb24"), np.uint8),
            )
            for frame in container.decode(video=0)
        ]


def like(one: Pixels, other: Pixels) -> float:
    """Correlation of two pictures of one size."""
    return float(np.corrcoef(one.ravel().astype(float), other.ravel().astype(float))[0, 1])


@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_a_clip_of_an_absence_shows_who_left_and_when(
    keeping: Live, session_id: str, face_jpeg: bytes, empty_jpeg: bytes
) -> None:
    """A face for 4 seconds, an empty room for 6: told after 3, and shown from 2 before to 1 after."""
    there, gone = simplejpeg.decode_jpeg(face_jpeg), simplejpeg.decode_jpeg(empty_jpeg)
    gone = np.ascontiguousarray(gone[:400, :600])
    gone = np.pad(gone, ((0, 80), (0, 40), (0, 0)))
    events = sit(keeping, session_id, (jittered(there if n < 40 else gone, n) for n in range(100)))
    kept = evidence_of(events, "face.absent")
    start = next(
        i["started_at"] for e in events for i in e["incidents"] if i["kind"] == "face.absent"
    )
    assert start == pytest.approx(4.0, abs=1.0)

    still = simplejpeg.decode_jpeg(fetched(keeping, kept["still"]))
    assert kept["still"]["start"] == pytest.approx(start + 3.0, abs=0.25)
    assert like(still, gone) > 0.9
    with keeping.http as http:
        listed = http.get("/api/records/sittings", params={"session_id": session_id}).json()
        path = f"/api/records/sittings/{listed['sittings'][0]['id']}"
        assert "data:image/jpeg;base64," in http.get(f"{path}/report.html").text
        assert b"/Subtype/Image" in http.get(f"{path}/report.pdf").content
    clip = shown(kept["clip"], fetched(keeping, kept["clip"]))
    assert clip[0][0] == pytest.approx(start - 2.0, abs=0.15)
    assert clip[-1][0] == pytest.approx(start + 3.0 + 1.0, abs=0.25)
    for time, picture in clip:
        assert (like(picture, there) > 0.9) is (time < 3.95), time
        assert (like(picture, gone) > 0.9) is (time > 3.95), time
    gained = [e for e in events if any(i["evidence"] for i in e["incidents"])]
    assert all(event["alerts"] == [] for event in gained)


@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_a_bystander_is_shown_to_nobody(keeping: Live, session_id: str) -> None:
    """Alone for 3 seconds, then somebody beside for 5; it is told, and in no picture seen who."""
    alone, together = one_person(), two_people()
    events = sit(
        keeping, session_id, (jittered(alone if n < 30 else together, n) for n in range(80))
    )
    kept = evidence_of(events, "person.multiple")
    assert kept["still"]["blurred"]
    still = simplejpeg.decode_jpeg(fetched(keeping, kept["still"]))
    assert is_hidden(together, still, BYSTANDER)
    assert not is_hidden(together, still, CANDIDATE)
    clip = shown(kept["clip"], fetched(keeping, kept["clip"]))
    assert clip[0][0] < 3.0 < clip[-1][0]
    for time, picture in clip:
        assert like(part(picture, CANDIDATE), _small(part(together, CANDIDATE), picture)) > 0.9
        if time >= 3.0:
            full = _small(together, picture, whole=True)
            assert is_hidden(full, picture, BYSTANDER), time


def _small(pixels: Pixels, like_this: Pixels, *, whole: bool = False) -> Pixels:
    """The same in the size of a clip's picture (or of the candidate's part of it)."""
    import cv2

    target = like_this if whole else part(like_this, CANDIDATE)
    size = (target.shape[1], target.shape[0])
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_a_phone_held_up_is_kept_with_the_moment(
    keeping: Live, session_id: str, shared_data: Path, face_jpeg: bytes
) -> None:
    """A real webcam picture with a phone, between real pictures of a face without one."""
    folder = shared_data / "phone" / "walletphone"
    items = json.loads((folder / "manifest.json").read_text())["items"]
    name = next(
        name for name, item in items.items() if item["label"] == "phone" and item["first_of_frame"]
    )
    phone = simplejpeg.decode_jpeg((folder / name).read_bytes())
    face = simplejpeg.decode_jpeg(face_jpeg)
    events = sit(
        keeping, session_id, (jittered(phone if 30 <= n < 60 else face, n) for n in range(80))
    )
    kept = evidence_of(events, "object.phone")
    assert 3.0 <= kept["still"]["start"] < 6.0
    assert like(simplejpeg.decode_jpeg(fetched(keeping, kept["still"])), phone) > 0.9
    times = [time for time, _ in shown(kept["clip"], fetched(keeping, kept["clip"]))]
    assert times[0] < kept["still"]["start"] <= times[-1]


def test_the_record_of_the_session_names_the_same_evidence(
    keeping: Live, session_id: str, empty_jpeg: bytes
) -> None:
    empty = simplejpeg.decode_jpeg(empty_jpeg)
    events = sit(keeping, session_id, (jittered(empty, n) for n in range(45)))
    kept = evidence_of(events, "face.absent")
    with keeping.http as http:
        page = http.get("/api/records/sittings", params={"session_id": session_id}).json()
        sitting = page["sittings"][0]["id"]
        (incident,) = [
            found
            for found in http.get(f"/api/records/sittings/{sitting}").json()["incidents"]
            if found["kind"] == "face.absent"
        ]
        assert {piece["digest"] for piece in incident["evidence"]} == {
            piece["digest"] for piece in kept.values()
        }
        chained = http.get(f"/api/records/sittings/{sitting}/events").text
        assert all(piece["digest"] in chained for piece in kept.values())


@pytest.mark.parametrize("digest", ["0" * 64, "nothing", "..%2F..%2Fsecrets"])
def test_evidence_that_is_not_there_is_unknown(keeping: Live, digest: str) -> None:
    with keeping.http as http:
        answer = http.get(f"/api/records/sittings/01KDZ2CN80000000F6FMQ3VH2M/evidence/{digest}")
    assert answer.status_code == 404, answer.text


def test_a_policy_without_evidence_leaves_no_picture_anywhere(
    vision_models: VisionModels, tmp_path: Path, empty_jpeg: bytes
) -> None:
    empty = simplejpeg.decode_jpeg(empty_jpeg)
    with running(vision_models, data_folder=tmp_path) as live:
        events = sit(live, "plain", (jittered(empty, n) for n in range(45)))
        session = live.service.sessions.find("plain")
        assert session is None
    assert [i["kind"] for e in events for i in e["incidents"]].count("face.absent") >= 2
    assert not any(i["evidence"] for e in events for i in e["incidents"])
    assert not (tmp_path / "evidence").exists()
    for file in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert b"\xff\xd8\xff" not in file.read_bytes(), f"a picture in {file}"


def test_a_store_that_is_away_disturbs_no_session_and_is_said(
    vision_models: VisionModels, policy: Path, tmp_path: Path, empty_jpeg: bytes
) -> None:
    (tmp_path / "file").touch()
    empty = simplejpeg.decode_jpeg(empty_jpeg)
    with running(
        vision_models, default_policy=str(policy), evidence_folder=tmp_path / "file" / "evidence"
    ) as live:
        events = sit(live, "away", (jittered(empty, n) for n in range(45)))
        with live.http as http:
            health = http.get("/api/health").json()
            lost = http.get("/metrics").text
    states = [i["state"] for e in events for i in e["incidents"] if i["kind"] == "face.absent"]
    assert states[0] == "started"
    assert states[-1] == "ended"
    (found,) = [c for c in health["capabilities"] if c["name"] == "evidence"]
    assert not found["available"]
    assert "evidence folder" in found["reason"]
    assert "proctoring_evidence_lost_total 2.0" in lost


def test_evidence_is_encrypted_on_disk_and_opened_for_reviewers(
    vision_models: VisionModels, policy: Path, tmp_path: Path, empty_jpeg: bytes
) -> None:
    key = "bm90IGEgc2VjcmV0LCAzMiBieXRlcyBsb25nIGtleSE="
    chosen: dict[str, Any] = {"default_policy": str(policy), "data_folder": tmp_path}
    empty = simplejpeg.decode_jpeg(empty_jpeg)
    with running(vision_models, evidence_key=key, **chosen) as live:
        events = sit(live, "sealed", (jittered(empty, n) for n in range(45)))
        still = evidence_of(events, "face.absent")["still"]
        assert fetched(live, still).startswith(b"\xff\xd8")
    for file in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert b"\xff\xd8\xff" not in file.read_bytes(), f"a picture in {file}"
    with running(vision_models, **chosen) as live, live.http as http:
        answer = http.get(still["url"])
        assert answer.status_code == 503
        assert "encrypted with the key" in answer.json()["error"]["detail"]
