"""The description of the sockets (AsyncAPI 3) against the messages that the server sends."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from starlette.routing import WebSocketRoute
from tests.server.live import Live, receive, receive_key
from tests.server.test_events_socket import publish

from proctoring.browser.report import BrowserReport
from proctoring.incidents import IncidentState, Severity
from proctoring.server.app import OPEN_PATHS, create_app
from proctoring.server.authorisation import declarations
from proctoring.settings import Settings

ROOT = Path(__file__).parents[2]
DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "asyncapi.yaml").read_text())


def check(schema: str, message: Any) -> None:
    """Raises when a message is not what the document says."""
    whole = {"$ref": f"#/components/schemas/{schema}", "components": DOCUMENT["components"]}
    jsonschema_rs.validator_for(whole, validate_formats=True).validate(message)


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


def test_what_the_video_socket_says(live: Live, session_id: str, face_jpeg: bytes) -> None:
    with live.socket(f"{session_id}/video?observe=1&landmarks=1") as video:
        check("Flow", receive(video))
        video.send(b"not a picture")
        check("Error", {"error": receive_key(video, "error")})
        video.send(face_jpeg)
        observation = receive_key(video, "observation")
    assert observation["faces"]
    check("Observation", {"observation": observation})


def test_what_the_audio_socket_says(live: Live, session_id: str) -> None:
    with live.socket(f"{session_id}/audio?observe=1") as audio:
        audio.send(bytes(64_000))
        check("Heard", {"sound": receive_key(audio, "sound")})


def test_what_the_events_socket_says(live: Live, session_id: str) -> None:
    with live.socket(f"{session_id}/events") as events:
        publish(live, session_id)
        event = receive(events)
    assert event["incidents"]
    check("Event", event)


def test_states_and_severities_are_those_of_incidents() -> None:
    incident = DOCUMENT["components"]["schemas"]["Incident"]["properties"]
    assert set(incident["state"]["enum"]) == {state.value for state in IncidentState}
    assert set(incident["severity"]["enum"]) == {severity.value for severity in Severity}


def test_a_report_has_the_fields_that_the_server_takes() -> None:
    described = DOCUMENT["components"]["schemas"]["Report"]["properties"]
    assert set(described) == set(BrowserReport.model_fields)
    check("Report", json.loads(BrowserReport().model_dump_json()))


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("Flow", {"flow": {"frames_per_second": 0, "max_width": 640, "max_height": 480}}),
        ("Error", {"error": {"code": "bad_frame"}}),
        ("Event", {"alerts": [], "session_id": "exam-7", "seq": 0}),
        ("Report", {"clipboard": "secret"}),
    ],
)
def test_other_messages_do_not_pass(schema: str, message: Any) -> None:
    with pytest.raises(jsonschema_rs.ValidationError):
        check(schema, message)
