"""Runs a batch: hands out recordings to workers, keeps their results, tries again what failed."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from proctoring.batch.findings import Findings
from proctoring.batch.index import Recording
from proctoring.batch.messages import Analysed, Answer, Died, Failed, Loaded, Prepared, Unusable
from proctoring.batch.results import Results
from proctoring.batch.workers import Workers
from proctoring.errors import AnalysisFailedError, ModelUnavailableError

_POLL = 0.5
"""Seconds between two reports of progress."""

_MAX_DEAD_ON_START = 5
"""Workers that may die in a row before one of them has loaded its networks."""


@dataclass(slots=True)
class Totals:
    """What a run has done so far."""

    listed: int
    """Recordings that the run is to end with."""
    kept: int = 0
    """Recordings whose result was there: from an earlier run, or from one with the same content."""
    analysed: int = 0
    """Recordings analysed by this run, those that failed not among them."""
    failed: int = 0
    """Recordings without a report."""
    seconds: float = 0.0
    """Seconds of the recordings that this run analysed."""
    retried: int = 0
    """Attempts that failed and were repeated."""
    under_way: float = 0.0
    """Recordings' worth of work that is done in part."""
    elapsed: float = 0.0
    """Wall seconds since the first worker was ready."""

    @property
    def done(self) -> int:
        """Recordings that are done with."""
        return self.kept + self.analysed + self.failed


@dataclass(slots=True)
class _Task:
    recording: Recording
    attempts: int = 0
    digest: str | None = None
    limited: bool = False
    """Whether it counts against the limit already."""


@dataclass(slots=True)
class _Crew:
    """The workers by what they do."""

    starting: set[int] = field(default_factory=set)
    idle: set[int] = field(default_factory=set)
    busy: dict[int, _Task] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.starting) + len(self.idle) + len(self.busy)


class Run:
    """One run.

    Args:
        results: what is listed in its index and has no result yet is analysed.
        workers: that do it. Not closed.
        listed: recordings that are listed.
        retries: how often a recording is tried again whose analysis failed for a reason that may pass.
        limit: recordings to analyse at most; ``None``: all.
        failure: called with a recording's name and why it has no report.
    """

    def __init__(
        self,
        results: Results,
        workers: Workers,
        listed: int,
        *,
        retries: int = 2,
        limit: int | None = None,
        failure: Callable[[str, str], None] = lambda _name, _why: None,
    ) -> None:
        self.totals = Totals(listed)
        self._results = results
        self._workers = workers
        self._retries = retries
        self._left = limit
        self._failure = failure
        self._crew = _Crew()
        self._missing = self._tasks()
        self._waiting: deque[_Task] = deque()
        self._again: deque[_Task] = deque()
        self._analysing: set[str] = set()
        self._dead_on_start = 0
        self._began: float | None = None

    def run(self, progress: Callable[[Totals], None] = lambda _: None) -> Totals:
        """Analyse everything that is missing.

        Args:
            progress: called about twice a second.

        Raises:
            ModelUnavailableError: no worker can load the networks.
            AnalysisFailedError: workers die before they can work.
            SettingsError: a result cannot be written.
        """
        while self._hand_out():
            for worker, answer in self._workers.answers(_POLL):
                self._take(worker, answer)
            progress(self._measured())
        progress(self._measured())
        return self.totals

    def _tasks(self) -> Iterator[_Task]:
        """The recordings without a result."""
        for recording in self._results.index.recordings():
            if recording.digest is not None and self._results.has(recording.digest):
                self.totals.kept += 1
            elif self._left is None or self._left > 0:
                yield _Task(recording)

    def _hand_out(self) -> bool:
        """Give work to idle workers; start workers for work that waits. Whether anything is left."""
        crew = self._crew
        while len(self._waiting) < self._workers.limit:
            task = next(self._missing, None)
            if task is None and self._again and not self._waiting:
                task = self._again.popleft()
            if task is None:
                break
            self._waiting.append(task)
        while self._waiting and crew.idle:
            worker, task = crew.idle.pop(), self._waiting.popleft()
            task.attempts += 1
            crew.busy[worker] = task
            self._workers.ask(worker, "prepare", task.recording.location)
        while len(self._waiting) > len(crew.starting) and len(crew) < self._workers.limit:
            crew.starting.add(self._workers.add())
        return bool(self._waiting or self._again or crew.busy)

    def _take(self, worker: int, answer: Answer) -> None:
        crew = self._crew
        match answer:
            case Loaded():
                crew.starting.discard(worker)
                crew.idle.add(worker)
                self._dead_on_start = 0
                self._began = self._began or time.perf_counter()
            case Unusable(reason):
                raise ModelUnavailableError(reason)
            case Died(reason):
                self._died(worker, reason)
            case Prepared(digest):
                self._prepared(worker, digest)
            case Analysed(result):
                task = self._free(worker)
                assert task.digest is not None  # noqa: S101
                self._count(task, self._results.add(task.digest, result))
            case Failed(reason):
                self._try_again(self._free(worker), reason)

    def _prepared(self, worker: int, digest: str) -> None:
        task = self._crew.busy[worker]
        self._results.index.set_digest(task.recording.name, digest)
        if digest in self._analysing or self._results.has(digest):
            # The same content under another name.
            self._workers.ask(worker, "discard")
            self._free(worker)
            self.totals.kept += 1
        elif self._left == 0 and not task.limited:
            self._workers.ask(worker, "discard")
            self._free(worker)
        else:
            task.digest = digest
            self._analysing.add(digest)
            if self._left is not None and not task.limited:
                self._left -= 1
                task.limited = True
            self._workers.ask(worker, "analyse")

    def _free(self, worker: int) -> _Task:
        task = self._crew.busy.pop(worker)
        self._crew.idle.add(worker)
        self._analysing.discard(task.digest or "")
        return task

    def _died(self, worker: int, reason: str) -> None:
        if worker in self._crew.busy:
            task = self._free(worker)
            self._crew.idle.discard(worker)
            self._try_again(task, reason)
            return
        if worker in self._crew.starting:
            self._dead_on_start += 1
            if self._dead_on_start == _MAX_DEAD_ON_START:
                raise AnalysisFailedError(f"workers cannot start: {reason}")
        self._crew.starting.discard(worker)
        self._crew.idle.discard(worker)

    def _try_again(self, task: _Task, reason: str) -> None:
        name, digest = task.recording.name, task.digest
        if task.attempts <= self._retries:
            self.totals.retried += 1
            self._again.append(task)
            return
        tried = f" (tried {task.attempts} times)" if task.attempts > 1 else ""
        self._results.index.set_problem(name, digest, reason + tried)
        self.totals.failed += 1
        self._failure(name, reason + tried)

    def _count(self, task: _Task, findings: Findings) -> None:
        if findings.outcome == "failed":
            self.totals.failed += 1
            self._failure(task.recording.name, findings.reason)
        else:
            self.totals.analysed += 1
            self.totals.seconds += findings.seconds

    def _measured(self) -> Totals:
        """The totals, with what is under way."""
        if self._began is not None:
            self.totals.elapsed = time.perf_counter() - self._began
        positions = self._workers.positions()
        self.totals.under_way = sum(positions.get(worker, 0.0) for worker in self._crew.busy)
        return self.totals
