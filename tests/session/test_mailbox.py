"""One place: the newest wins."""

from __future__ import annotations

from proctoring.session.mailbox import Mailbox


def test_what_is_newer_replaces_what_waits_and_gives_it_back() -> None:
    box: Mailbox[str] = Mailbox()
    assert box.put("first") is None
    assert box.put("second") == "first"
    assert box.take() == "second"


def test_what_is_taken_is_gone() -> None:
    box: Mailbox[str] = Mailbox()
    box.put("only")
    box.take()
    assert box.take() is None
    assert box.put("next") is None
