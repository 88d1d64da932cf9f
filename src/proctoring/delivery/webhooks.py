"""Delivers messages to webhooks: signed, at least once, retried for up to three days."""

from __future__ import annotations

import hashlib
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlalchemy.exc import SQLAlchemyError

from proctoring.capabilities import Capability
from proctoring.delivery.webhook_signing import Style, sign
from proctoring.records.webhook_queue import Delivery, WebhookQueue

if TYPE_CHECKING:
    import httpx

_log = logging.getLogger(__name__)

TIMEOUT = 10.0
"""Seconds that a receiver has to answer."""
FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(hours=1)
"""Pause between two attempts at one message; it doubles from the first to the longest."""
GIVE_UP_AFTER = timedelta(days=3)
"""Age at which a message is discarded: a receiver may be down over a weekend."""
ABANDONED_AFTER = GIVE_UP_AFTER + timedelta(days=1)
"""Age that a message reaches only if no server has its endpoint configured any more."""
MAX_WAITING = 100_000
"""Messages that may wait for one endpoint; beyond, the oldest are discarded."""
TRIM_EVERY = 60.0
"""Seconds between two checks of ``MAX_WAITING``."""
POLL = 0.5
"""Seconds between two queries for messages that are due."""
LONGEST_BACKOFF = 60.0
"""Seconds, at most, in which no other message is sent to an endpoint after one failed."""
SPREAD = 0.2
"""Pauses vary by this share, so that servers that failed together do not retry together."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A receiver of messages. Its address comes from the settings, never from a request."""

    url: str = field(repr=False)
    """May hold a token: never part of a log message."""
    style: Style
    secret: str = field(repr=False)
    key: str = ""
    """LiveKit's API key, which names the secret to its receivers."""

    @property
    def name(self) -> str:
        """Its name in the queue: derived from its address, so the same after a restart."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:32]

    @property
    def host(self) -> str:
        """The host of its address, for messages."""
        return urlsplit(self.url).hostname or "?"


class Webhooks:
    """One thread for each endpoint, so that a slow one holds up none of the others.

    Args:
        queue: the messages that wait.
        endpoints: their receivers.
        wall: the time of day, with its zone.
        poll: seconds between two queries for messages that are due.
        timeout: seconds that a receiver has to answer.
        discarded: called with a number of messages that were discarded; for metrics.
    """

    def __init__(
        self,
        queue: WebhookQueue,
        endpoints: tuple[Endpoint, ...],
        *,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        poll: float = POLL,
        timeout: float = TIMEOUT,
        discarded: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._queue = queue
        self._endpoints = endpoints
        self._wall = wall
        self._poll = poll
        self._timeout = timeout
        self._discarded = discarded
        self._stopping = Flag()
        self._trouble: dict[str, str] = {}
        self._threads = [
            Thread(target=self._serve, args=(endpoint,), name=f"webhook-{number}", daemon=True)
            for number, endpoint in enumerate(endpoints)
        ]

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """Whether the last message to each endpoint arrived; empty without endpoints."""
        if not self._endpoints:
            return ()
        trouble = "; ".join(sorted(self._trouble.values()))
        return (Capability("webhooks", available=not trouble, reason=trouble, model=""),)

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float) -> bool:
        """Stop delivering; what waits is delivered after the next start.

        Returns:
            Whether every thread ended within ``timeout`` seconds each.
        """
        self._stopping.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout)
        return not any(thread.is_alive() for thread in self._threads)

    def _serve(self, endpoint: Endpoint) -> None:
        import httpx  # 90 ms, of which only servers with webhooks have a use

        # Redirects are not followed: they could lead to an address that the operator did not choose.
        with httpx.Client(timeout=self._timeout, follow_redirects=False, trust_env=False) as http:
            trim_at = 0.0
            while not self._stopping.is_set():
                pause = self._poll
                try:
                    if time.monotonic() >= trim_at:
                        trim_at = time.monotonic() + TRIM_EVERY
                        if lost := self._queue.trim(endpoint.name, MAX_WAITING):
                            self._discard(endpoint, lost, f"more than {MAX_WAITING} waited")
                    while not self._stopping.is_set():
                        delivery = self._queue.claim(endpoint.name)
                        if delivery is None:
                            break
                        if not self._deliver(http, endpoint, delivery):
                            # The next is likely to fail as well.
                            seconds = self._pause(delivery).total_seconds()
                            pause = max(pause, min(LONGEST_BACKOFF, seconds))
                            break
                except SQLAlchemyError:
                    pass  # the capability of records reports it; messages wait
                except Exception:  # noqa: BLE001  # the next attempt may succeed
                    _log.exception("webhook messages could not be delivered")
                self._stopping.wait(pause)

    def _deliver(self, http: httpx.Client, endpoint: Endpoint, delivery: Delivery) -> bool:
        problem = self._post(http, endpoint, delivery)
        if not problem:
            self._queue.remove(delivery)
            if self._trouble.pop(endpoint.name, None):
                _log.info("the webhook at %s takes messages again", endpoint.host)
            return True
        if endpoint.name not in self._trouble:
            _log.warning("the webhook at %s takes no messages: %s", endpoint.host, problem)
        self._trouble[endpoint.name] = (
            f"the webhook at {endpoint.host} takes no messages: {problem}"
        )
        if self._wall() - delivery.created_at > GIVE_UP_AFTER:
            self._queue.remove(delivery)
            self._discard(endpoint, 1, f"none arrived for {GIVE_UP_AFTER.days} days")
        else:
            self._queue.postpone(delivery, self._pause(delivery))
        return False

    def _post(self, http: httpx.Client, endpoint: Endpoint, delivery: Delivery) -> str:
        """Send a message. Returns why it did not arrive; empty if it did."""
        import httpx

        body = delivery.body.encode()
        headers = sign(
            endpoint.style,
            secret=endpoint.secret,
            key=endpoint.key,
            message_id=delivery.message_id,
            time=self._wall(),
            body=delivery.body,
        )
        try:
            with http.stream("POST", endpoint.url, content=body, headers=headers) as answer:
                # The body is not read: it may be endless, and is not needed.
                return "" if answer.is_success else f"it answers {answer.status_code}"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return type(error).__name__  # the error's text may hold the address

    def _pause(self, delivery: Delivery) -> timedelta:
        grown: timedelta = FIRST_PAUSE * 2 ** min(delivery.attempts, 20)
        return min(grown, LONGEST_PAUSE) * random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311

    def _discard(self, endpoint: Endpoint, count: int, why: str) -> None:
        _log.error("%d messages to the webhook at %s are given up: %s", count, endpoint.host, why)
        self._discarded(count)
