"""Messages to a real receiver over real connections, whatever it does."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook
from tests.delivery.receiver import Receiver, receiving
from tests.records.conftest import beginning, occurrence, tell
from tests.waiting import until

from proctoring.delivery.webhook_signing import Style
from proctoring.delivery.webhooks import GIVE_UP_AFTER, Endpoint, Webhooks
from proctoring.records.archive import Archive, open_archive
from proctoring.records.entries import PendingEvent, SittingStarted
from proctoring.records.webhook_queue import WebhookQueue

SECRET = "whsec_c2VjcmV0IG9mIHRlc3RzLCAyNCBieXRlcw=="  # noqa: S105


Serve = Callable[..., AbstractContextManager[Webhooks]]


class Clock:
    """Real time, and what a test adds to it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    archive = open_archive(None, tmp_path, datetime.now(UTC))
    yield archive
    archive.engine.dispose()


@pytest.fixture
def serve(archive: Archive, clock: Clock) -> Serve:
    """Delivers what is in the archive's queue."""

    @contextmanager
    def serving(*endpoints: Endpoint, **options: Any) -> Iterator[Webhooks]:
        webhooks = Webhooks(
            WebhookQueue(archive.engine, wall=clock),
            endpoints,
            wall=clock,
            poll=0.02,
            **options,
        )
        webhooks.start()
        try:
            yield webhooks
        finally:
            assert webhooks.stop(60)

    return serving


def at(receiver: Receiver) -> Endpoint:
    return Endpoint(receiver.url, Style.STANDARD, SECRET)


def write(archive: Archive, *endpoints: Endpoint, incidents: int = 3) -> None:
    names = tuple(endpoint.name for endpoint in endpoints)
    now = datetime.now(UTC)
    entries: list[SittingStarted | PendingEvent] = [beginning(started_at=now)]
    entries += [replace(occurrence(n + 1), time=now) for n in range(incidents)]
    archive.writer(names).write(entries, tell)


def test_every_message_arrives_once_signed_and_with_its_own_id(
    archive: Archive, serve: Serve
) -> None:
    with receiving(Receiver()) as receiver:
        endpoint = at(receiver)
        with serve(endpoint) as webhooks:
            write(archive, endpoint)
            requests = receiver.wait(4)
            assert webhooks.capabilities[0].available
    assert len(set(receiver.ids)) == 4
    for taken in requests:
        message = Webhook(SECRET).verify(taken.body, taken.headers)
        assert message["id"] == taken.headers["webhook-id"]
        assert taken.path == "/hook?token=in-the-address"


@pytest.mark.parametrize("status", [500, 404, 302])
def test_a_receiver_that_refuses_gets_it_again_until_it_takes_it(
    archive: Archive, serve: Serve, clock: Clock, status: int
) -> None:
    with receiving(Receiver(status=status)) as receiver:
        receiver.location = receiver.url.replace("/hook", "/elsewhere")
        endpoint = at(receiver)
        write(archive, endpoint, incidents=0)
        with serve(endpoint) as webhooks:
            receiver.wait(1)
        assert str(status) in webhooks.capabilities[0].reason
        assert "in-the-address" not in webhooks.capabilities[0].reason
        receiver.status, receiver.location = 200, ""
        clock.ahead += timedelta(minutes=1)
        with serve(endpoint) as webhooks:
            requests = receiver.wait(2)
    assert {taken.path for taken in requests} == {"/hook?token=in-the-address"}, "it was redirected"
    assert requests[0].headers["webhook-id"] == requests[1].headers["webhook-id"]
    assert requests[0].body == requests[1].body
    assert WebhookQueue(archive.engine).waiting(endpoint.name) == 0


def test_a_receiver_that_was_away_gets_everything_when_it_comes_back(
    archive: Archive, serve: Serve, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    receiver = Receiver()
    with receiving(receiver):
        endpoint = at(receiver)
    write(archive, endpoint)
    with caplog.at_level(logging.WARNING), serve(endpoint) as webhooks:
        until(lambda: not webhooks.capabilities[0].available)
        assert "ConnectError" in webhooks.capabilities[0].reason
    assert "127.0.0.1" in caplog.text
    assert "in-the-address" not in caplog.text
    clock.ahead += timedelta(minutes=1)
    with receiving(receiver), serve(endpoint) as webhooks:
        receiver.wait(4)
    assert len(set(receiver.ids)) == 4


def test_a_receiver_that_does_not_answer_holds_up_no_other(archive: Archive, serve: Serve) -> None:
    with receiving(Receiver()) as slow, receiving(Receiver()) as quick:
        slow.answers.clear()
        endpoints = (at(slow), at(quick))
        write(archive, *endpoints, incidents=5)
        with serve(*endpoints, timeout=60.0):
            slow.wait(1)
            quick.wait(6)
            assert len(slow.requests) == 1
            slow.answers.set()


def test_a_receiver_that_does_not_answer_is_given_up_on(archive: Archive, serve: Serve) -> None:
    with receiving(Receiver()) as receiver:
        receiver.answers.clear()
        endpoint = at(receiver)
        write(archive, endpoint, incidents=5)
        with serve(endpoint, timeout=0.2) as webhooks:
            until(lambda: not webhooks.capabilities[0].available)
            assert "ReadTimeout" in webhooks.capabilities[0].reason
    assert WebhookQueue(archive.engine).waiting(endpoint.name) == 6


def test_what_never_arrives_is_given_up_and_said(
    archive: Archive, serve: Serve, clock: Clock
) -> None:
    lost: list[int] = []
    with receiving(Receiver(status=500)) as receiver:
        endpoint = at(receiver)
        write(archive, endpoint, incidents=0)
        clock.ahead += GIVE_UP_AFTER + timedelta(hours=1)
        with serve(endpoint, discarded=lost.append):
            until(lambda: bool(lost))
    assert lost == [1]
    assert WebhookQueue(archive.engine).waiting(endpoint.name) == 0


def test_a_database_that_is_away_stops_nothing(archive: Archive, serve: Serve) -> None:
    with receiving(Receiver()) as receiver:
        endpoint = at(receiver)
        with archive.engine.begin() as connection:
            connection.exec_driver_sql("alter table webhook_deliveries rename to gone")
        with serve(endpoint):
            with archive.engine.begin() as connection:
                connection.exec_driver_sql("alter table gone rename to webhook_deliveries")
            write(archive, endpoint, incidents=0)
            receiver.wait(1)
