from __future__ import annotations

import pytest

from proctoring.errors import SettingsError
from proctoring.livekit.address import server_address


@pytest.mark.parametrize(
    ("url", "socket"),
    [
        ("ws://localhost:8000", "ws://localhost:8000/ws/proctor/a%2Fb/video"),
        ("http://localhost:8000/", "ws://localhost:8000/ws/proctor/a%2Fb/video"),
        ("wss://host/base", "wss://host/base/ws/proctor/a%2Fb/video"),
        ("https://host:8443/ws/proctor/", "wss://host:8443/ws/proctor/a%2Fb/video"),
    ],
)
def test_sockets_lie_below_any_form_of_the_address(url: str, socket: str) -> None:
    assert server_address(url).socket("a/b", "video") == socket


def test_rest_lies_beside_the_sockets() -> None:
    assert server_address("wss://host/base").rest("sessions", "a b") == (
        "https://host/base/api/sessions/a%20b"
    )


def test_the_default_is_the_contracts_and_the_environment_overrides_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PROCTORING_URL", raising=False)
    assert server_address().socket("s", "events", after=3) == (
        "ws://localhost:8000/ws/proctor/s/events?after=3"
    )
    monkeypatch.setenv("PROCTORING_URL", "ws://elsewhere:9")
    monkeypatch.setenv("PROCTORING_TOKEN", "t")
    assert server_address().base == "http://elsewhere:9"
    assert server_address().headers == {"Authorization": "Bearer t"}
    assert server_address("ws://here:1", "u").headers == {"Authorization": "Bearer u"}


def test_the_token_is_not_shown_with_the_address() -> None:
    assert "secret" not in repr(server_address("ws://here:1", "secret"))


@pytest.mark.parametrize("url", ["ftp://nowhere", "localhost:8000", "ws://", "//host"])
def test_an_address_that_cannot_be_used_is_named(url: str) -> None:
    with pytest.raises(SettingsError, match="cannot use the address"):
        server_address(url)
