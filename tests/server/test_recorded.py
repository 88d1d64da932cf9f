"""A client uses a session only once it is recorded, and only while it is here."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest

from proctoring.errors import NotReadyError, SessionMovedError
from proctoring.server.recorded import until_recorded
from proctoring.session.media_source import SessionState


def session() -> Any:
    return SimpleNamespace(recorded=Future(), state=SessionState.OPEN)


def test_a_session_is_used_once_it_is_recorded() -> None:
    begun = session()
    with pytest.raises(NotReadyError):
        asyncio.run(until_recorded(begun, 0.01))
    begun.recorded.set_result(None)
    assert asyncio.run(until_recorded(begun, 0.01)) is begun


def test_a_session_that_left_while_it_was_waited_for_is_not_used() -> None:
    async def run() -> None:
        begun = session()
        waiting = asyncio.ensure_future(until_recorded(begun, 60))
        await asyncio.sleep(0)
        begun.state = SessionState.MOVED
        begun.recorded.set_result(None)
        with pytest.raises(SessionMovedError):
            await waiting

    asyncio.run(run())
