"""When the state of a session is taken."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from proctoring.session.keeper import StateKeeper
from proctoring.session.messages import StateWanted


def test_a_voice_that_is_set_before_the_first_media_is_kept() -> None:
    posted: list[StateWanted] = []
    sound = SimpleNamespace(voices_known=0, end_time=None)
    continuation: Any = SimpleNamespace(
        clock=SimpleNamespace(last=0.0), sound=sound, arrival_state=lambda *_: None
    )
    pipeline: Any = SimpleNamespace(state=object(), learned=(False,))
    publisher: Any = None
    keeper = StateKeeper(continuation, pipeline, publisher, posted.append)
    assert keeper.keep(0.0, 0.0) is not None
    assert keeper.keep(2.0, 2.0) is None, "nothing has changed"
    sound.voices_known = 1
    assert keeper.keep(4.0, 4.0) is not None
    assert keeper.keep(6.0, 6.0) is None
    assert len(posted) == 2
