from __future__ import annotations

import json

import pytest

from proctoring.livekit.messages import BadEventError, parse_event

EXAMPLE = """
{"alerts": ["Looking Left"], "session_id": "exam-7", "seq": 17, "time": "2026-01-02T10:00:02.120Z",
 "media_time": 93.4,
 "incidents": [{"id": "01J", "kind": "gaze.left", "label": "Looking Left", "state": "started",
   "severity": "warning", "confidence": 0.91, "started_at": 91.4, "duration": 2.0,
   "reason": "gaze 31 degrees left for 2.0 s (limit 2.0 s)", "evidence": []}]}
"""
"""As documented."""


def test_the_contracts_own_example_is_read() -> None:
    event = parse_event(EXAMPLE)
    assert event.alerts == ("Looking Left",)
    assert event.seq == 17
    assert event.time.isoformat() == "2026-01-02T10:00:02.120000+00:00"
    assert event.incidents[0].kind == "gaze.left"
    assert json.loads(event.json) == json.loads(EXAMPLE)


def test_fields_of_a_later_server_do_not_disturb() -> None:
    message = json.loads(EXAMPLE) | {"new": 1}
    message["incidents"][0]["newer"] = 2
    assert json.loads(parse_event(json.dumps(message)).json)["new"] == 1


@pytest.mark.parametrize("text", ["", "[]", "1", "{}", EXAMPLE.replace('"seq": 17,', ""), "\xff"])
def test_what_is_not_a_message_is_named_so(text: str) -> None:
    with pytest.raises(BadEventError, match="not an events message"):
        parse_event(text)
