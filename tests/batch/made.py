"""Made for the tests: results, and workers without processes."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from proctoring.batch.messages import Analysed, Answer, Loaded, Prepared, Request
from proctoring.batch.options import Options
from proctoring.judgement.policy import load_policy

OPTIONS = Options(load_policy("exam"))


def digest_of(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def report(name: str, incidents: Iterable[tuple[str, str]] = (), problem: str = "") -> bytes:
    """A result file. Incidents: severity and label."""
    content: dict[str, Any] = {
        "file": name,
        "complete": not problem,
        "problem": problem,
        "duration": 90.0,
        "cpu_seconds_taken": 10.0,
        "incidents": [
            {"severity": severity, "label": label, "alerted": severity != "info"}
            for severity, label in incidents
        ],
    }
    return json.dumps(content).encode()


class MadeWorkers:
    """Implements ``proctoring.batch.workers.Workers``: answers at once, in the order asked.

    Args:
        limit: workers at a time.
        answer: of a request for a location, and for the how many-th time; ``None``: as a worker that succeeds.
    """

    def __init__(
        self,
        limit: int = 2,
        answer: Callable[[Request, str, int], Answer | None] = lambda *_: None,
    ) -> None:
        self.limit = limit
        self.asked: list[tuple[int, Request, str]] = []
        self.most = 0
        """Workers that there were at once."""
        self._answer = answer
        self._alive: set[int] = set()
        self._last = 0
        self._location: dict[int, str] = {}
        self._answers: deque[tuple[int, Answer]] = deque()

    def add(self) -> int:
        self._last += 1
        self._alive.add(self._last)
        self.most = max(self.most, len(self._alive))
        self.ask(self._last, "load")
        return self._last

    def ask(self, worker: int, request: Request, *arguments: str) -> None:
        assert worker in self._alive, f"{worker} is gone"
        if request == "prepare":
            (self._location[worker],) = arguments
        location = "" if request == "load" else self._location[worker]
        before = sum(one[1:] == (request, location) for one in self.asked)
        self.asked.append((worker, request, location))
        if request != "discard":
            given = self._answer(request, location, before + 1)
            self._answers.append((worker, given or self._succeed(request, location)))

    def answers(self, timeout: float) -> list[tuple[int, Answer]]:  # noqa: ARG002
        assert self._answers, "waits for nothing"
        worker, answer = self._answers.popleft()
        if type(answer).__name__ == "Died":
            self._alive.discard(worker)
        return [(worker, answer)]

    def positions(self) -> dict[int, float]:
        return {}

    def close(self) -> None:
        self._alive.clear()

    def requests(self, request: Request) -> list[str]:
        """The locations of which this was asked."""
        return sorted(location for _, asked, location in self.asked if asked == request)

    @staticmethod
    def _succeed(request: Request, location: str) -> Answer:
        if request == "load":
            return Loaded("here", 1)
        if request == "prepare":
            return Prepared(digest_of(Path(location).read_text()))
        return Analysed(report(Path(location).name))
