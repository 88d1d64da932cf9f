"""The thread that encodes and stores the evidence of all sessions."""

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
from proctoring.session.evidence.face_search import FindFaces
from proctoring.session.evidence.media_buffer import MediaSegment

_log = logging.getLogger(__name__)

MAX_WAITING_BYTES = 256 << 20
"""Media that may wait for encoding: about a minute of work for one thread."""
_NICENESS = 10
TIDY_PERIOD = 60.0
"""Seconds between two deletions of stored evidence that no incident refers to."""


class EvidenceArchive(Protocol):
    """Stores evidence. Implemented by ``records.evidence.ledger.EvidenceLedger``."""

    @property
    def capability(self) -> Capability:
        """Whether it works, as far as was tried."""

    def put(self, data: bytes) -> str:
        """Store data and return its digest; raises ``EvidenceUnavailableError``."""

    def check(self) -> None:
        """Try whether it works, for ``capability``."""

    def tidy(self) -> object:
        """Delete stored evidence that no incident refers to."""


@dataclass(frozen=True, slots=True, eq=False)
class EvidenceRequest:
    """A still or clip to encode and store."""

    kind: str
    """``still`` or ``clip``."""
    segment: MediaSegment
    blur: bool
    """Whether to hide bystanders."""
    done: Callable[[Evidence | None], None]
    """Called once, from the writer's thread or by ``stop``; ``None``: it could not be stored."""


class EvidenceWriter:
    """Serves requests in order of arrival. ``submit`` never waits.

    Args:
        on_lost: called, from any thread, with the reason why evidence could not be stored.
        max_pixels: largest frame that is decoded.
    """

    def __init__(
        self,
        archive: EvidenceArchive,
        *,
        on_lost: Callable[[str], None],
        max_pixels: int,
        max_waiting_bytes: int = MAX_WAITING_BYTES,
    ) -> None:
        self._archive = archive
        self.on_lost = on_lost
        self.find_faces: FindFaces | None = None
        """Finds bystanders in the frames of evidence; set when the models are loaded."""
        self._max_pixels = max_pixels
        self._max_waiting_bytes = max_waiting_bytes
        self._condition = Condition()
        self._requests: deque[EvidenceRequest] = deque()
        self._waiting_bytes = 0
        self._stopping = False
        self._thread = Thread(target=self._run, name="evidence", daemon=True)

    @property
    def capability(self) -> Capability:
        """Whether evidence can be stored, as far as was tried."""
        return self._archive.capability

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout: float) -> bool:
        """Serve what waits for at most ``timeout`` seconds; the rest is reported as lost.

        Returns:
            Whether the thread ended.
        """
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        if self._thread.ident is not None:
            self._thread.join(timeout)
        with self._condition:
            remaining = list(self._requests)
            self._requests.clear()
            self._waiting_bytes = 0
        for request in remaining:
            self._give_up(request, "the server stopped")
        return not self._thread.is_alive()

    def submit(self, request: EvidenceRequest) -> None:
        """Queue a request; its ``done`` is called with the result."""
        size = request.segment.size
        with self._condition:
            accepted = not self._stopping and self._waiting_bytes + size <= self._max_waiting_bytes
            if accepted:
                self._requests.append(request)
                self._waiting_bytes += size
                self._condition.notify()
        if not accepted:
            self._give_up(request, "too much evidence waits to be encoded")

    def _run(self) -> None:
        if sys.platform == "linux":  # where niceness is per thread
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, get_native_id(), _NICENESS)
        self._archive.check()
        tidy_at = 0.0
        while True:
            request = self._next(max(0.0, tidy_at - time.monotonic()))
            if request is not None:
                self._serve(request)
            elif self._stopping:
                return
            if time.monotonic() >= tidy_at:
                self._tidy()
                tidy_at = time.monotonic() + TIDY_PERIOD

    def _tidy(self) -> None:
        try:
            self._archive.tidy()
        except Exception:  # noqa: BLE001  # the next time may succeed
            _log.exception("unreferenced evidence could not be deleted")

    def _next(self, timeout: float) -> EvidenceRequest | None:
        """The next request; ``None`` if there is none within ``timeout`` or the writer stops."""
        with self._condition:
            if not self._requests and not self._stopping:
                self._condition.wait(timeout)
            if not self._requests:
                return None
            request = self._requests.popleft()
            self._waiting_bytes -= request.segment.size
            return request

    def _serve(self, request: EvidenceRequest) -> None:
        # Not before there is something to encode: FFmpeg takes 18 MiB.
        from proctoring.session.evidence.encoding import encode_clip, encode_still

        started = time.perf_counter()
        try:
            encode = encode_still if request.kind == "still" else encode_clip
            encoded = encode(
                request.segment,
                blur=request.blur,
                max_pixels=self._max_pixels,
                find=self.find_faces,
            )
            digest = self._archive.put(encoded.data)
        except (BadFrameError, EvidenceUnavailableError) as error:
            self._give_up(request, error.detail)
            return
        except Exception as error:  # noqa: BLE001  # must not affect other requests
            _log.exception("evidence could not be encoded")
            self._give_up(request, str(error))
            return
        _log.debug("%s stored in %.2f s", encoded.kind, time.perf_counter() - started)
        evidence = Evidence(
            digest,
            encoded.kind,
            encoded.media_type,
            encoded.start,
            encoded.end,
            len(encoded.data),
            encoded.blurred,
        )
        self._finish(request, evidence)

    def _give_up(self, request: EvidenceRequest, reason: str) -> None:
        _log.warning("a %s was not stored: %s", request.kind, reason)
        self.on_lost(reason)
        self._finish(request, None)

    def _finish(self, request: EvidenceRequest, evidence: Evidence | None) -> None:
        try:
            request.done(evidence)
        except Exception:  # noqa: BLE001  # must not affect other requests
            _log.exception("stored evidence could not be published")
