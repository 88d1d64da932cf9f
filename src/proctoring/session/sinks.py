"""The consumers of a session's outcomes: counters, metrics, evidence, publishing."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Protocol

from proctoring.session.outcomes import Outcome, SinkFailed

_log = logging.getLogger(__name__)


class Sink(Protocol):
    """Consumes every outcome of a session, each once.

    ``accept`` is called on the event loop for what arrives and on pool threads for the rest, so
    calls may overlap. Of frames, judgement and the end, calls come one at a time and in order.
    It must not block.
    """

    def accept(self, outcome: Outcome) -> None:
        """Consume an outcome; ignore those of no interest."""


class Sinks:
    """Hands outcomes to several sinks, in the order given. An exception in one is logged and
    emitted as ``SinkFailed``; the others still get the outcome."""

    def __init__(self, sinks: Iterable[Sink]) -> None:
        self._sinks = tuple(sinks)

    def emit(self, outcome: Outcome) -> None:
        """Hand an outcome to every sink. Raises nothing."""
        for sink in self._sinks:
            try:
                sink.accept(outcome)
            except Exception:  # noqa: BLE001  # must not affect the session or other sinks
                _log.exception("a sink failed on %s", type(outcome).__name__)
                if not isinstance(outcome, SinkFailed):
                    self.emit(SinkFailed())
