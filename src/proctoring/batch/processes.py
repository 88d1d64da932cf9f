"""Worker processes on this machine.

A worker imports this module before anything that reads how many threads it may use: imports of
numerical libraries are inside of functions.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from proctoring.batch.copies import remove_orphans
from proctoring.batch.messages import Answer, Died, Failed, Request
from proctoring.batch.options import Options

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Threads of numerical libraries; those of the networks' runtimes and of FFmpeg are set elsewhere."""

_REPORT_PERIOD = 0.5
"""Seconds between two reports of how far a worker is."""

_LOST = 5.0
"""Seconds that a process whose pipe is closed may take to end."""


class LocalProcesses:
    """Implements ``workers.Workers``.

    Args:
        options: how recordings are analysed.
        limit: processes at a time.
    """

    def __init__(self, options: Options, limit: int) -> None:
        self.limit = limit
        self._options = options
        self._context = get_context("spawn")  # a fork would copy the runtimes' locks
        self._last = 0
        self._processes: dict[int, tuple[SpawnProcess, Connection]] = {}
        self._positions: dict[int, float] = {}

    def add(self) -> int:
        """Start a process."""
        here, there = self._context.Pipe()
        process = self._context.Process(target=_work, args=(there, self._options), daemon=True)
        with _interrupts_held():
            process.start()
        there.close()
        self._last += 1
        self._processes[self._last] = process, here
        self.ask(self._last, "load")
        return self._last

    def ask(self, worker: int, request: Request, *arguments: str) -> None:
        """Send a request. That the process is gone is told by ``answers``."""
        self._positions.pop(worker, None)
        try:
            self._processes[worker][1].send((request, *arguments))
        except OSError:
            return

    def answers(self, timeout: float) -> list[tuple[int, Answer]]:
        """What has arrived from the processes; that one is gone among it."""
        numbers = {connection: number for number, (_, connection) in self._processes.items()}
        found: list[tuple[int, Answer]] = []
        for ready in wait(list(numbers), timeout):
            assert isinstance(ready, Connection)  # noqa: S101
            number = numbers[ready]
            try:
                message = ready.recv()
            except (EOFError, OSError):
                found.append((number, Died(self._remove(number))))
                continue
            if isinstance(message, float):
                self._positions[number] = message
            else:
                self._positions.pop(number, None)
                found.append((number, message))
        return found

    def positions(self) -> dict[int, float]:
        """As the processes reported them."""
        return self._positions

    def close(self) -> None:
        """Kill the processes: what they have not answered is lost, and done again by the next run."""
        for process, _ in self._processes.values():
            process.kill()
        for number in list(self._processes):
            self._remove(number)
        remove_orphans()

    def _remove(self, number: int) -> str:
        """Why a process is gone."""
        process, connection = self._processes.pop(number)
        self._positions.pop(number, None)
        connection.close()
        process.join(_LOST)
        if process.exitcode is None:  # it closed its pipe and goes on
            process.kill()
            process.join()
        code = process.exitcode or 0
        process.close()
        if code >= 0:
            return f"its worker ended with status {code}"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = str(-code)
        memory = ": out of memory?" if name == "SIGKILL" else ""
        return f"its worker was ended by signal {name}{memory}"


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Ctrl-C is told afterwards. A process that is started meanwhile is not told before it asks for it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(connection: Connection, options: Options) -> None:
    """The main function of a worker process."""
    # Ctrl-C reaches all processes of a terminal; the command ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    sending = threading.Lock()

    from proctoring.batch.worker import RecordingWorker

    worker = RecordingWorker(options)
    threading.Thread(target=_end_with_parent, args=(worker,), daemon=True).start()
    threading.Thread(target=_report, args=(connection, sending, worker), daemon=True).start()
    while True:
        request, *arguments = connection.recv()
        try:
            answer: Any = getattr(worker, request)(*arguments)
        except Exception as error:  # noqa: BLE001  (a fault of ours fails one recording, not all)
            answer = Failed(f"{type(error).__name__}: {error}")
        if request != "discard":
            with sending:
                connection.send(answer)


def _end_with_parent(worker: Any) -> None:
    """A command that was killed leaves no workers behind."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        worker.discard()
    os._exit(1)


def _report(connection: Connection, sending: threading.Lock, worker: Any) -> None:
    """Send how far the worker is, as long as it moves."""
    last = 0.0
    pause = threading.Event()
    while not pause.wait(_REPORT_PERIOD):
        position: float = worker.position
        if position == last:
            continue
        last = position
        try:
            with sending:
                connection.send(position)
        except OSError:
            sys.exit()
