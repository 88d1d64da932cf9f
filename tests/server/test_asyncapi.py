"""The description of the sockets (AsyncAPI 3) against the messages that the server sends."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_args

import jsonschema_rs
import numpy as np
import pytest
from numpy.typing import NDArray
from starlette.routing import WebSocketRoute
from tests.judgement.build import BOX, EXAM
from tests.server.contract import DOCUMENT, FILE, SCHEMAS, check
from tests.server.live import TIMEOUT, Live, receive, receive_key, running
from tests.server.test_events_socket import BEGAN, publish

import proctoring
from proctoring.audio.networks import AudioModels
from proctoring.audio.pcm import SAMPLE_RATE
from proctoring.browser.report import BrowserReport
from proctoring.delivery.events import number_event
from proctoring.incidents import Evidence, IncidentChange, IncidentState, Severity
from proctoring.judgement import initial_state
from proctoring.judgement.calibration import STEPS
from proctoring.judgement.challenge import ACTIONS
from proctoring.judgement.enrolment import MISSING
from proctoring.judgement.movements import Movement
from proctoring.judgement.policy.audio import TranscriptionSettings
from proctoring.judgement.state import (
    CalibrationState,
    ChallengeState,
    EnrolmentState,
    JudgementState,
    ScreenExtent,
)
from proctoring.observations import (
    CameraMovement,
    Candidate,
    Detection,
    Face,
    FrameObservation,
    Gaze,
    HeadPose,
    Identity,
    ImageQuality,
    InjectionIndicators,
    Liveness,
    NotRead,
    ObjectDetections,
    TranscriptObservation,
    TurnedPicture,
    VisibleHalf,
    Word,
)
from proctoring.records.entries import Notice, PendingEvent, sitting_ref
from proctoring.server.app import OPEN_PATHS, create_app
from proctoring.server.authorisation import declarations
from proctoring.server.observation_json import observation_text
from proctoring.session.guidance import guidance
from proctoring.session.notices import transcript_notice, transcription_notice
from proctoring.settings import Settings
from proctoring.vision.analyser import FrameAnalysis
from proctoring.vision.networks import VisionModels

Pcm = NDArray[np.int16]

EPOCH = 1_700_000_000_000_000
SOURCE = Path(proctoring.__file__).parent


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        for inner in part.values():
            yield from references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)


def test_every_reference_leads_somewhere() -> None:
    assert DOCUMENT["asyncapi"].startswith("3.")
    found = set(references(DOCUMENT))
    assert len(found) > 20
    for reference in found:
        part = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            part = part[step]


def test_the_document_names_exactly_the_servers_sockets() -> None:
    served = {
        re.sub(r":\w+\}", "}", route.path)
        for route, access in declarations(create_app(Settings()), OPEN_PATHS)
        if isinstance(route, WebSocketRoute) and access.scopes
    }
    assert {channel["address"] for channel in DOCUMENT["channels"].values()} == served


def test_every_message_is_sent_or_received_by_an_operation() -> None:
    used = {
        reference["$ref"]
        for operation in DOCUMENT["operations"].values()
        for reference in operation["messages"]
    }
    assert used == {
        f"#/channels/{name}/messages/{message}"
        for name, channel in DOCUMENT["channels"].items()
        for message in channel["messages"]
    }


def objects(part: Any) -> Iterator[dict[str, Any]]:
    """Every schema that has properties of its own."""
    if isinstance(part, dict):
        if "properties" in part and not isinstance(part["properties"].get("type"), str):
            yield part
        for inner in part.values():
            yield from objects(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from objects(inner)


def test_no_message_may_hold_what_the_document_does_not_name() -> None:
    found = list(objects(SCHEMAS))
    assert len(found) > 30
    assert [part for part in found if part.get("additionalProperties") is not False] == []
    for part in found:
        assert set(part.get("required", ())) <= set(part["properties"])


def test_the_documentation_in_words_names_every_field() -> None:
    words = (FILE.parents[1] / "integrate" / "sockets.md").read_text()
    fields_named = {name for part in objects(SCHEMAS) for name in part["properties"]}
    assert [name for name in fields_named if not re.search(rf'[`"]{name}[`"]', words)] == []


def test_what_the_video_socket_says(live: Live, session_id: str, face_jpeg: bytes) -> None:
    """Until everything that is looked at was told once; ``receive`` checks each message."""
    missing = set(SCHEMAS["Observation"]["properties"]["observation"]["properties"])
    missing -= {"turned", "carried_since"}  # the picture is upright, the baseline not learned yet
    observation: dict[str, Any] = {}
    with live.socket(f"{session_id}/video?observe=1&landmarks=1") as video:
        assert "flow" in receive(video)
        video.send(b"not a picture")
        assert receive_key(video, "error")["code"] == "bad_frame"
        for n in range(100):
            video.send((EPOCH + n * 100_000).to_bytes(8, "big") + face_jpeg)
            with suppress(TimeoutError):  # a loaded server passes frames over
                told = receive(video, timeout=0.5)
                observation = told.get("observation", observation)
                missing -= {name for name, value in observation.items() if value is not None}
            if not missing:
                break
    assert missing == set()
    assert len(observation["faces"][0]["landmarks"]) == 478


def test_what_the_audio_socket_says(
    vision_models: VisionModels, audio_models: AudioModels, session_id: str, two_voices: Pcm
) -> None:
    with (
        running(vision_models, audio_models) as hearing,
        hearing.socket(f"{session_id}/audio?observe=1") as audio,
    ):
        audio.send(two_voices[: 8 * SAMPLE_RATE].tobytes())
        while not ((sound := receive_key(audio, "audio"))["diarization"] or {}).get("speakers"):
            assert sound["time"] < 7, "no voice was heard"


def test_what_the_events_socket_says(live: Live, session_id: str) -> None:
    with live.socket(f"{session_id}/events") as events:
        publish(live, session_id)
        event = receive(events)
    assert event["incidents"]


FULL = FrameObservation(
    time=7.0,
    width=640,
    height=480,
    faces=(Face(1, BOX, 0.99, 0.5), Face(2, BOX, 0.9, 6.0, depicted=None)),
    candidate=Candidate(
        1,
        HeadPose(-3.0, 2.0, 0.5),
        Gaze(12.0, -4.0, 0.8),
        eyes_open=True,
        mouth_opening=0.1,
        blinks=2,
    ),
    objects=ObjectDetections(
        phones=(Detection("cell phone", 0.7, BOX),),
        persons=(Detection("person", 0.9, BOX),),
        detector="ssd_mobilenet_v2",
        screens=(Detection("tv", 0.6, BOX),),
        verifier="picodet_s",
    ),
    not_read=(NotRead("gaze", "eyes shut"),),
    camera=ImageQuality(120.0, 0.01, 40.0, 3.0),
    liveness=Liveness(1, 0.9, "minifasnet", 5, 0.003, 0.2, 0.0, 15.0),
    stream=InjectionIndicators(0.0, ever_changed=True, repeats_after=4.0),
    scene=CameraMovement(0.99, moved=False),
    identity=Identity(
        1, 0.5, 3, "now and then", True, VisibleHalf("upper half", 0.25, 6.0, looks=3)
    ),
    turned=TurnedPicture(90, certain=True),
    carried_since=6.6,
)
"""Everything that can be seen in a frame, at once."""

NOTHING = FrameObservation(7.0, 640, 480, faces=None, candidate=None, objects=None)


def observation_told(observation: FrameObservation) -> dict[str, Any]:
    """As the video socket tells it."""
    meshes = {face.track: np.zeros((478, 3), np.float32) for face in observation.faces or ()}
    text = observation_text(
        FrameAnalysis(observation, meshes, {"faces": 3.2}),
        capture=EPOCH,
        decode_ms=1.0,
        latency_ms=12.0,
        landmarks=True,
    )
    message: dict[str, dict[str, Any]] = json.loads(text)
    check("Observation", message)
    return message["observation"]


def test_an_observation_of_everything_has_all_that_the_document_names() -> None:
    told = observation_told(FULL)
    assert {field.name for field in fields(FrameObservation)} <= set(told)
    assert set(told) == set(SCHEMAS["Observation"]["properties"]["observation"]["properties"])
    parts = {name: told[name.lower()] for name in SCHEMAS if name.lower() in told}
    assert len(parts) == 8
    parts |= {"Face": told["faces"][0], "Detection": told["objects"]["phones"][0]}
    for name, part in parts.items():
        assert set(part) == set(SCHEMAS[name]["properties"]), name


def test_an_observation_of_nothing_is_one_too() -> None:
    told = observation_told(NOTHING)
    assert [name for name in told if told[name] is None] == [
        *(
            "faces",
            "candidate",
            "objects",
            "camera",
            "liveness",
            "stream",
            "scene",
            "identity",
            "carried_since",
            "turned",
        )
    ]


def told_as(*notices: Notice) -> list[dict[str, Any]]:
    """As the events socket tells them, checked."""
    sitting = sitting_ref("exam-7", BEGAN)
    messages = [PendingEvent(sitting, BEGAN, 2.0, (), notice) for notice in notices]
    events = [json.loads(number_event(message, 1).text) for message in messages]
    for event in events:
        check("Event", event)
    return events


RUNNING = replace(
    initial_state(),
    enrolment=EnrolmentState(started_at=0.0, missing=tuple(MISSING)),
    calibration=CalibrationState(attempts=1, step="turn_left", step_at=2.0),
    challenge=ChallengeState(count=1, attempt=1, movement=Movement("move_closer", 2.0)),
)
OVER = replace(
    initial_state(),
    enrolment=EnrolmentState(started_at=0.0, ready_at=1.6),
    calibration=CalibrationState(
        attempts=1, outcome="done", extent=ScreenExtent(14.0, 14.0, 12.0, 18.0), ended_at=9.0
    ),
    challenge=ChallengeState(count=1, outcome="failed", reason="not done", ended_at=9.0),
)


@pytest.mark.parametrize("state", [initial_state(), RUNNING, OVER], ids=["new", "running", "over"])
def test_what_a_candidate_is_told(state: JudgementState) -> None:
    bodies = guidance(EXAM, state)
    told_as(*(Notice(kind, body) for kind, body in bodies.items()))
    for kind, body in bodies.items():
        assert set(body) == set(SCHEMAS[kind.capitalize()]["properties"])


def test_the_document_knows_every_code_step_and_action() -> None:
    missing = SCHEMAS["Enrolment"]["properties"]["missing"]["items"]["properties"]["code"]
    assert missing["enum"] == list(MISSING)
    assert SCHEMAS["Calibration"]["properties"]["step"]["enum"] == ["", *STEPS]
    assert SCHEMAS["Challenge"]["properties"]["action"]["enum"] == ["", *ACTIONS]


WORDS = TranscriptObservation(
    time=2.0,
    start=1.0,
    text="Hey, Siri!",
    words=(Word("Hey,", 1.0, 1.4), Word("Siri!", 1.4, 2.0, 0.8, 0)),
    final=True,
    transcriber="deepgram",
    times_estimated=False,
)


def test_words_are_told_and_replayed_without_themselves(live: Live, session_id: str) -> None:
    with live.socket(f"{session_id}/events") as events:
        session = live.service.sessions.find(session_id)
        assert session is not None
        sitting = sitting_ref(session_id, session.started_at)
        message = PendingEvent(sitting, BEGAN, 2.0, (), transcript_notice(WORDS))
        live.service.outbox.publish(message).result(TIMEOUT)
        assert set(receive_key(events, "transcript")) == set(SCHEMAS["Transcript"]["properties"])
    with live.socket(f"{session_id}/events?after=0") as events:
        assert receive_key(events, "transcript") == {"kept": False}


def test_trouble_with_words_is_told() -> None:
    told_as(
        transcription_notice("deepgram", "refuses the key"), transcription_notice("moonshine", "")
    )
    assert set(SCHEMAS["Transcription"]["properties"]["engine"]["enum"]) == set(
        get_args(TranscriptionSettings.model_fields["engine"].annotation)
    ) - {"off"}


def test_the_document_names_every_kind_of_notice() -> None:
    """What an event may hold beside what each holds: exactly what ``Notice`` is made with."""
    event = SCHEMAS["Event"]
    made = re.findall(r'Notice\(\s*"(\w+)"', "".join(p.read_text() for p in SOURCE.rglob("*.py")))
    assert set(event["properties"]) - set(event["required"]) == set(made)


def test_an_incident_with_evidence() -> None:
    still = Evidence("ab" * 32, "still", "image/jpeg", 1.0, 1.0, 1234, blurred=True)
    change = IncidentChange(
        number=1,
        kind="face.absent",
        label="No Face Detected",
        state=IncidentState.UPDATED,
        severity=Severity.VIOLATION,
        confidence=0.9,
        started_at=1.0,
        duration=3.0,
        reason="nobody in the picture for 3.0 s (limit 3.0 s)",
        alerts=False,
        evidence=(still,),
    )
    event = json.loads(
        number_event(PendingEvent(sitting_ref("exam-7", BEGAN), BEGAN, 4.0, (change,)), 2).text
    )
    check("Event", event)
    (incident,) = event["incidents"]
    assert set(incident) == set(SCHEMAS["Incident"]["properties"])
    assert set(incident["evidence"][0]) == set(SCHEMAS["Evidence"]["properties"])


def test_states_and_severities_are_those_of_incidents() -> None:
    incident = SCHEMAS["Incident"]["properties"]
    assert set(incident["state"]["enum"]) == {state.value for state in IncidentState}
    assert set(incident["severity"]["enum"]) == {severity.value for severity in Severity}


def test_a_report_has_the_fields_that_the_server_takes() -> None:
    described = SCHEMAS["Report"]["properties"]
    assert set(described) == set(BrowserReport.model_fields)
    check("Report", json.loads(BrowserReport().model_dump_json()))


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (
            "Flow",
            {
                "flow": {
                    "frames_per_second": 0,
                    "max_width": 640,
                    "max_height": 480,
                    "reason": "",
                }
            },
        ),
        ("Error", {"error": {"code": "bad_frame"}}),
        ("Event", {"alerts": [], "session_id": "exam-7", "seq": 0}),
        ("Report", {"clipboard": "secret"}),
    ],
)
def test_other_messages_do_not_pass(schema: str, message: Any) -> None:
    with pytest.raises(jsonschema_rs.ValidationError):
        check(schema, message)
