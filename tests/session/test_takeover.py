"""What is said of a client that takes over an open socket."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.session.conftest import BLIND, FakeSocket, SessionUnderTest

from proctoring.session.takeover import address_class, describe_takeover


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("192.168.1.7", "private"),
        ("10.0.0.1", "private"),
        ("fe80::1%eth0", "private"),
        ("::ffff:10.0.0.1", "private"),
        ("8.8.8.8", "public"),
        ("2001:4860:4860::8888", "public"),
        ("testclient", "unknown"),
        ("", "unknown"),
    ],
)
def test_the_class_of_an_address(host: str, expected: str) -> None:
    assert address_class(host) == expected


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        ("10.0.0.1", "10.0.0.1", "the same private address"),
        ("10.0.0.1", "10.0.0.2", "another address (private, before: private)"),
        ("8.8.8.8", "127.0.0.1", "another address (loopback, before: public)"),
        ("", "8.8.8.8", "another address (public, before: unknown)"),
    ],
)
def test_no_address_is_said(before: str, now: str, words: str) -> None:
    assert describe_takeover(before, now) == words


def test_a_second_client_of_a_session_is_an_incident(
    make_session: Callable[..., SessionUnderTest], face_jpeg: bytes
) -> None:
    live, older, newer = make_session(BLIND), FakeSocket(), FakeSocket()
    live.session.attach_video(older, 0.0, address="10.1.2.3")
    live.session.receive_frame(face_jpeg, None, older, now=0.0)
    older.next()
    live.session.attach_video(newer, 1.0, address="8.8.4.4")
    time, (started,) = live.next()
    assert older.told == ["replaced"]
    assert started.kind == "session.taken_over"
    assert time == pytest.approx(1.0)
    assert "from another address (public, before: private)" in started.reason
    assert "10.1.2.3" not in started.reason
    assert "8.8.4.4" not in started.reason
