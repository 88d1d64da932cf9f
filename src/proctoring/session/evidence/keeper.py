"""The thread that makes evidence and has it kept, beside everything that is in a hurry."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition, Thread, get_native_id
from typing import Protocol

from proctoring.capabilities import Capability
from proctoring.errors import BadFrameError, EvidenceUnavailableError
from proctoring.incidents import Evidence
from proctoring.session.evidence.crowd import FindFaces
from proctoring.session.evidence.media import make_clip, make_still
from proctoring.session.evidence.ring import Stretch

_log = logging.getLogger(__name__)

MAX_WAITING_BYTES = 256 << 20
"""Media that may wait to be made into evidence: a minute of work for one thread."""
_NICENESS = 10
TIDY_EVERY = 60.0
"""Seconds between two looks for evidence that belongs to nothing."""


class Vault(Protocol):
    """Where evidence is kept: ``records.evidence.ledger.EvidenceLedger``."""

    @property
    def capability(self) -> Capability:
        """Whether it works."""

    def put(self, data: bytes) -> str:
        """Keep a piece and return its digest; raises ``EvidenceUnavailableError``."""

    def check(self) -> None:
        """See whether it works."""

    def tidy(self) -> object:
        """Delete what is kept and belongs to nothing. Called now and then."""


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """One piece of evidence that is to be made."""

    kind: str
    """``still`` or ``clip``."""
    stretch: Stretch
    blur: bool
    done: Callable[[Evidence | None], None]
    """Called once, from the keeper's thread or from whoever stops it; ``None``: it was lost."""


class EvidenceKeeper:
    """Takes orders from all sessions, first come, first served. Never waits for the store.

    Args:
        vault: keeps what is made.
        lost: called, from any thread, with why a piece could not be kept; for metrics.
        max_pixels: largest picture that is decoded.
    """

    def __init__(
        self,
        vault: Vault,
        *,
        lost: Callable[[str], None],
        max_pixels: int,
        max_waiting_bytes: int = MAX_WAITING_BYTES,
    ) -> None:
        self._vault = vault
        self.lost = lost
        self.find: FindFaces | None = None
        """Looks for faces that bystanders' pictures must not show; given once it is loaded."""
        self._max_pixels = max_pixels
        self._max_waiting = max_waiting_bytes
        self._condition = Condition()
        self._orders: deque[Order] = deque()
        self._waiting = 0
        self._stopping = False
        self._thread = Thread(target=self._work, name="evidence", daemon=True)

    @property
    def capability(self) -> Capability:
        """Whether evidence can be kept, as far as was tried."""
        return self._vault.capability

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout: float) -> bool:
        """Make what waits, as far as ``timeout`` seconds go; the rest is lost, and said.

        Returns:
            Whether the thread ended.
        """
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        if self._thread.ident is not None:
            self._thread.join(timeout)
        with self._condition:
            left = list(self._orders)
            self._orders.clear()
            self._waiting = 0
        for order in left:
            self._give_up(order, "the server stopped")
        return not self._thread.is_alive()

    def offer(self, order: Order) -> None:
        """Order a piece of evidence. Returns at once; ``done`` tells what became of it."""
        size = order.stretch.size
        with self._condition:
            taken = not self._stopping and self._waiting + size <= self._max_waiting
            if taken:
                self._orders.append(order)
                self._waiting += size
                self._condition.notify()
        if not taken:
            self._give_up(order, "too much evidence waits to be made")

    def _work(self) -> None:
        if sys.platform == "linux":  # where niceness is a thread's own
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, get_native_id(), _NICENESS)
        self._vault.check()
        tidy_at = 0.0
        while True:
            order = self._next(max(0.0, tidy_at - time.monotonic()))
            if order is not None:
                self._make(order)
            elif self._stopping:
                return
            if time.monotonic() >= tidy_at:
                self._tidy()
                tidy_at = time.monotonic() + TIDY_EVERY

    def _tidy(self) -> None:
        try:
            self._vault.tidy()
        except Exception:  # noqa: BLE001  # the next time may do better
            _log.exception("stored evidence could not be looked through")

    def _next(self, timeout: float) -> Order | None:
        """The next order; ``None`` if none came in time, or none will come any more."""
        with self._condition:
            if not self._orders and not self._stopping:
                self._condition.wait(timeout)
            if not self._orders:
                return None
            order = self._orders.popleft()
            self._waiting -= order.stretch.size
            return order

    def _make(self, order: Order) -> None:
        began = time.perf_counter()
        try:
            make = make_still if order.kind == "still" else make_clip
            made = make(order.stretch, blur=order.blur, max_pixels=self._max_pixels, find=self.find)
            digest = self._vault.put(made.data)
        except (BadFrameError, EvidenceUnavailableError) as error:
            self._give_up(order, error.detail)
            return
        except Exception as error:  # noqa: BLE001  # one piece's fault must not cost the others
            _log.exception("a piece of evidence could not be made")
            self._give_up(order, str(error))
            return
        _log.debug("%s kept in %.2f s", made.kind, time.perf_counter() - began)
        evidence = Evidence(
            digest, made.kind, made.media_type, made.start, made.end, len(made.data), made.blurred
        )
        self._tell(order, evidence)

    def _give_up(self, order: Order, reason: str) -> None:
        _log.warning("a %s was not kept: %s", order.kind, reason)
        self.lost(reason)
        self._tell(order, None)

    def _tell(self, order: Order, evidence: Evidence | None) -> None:
        try:
            order.done(evidence)
        except Exception:  # noqa: BLE001  # whoever asked; others wait behind
            _log.exception("evidence could not be told")
