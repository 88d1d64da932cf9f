"""The agent's settings; what it does in rooms is tested in ``test_rooms``."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from proctoring.cli import app
from proctoring.errors import SettingsError
from proctoring.livekit import address
from proctoring.livekit.agent import PERMISSIONS, check_settings, create_server
from proctoring.livekit.dispatch import parse_dispatch
from proctoring.livekit.job_requests import answer_job_request


def test_a_dispatch_may_name_policy_sessions_and_accommodations() -> None:
    dispatch = parse_dispatch('{"policy": "interview", "sessions": {"maria": "exam-7-maria"}}')
    assert dispatch.policy == "interview"
    assert dispatch.sessions == {"maria": "exam-7-maria"}
    assert parse_dispatch("") == parse_dispatch("{}")


@pytest.mark.parametrize("metadata", ["{", "7", '{"polcy": "exam"}', '{"policy": 7}'])
def test_a_dispatch_that_says_something_unknown_is_refused(metadata: str) -> None:
    with pytest.raises(SettingsError, match="dispatch's metadata"):
        parse_dispatch(metadata)


def test_settings_come_from_the_environment_and_are_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PROCTORING_LIVEKIT_CANDIDATES", "identity:s-*")
    monkeypatch.setenv("PROCTORING_LIVEKIT_REJOIN_GRACE", "5")
    assert check_settings().candidates == "identity:s-*"
    assert check_settings().rejoin_grace == 5
    monkeypatch.setenv("PROCTORING_LIVEKIT_REJOIN_GRACE", "-1")
    with pytest.raises(SettingsError, match="rejoin_grace"):
        check_settings()
    monkeypatch.setenv("PROCTORING_LIVEKIT_REJOIN_GRACE", "1")
    monkeypatch.setenv("PROCTORING_LIVEKIT_PROCTORS", "nonsense")
    with pytest.raises(SettingsError, match="nonsense"):
        check_settings()


def test_the_agent_is_hidden_and_may_not_publish_media() -> None:
    assert PERMISSIONS.hidden
    assert not PERMISSIONS.can_publish
    assert PERMISSIONS.can_publish_data
    assert create_server("proctor", ws_url="ws://127.0.0.1:1") is not None


def test_its_health_check_is_for_this_machine_unless_told() -> None:
    hosts = [create_server(**options)._host for options in ({}, {"host": "0.0.0.0"})]  # noqa: S104
    assert hosts == ["127.0.0.1", "0.0.0.0"]  # noqa: S104


def test_who_declines_no_room_tells_no_load() -> None:
    # LiveKit passes over agents that say to be busy, whatever their own limit is.
    never_full = create_server(load_threshold=2.0)
    load: Any = never_full.load_fnc
    assert load(never_full) == 0
    assert create_server(load_threshold=0.7).load_fnc is None


class FakeRequest:
    """A room that LiveKit offers."""

    def __init__(self) -> None:
        self.answers: list[str] = []

    async def accept(self) -> None:
        self.answers.append("accepted")

    async def reject(self, *, terminate: bool) -> None:
        self.answers.append(f"declined, {terminate=}")


@pytest.mark.parametrize(
    ("health", "expected"),
    [
        ({"accepting": True, "refusal": ""}, "accepted"),
        ({"accepting": False, "refusal": "as many as may be"}, "declined, terminate=False"),
        ({"accepting": False}, "declined, terminate=False"),
        ({"status": "ok"}, "accepted"),  # it does not say
        (ConnectionError("nobody there"), "accepted"),  # clients keep trying
    ],
)
def test_a_room_is_declined_while_the_server_refuses_sessions(
    health: Any, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer(*_: Any) -> httpx.Response:
        if isinstance(health, Exception):
            raise health
        return httpx.Response(200, json=health)

    monkeypatch.setattr(address, "_request", answer)
    request: Any = FakeRequest()
    asyncio.run(answer_job_request(request))
    assert request.answers == [expected]


def test_who_declines_no_room_asks_no_server() -> None:
    assert create_server(load_threshold=0.7)._request_fnc is answer_job_request
    assert create_server(load_threshold=2.0)._request_fnc is None


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["start"], "--livekit-url or LIVEKIT_URL is missing"),
        (["dev", "--candidates", "nonsense"], "cannot read the role 'nonsense'"),
        (["dev", "--url", "ftp://x"], "cannot use the address 'ftp://x'"),
    ],
)
def test_a_setting_that_cannot_work_is_one_clear_line(
    arguments: list[str], complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LIVEKIT_URL", "PROCTORING_URL", "PROCTORING_LIVEKIT_CANDIDATES"):
        monkeypatch.setenv(name, "")
    done = CliRunner().invoke(app, ["livekit-agent", *arguments])
    assert done.exit_code == 2
    assert done.stderr.startswith(f"error: {complaint}")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.output
