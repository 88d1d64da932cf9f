"""Requests of other servers are told apart from everybody else's."""

from __future__ import annotations

import pytest

from proctoring.cluster.signature import VALID_FOR, Signature

SHARED = Signature(b"a secret that all servers share")
PATH = "/ws/proctor/exam-7/video"


def test_a_signed_request_tells_its_client() -> None:
    header = SHARED.sign("WEBSOCKET", PATH, "192.0.2.7", 1000.4)
    assert SHARED.client_of(header, "WEBSOCKET", PATH, 1010.0) == "192.0.2.7"
    header = SHARED.sign("GET", PATH, "", 1000.4)
    assert SHARED.client_of(header, "GET", PATH, 1000.0) == ""


@pytest.mark.parametrize(
    ("method", "path", "now"),
    [
        ("GET", PATH, 1000.0),
        ("WEBSOCKET", PATH + "x", 1000.0),
        ("WEBSOCKET", PATH, 1002.0 + VALID_FOR),
        ("WEBSOCKET", PATH, 998.0 - VALID_FOR),
    ],
)
def test_a_signature_is_for_one_request_and_a_short_time(
    method: str, path: str, now: float
) -> None:
    header = SHARED.sign("WEBSOCKET", PATH, "192.0.2.7", 1000.0)
    assert SHARED.client_of(header, method, path, now) is None


@pytest.mark.parametrize("header", ["", "a b", "a b c", "1000 192.0.2.7 ", "\u00e9 \u00e9 \u00e9"])
def test_what_nobody_signed_is_not_believed(header: str) -> None:
    assert SHARED.client_of(header, "WEBSOCKET", PATH, 1000.0) is None


def test_another_secret_signs_nothing() -> None:
    header = Signature(b"another").sign("WEBSOCKET", PATH, "192.0.2.7", 1000.0)
    assert SHARED.client_of(header, "WEBSOCKET", PATH, 1000.0) is None
