"""Reports of pages: understood, refused with what was wrong, never quoted."""

from __future__ import annotations

import json

import pytest

from proctoring.browser.report import MAX_REPORT_BYTES, observe, read_report
from proctoring.errors import BadReportError


def test_a_report_becomes_an_observation_at_its_media_time() -> None:
    told = {"visible": False, "focused": False, "pasted": 12, "camera": "OBS Virtual Camera"}
    observation = observe(read_report(json.dumps(told)), 4.5)
    assert observation.time == 4.5
    assert (observation.visible, observation.focused, observation.pasted) == (False, False, 12)
    assert observation.virtual_camera is True


def test_what_a_browser_cannot_tell_stays_untold() -> None:
    observation = observe(read_report("{}"), 1.0)
    told = (observation.visible, observation.fullscreen, observation.second_screen)
    assert told == (None, None, None)
    assert observation.virtual_camera is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "JSON"),
        ("[]", "object"),
        ("\ud800", "string"),
        ('{"visible": "yes"}', "visible"),
        ('{"visible": 1}', "visible"),
        ('{"pasted": -1}', "pasted"),
        ('{"pasted": 1e400}', "pasted"),
        ('{"offline": NaN}', "offline"),
        ('{"offline": 1e12}', "offline"),
        ('{"capture_time": -5}', "capture_time"),
        ('{"capture_time": 99999999999999999999}', "capture_time"),
        ('{"keys": "abc"}', "keys"),
        (json.dumps({"camera": "x" * 301}), "camera"),
        (json.dumps({"camera": "x" * MAX_REPORT_BYTES}), "bytes"),
        ("[" * 4000, "JSON"),
    ],
)
def test_what_is_no_report_is_refused_with_what_was_wrong(text: str, named: str) -> None:
    with pytest.raises(BadReportError, match=named):
        read_report(text)


def test_an_error_does_not_repeat_what_was_sent() -> None:
    with pytest.raises(BadReportError) as raised:
        read_report('{"camera": 5, "pasted": "a secret answer"}')
    assert "secret" not in raised.value.detail
