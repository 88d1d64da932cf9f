"""A slot holds the newest item."""

from __future__ import annotations

from proctoring.session.latest_slot import LatestSlot


def test_what_is_newer_replaces_what_waits_and_gives_it_back() -> None:
    slot: LatestSlot[str] = LatestSlot()
    assert slot.put("first") is None
    assert slot.put("second") == "first"
    assert slot.pop() == "second"


def test_an_item_is_removed_once() -> None:
    slot: LatestSlot[str] = LatestSlot()
    slot.put("only")
    slot.pop()
    assert slot.pop() is None
    assert slot.put("next") is None
