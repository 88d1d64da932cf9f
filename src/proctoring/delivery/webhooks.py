"""Delivers messages to webhooks: signed, at least once, again and again until they arrive."""

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
from urllib.parse import urlsplit

import httpx
from sqlalchemy.exc import SQLAlchemyError

from proctoring.capabilities import Capability
from proctoring.delivery.webhook_signing import Style, sign
from proctoring.records.webhook_queue import Delivery, WebhookQueue

_log = logging.getLogger(__name__)

TIMEOUT = 10.0
"""Seconds that a receiver has to take a message."""
FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(hours=1)
"""Between two attempts at one message; it doubles from one to the other."""
GIVEN_UP = timedelta(days=3)
"""A message that did not arrive for so long is given up."""
UNSERVED = GIVEN_UP + timedelta(days=1)
"""What waits for longer waits for an endpoint that nobody serves any more."""
MOST = 100_000
"""Messages that may wait for one endpoint; beyond, the oldest are given up."""
TRIM_EVERY = 60.0
"""Seconds between two looks whether more than ``MOST`` wait."""
POLL = 0.5
"""Seconds between two looks for messages."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where messages go. Its address comes from the operator alone, never from a request."""

    url: str = field(repr=False)
    """May hold a token: never part of a log message."""
    style: Style
    secret: str = field(repr=False)
    key: str = ""
    """LiveKit's API key, which its receivers know the secret by."""

    @property
    def name(self) -> str:
        """Tells it apart in the queue, after a restart too: of its address alone."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:32]

    @property
    def host(self) -> str:
        """For messages."""
        return urlsplit(self.url).hostname or "?"


class Webhooks:
    """One thread for each endpoint, so that a slow one holds up none of the others.

    Args:
        queue: what waits.
        endpoints: where it goes.
        wall: the time of day.
        poll: seconds between two looks for messages.
        given_up: called with how many messages were given up; for metrics.
    """

    def __init__(
        self,
        queue: WebhookQueue,
        endpoints: tuple[Endpoint, ...],
        *,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        poll: float = POLL,
        timeout: float = TIMEOUT,
        given_up: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._queue = queue
        self._endpoints = endpoints
        self._wall = wall
        self._poll = poll
        self._timeout = timeout
        self._given_up = given_up
        self._stopping = Flag()
        self._trouble: dict[str, str] = {}
        self._threads = [
            Thread(target=self._serve, args=(endpoint,), name=f"webhook-{number}", daemon=True)
            for number, endpoint in enumerate(endpoints)
        ]

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """Whether messages arrive, as far as was tried; empty without endpoints."""
        if not self._endpoints:
            return ()
        trouble = "; ".join(sorted(self._trouble.values()))
        return (Capability("webhooks", available=not trouble, reason=trouble, model=""),)

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float) -> bool:
        """Deliver no more; what waits is delivered after the next start.

        Returns:
            Whether every thread ended within ``timeout`` seconds each.
        """
        self._stopping.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout)
        return not any(thread.is_alive() for thread in self._threads)

    def _serve(self, endpoint: Endpoint) -> None:
        # Redirects are not followed: the operator named this address, the receiver may name any.
        with httpx.Client(timeout=self._timeout, follow_redirects=False, trust_env=False) as http:
            trim_at = 0.0
            while not self._stopping.is_set():
                pause = self._poll
                try:
                    if time.monotonic() >= trim_at:
                        trim_at = time.monotonic() + TRIM_EVERY
                        if lost := self._queue.trim(endpoint.name, MOST):
                            self._lose(endpoint, lost, f"more than {MOST} waited")
                    while not self._stopping.is_set():
                        delivery = self._queue.take(endpoint.name)
                        if delivery is None:
                            break
                        if not self._deliver(http, endpoint, delivery):
                            # The next is likely to fail as well; nobody is helped by a storm.
                            pause = max(pause, min(60.0, self._pause(delivery).total_seconds()))
                            break
                except SQLAlchemyError:
                    pass  # records say so already; what waits, waits
                except Exception:  # noqa: BLE001  # the next look may do better
                    _log.exception("a look for webhook messages failed")
                self._stopping.wait(pause)

    def _deliver(self, http: httpx.Client, endpoint: Endpoint, delivery: Delivery) -> bool:
        problem = self._post(http, endpoint, delivery)
        if not problem:
            self._queue.done(delivery)
            if self._trouble.pop(endpoint.name, None):
                _log.info("the webhook at %s takes messages again", endpoint.host)
            return True
        if endpoint.name not in self._trouble:
            _log.warning("the webhook at %s takes no messages: %s", endpoint.host, problem)
        self._trouble[endpoint.name] = (
            f"the webhook at {endpoint.host} takes no messages: {problem}"
        )
        if self._wall() - delivery.created_at > GIVEN_UP:
            self._queue.done(delivery)
            self._lose(endpoint, 1, f"none arrived for {GIVEN_UP.days} days")
        else:
            self._queue.postpone(delivery, self._pause(delivery))
        return False

    def _post(self, http: httpx.Client, endpoint: Endpoint, delivery: Delivery) -> str:
        """Why it did not arrive; empty if it did."""
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
                # What it says is not read: it may be endless, and is nobody's business.
                return "" if answer.is_success else f"it answers {answer.status_code}"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return type(error).__name__  # its text may hold the address

    def _pause(self, delivery: Delivery) -> timedelta:
        grown: timedelta = FIRST_PAUSE * 2 ** min(delivery.attempts, 20)
        return min(grown, LONGEST_PAUSE) * random.uniform(0.8, 1.2)  # noqa: S311  # spread

    def _lose(self, endpoint: Endpoint, count: int, why: str) -> None:
        _log.error("%d messages to the webhook at %s are given up: %s", count, endpoint.host, why)
        self._given_up(count)
