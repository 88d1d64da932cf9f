"""Worker processes in a Ray cluster (``proctoring-ai[ray]``).

Each is an actor with one core. One that dies is replaced by a new one, which Ray starts wherever a core is
free, also on another machine; what it was doing is tried again (``run.py``), so that the attempts are
counted and their reasons kept. Ray's own restarts and retries, which would hide them, are off.

Machines read recordings under the same paths as this one, or from S3; results come back to this one.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from proctoring.batch.messages import Answer, Died, Failed, Loaded, Request
from proctoring.batch.options import Options
from proctoring.errors import SettingsError

_POSITION_PERIOD = 2.0
"""Seconds between two questions to an actor how far it is."""

_GOODBYE = 3.0
"""Seconds that actors have to remove what they copied."""

_CONNECT = 10.0
"""Seconds that a cluster may take to accept a connection."""

_OBJECT_STORE = 128 << 20
"""Bytes of shared memory of a cluster that this command starts: results are small."""


class RayActors:
    """Implements ``workers.Workers``.

    Args:
        options: how recordings are analysed.
        address: of a running cluster, ``auto`` for the one of this machine, or ``local`` to start one that
            ends with this command.
        limit: actors at a time; ``None``: as many as the cluster has cores now.

    Raises:
        SettingsError: Ray is not installed, or there is no such cluster.
    """

    def __init__(self, options: Options, address: str, limit: int | None) -> None:
        # Ray would else send the current folder to all machines when this command runs under `uv run`.
        os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
        try:
            import ray
        except ModuleNotFoundError as error:
            raise SettingsError("--ray needs: pip install 'proctoring-ai[ray]'") from error
        self._ray: Any = ray
        _check_reachable(address)
        local: dict[str, Any] = {"num_cpus": limit, "object_store_memory": _OBJECT_STORE}
        try:
            ray.init(
                address=address,
                log_to_driver=False,
                logging_level="error",
                **(local | {"include_dashboard": False} if address == "local" else {}),
            )
        except Exception as error:  # Ray raises plain ones, too
            ray.shutdown()
            raise SettingsError(f"Ray at {address}: {error}") from error
        self.limit = limit or max(1, int(ray.cluster_resources().get("CPU", 1)))
        self._options = options
        self._last = 0
        self._actors: dict[int, Any] = {}
        self._loaded: dict[int, Loaded] = {}
        self._asked: dict[Any, int] = {}
        self._where: dict[Any, int] = {}
        self._asked_where = 0.0
        self._positions: dict[int, float] = {}
        # Threads: one works, one tells how far it is.
        self._remote = ray.remote(
            num_cpus=1, max_restarts=0, max_task_retries=0, max_concurrency=2
        )(_Actor)

    def add(self) -> int:
        """Start an actor, as soon as the cluster has a core for it."""
        self._last += 1
        self._actors[self._last] = self._remote.remote(self._options)
        self.ask(self._last, "load")
        return self._last

    def ask(self, worker: int, request: Request, *arguments: str) -> None:
        """Send a request."""
        self._positions.pop(worker, None)
        answer = self._actors[worker].do.remote(request, *arguments)
        if request != "discard":
            self._asked[answer] = worker

    def answers(self, timeout: float) -> list[tuple[int, Answer]]:
        """What has arrived from the actors; that one is gone among it."""
        if not self._asked:
            return []
        ready, _ = self._ray.wait(list(self._asked), num_returns=1, timeout=timeout)
        found: list[tuple[int, Answer]] = []
        for reference in ready:
            worker = self._asked.pop(reference)
            found.append((worker, self._answer(reference, worker)))
        return found

    def positions(self) -> dict[int, float]:
        """As the actors last said."""
        if self._where:
            ready, _ = self._ray.wait(list(self._where), num_returns=len(self._where), timeout=0)
            for reference in ready:
                worker = self._where.pop(reference)
                with suppress(self._ray.exceptions.RayError):  # its death is told by `answers`
                    self._positions[worker] = self._ray.get(reference)
        elif time.monotonic() - self._asked_where > _POSITION_PERIOD:
            self._asked_where = time.monotonic()
            for worker in set(self._asked.values()):
                self._where[self._actors[worker].position.remote()] = worker
        return self._positions

    def close(self) -> None:
        """Kill the actors, and disconnect."""
        removed = [actor.do.remote("discard") for actor in self._actors.values()]
        if removed:  # copies of recordings, on whichever machine
            self._ray.wait(removed, num_returns=len(removed), timeout=_GOODBYE)
        for actor in self._actors.values():
            with suppress(self._ray.exceptions.RayError):
                self._ray.kill(actor)
        self._actors.clear()
        self._asked.clear()
        self._ray.shutdown()

    def _answer(self, reference: Any, worker: int) -> Answer:
        errors = self._ray.exceptions
        try:
            answer: Answer = self._ray.get(reference)
        except errors.RayTaskError as error:
            return Failed(str(error).strip().splitlines()[-1])
        except errors.RayError as error:
            actor = self._actors.pop(worker)
            self._positions.pop(worker, None)
            with suppress(errors.RayError):
                self._ray.kill(actor)  # one that is only out of reach must not go on
            at = self._loaded.pop(worker, None)
            where = "" if at is None else f" on {at.where} (process {at.process})"
            return Died(f"its worker{where} was lost: {type(error).__name__}")
        if isinstance(answer, Loaded):
            self._loaded[worker] = answer
        return answer


def _check_reachable(address: str) -> None:
    """Ray itself would try for ten minutes.

    Raises:
        SettingsError: nobody answers at ``host:port``.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or "/" in host:
        return  # auto, local, or Ray's own kinds of address
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT).close()
    except (OSError, OverflowError) as error:
        raise SettingsError(f"Ray at {address}: {error}") from error


class _Actor:
    """A worker, as an actor."""

    def __init__(self, options: Options) -> None:
        from proctoring.batch.worker import RecordingWorker

        self._worker = RecordingWorker(options)

    def do(self, request: Request, *arguments: str) -> Any:
        """Do what is asked; a failure names the machine."""
        method: Callable[..., Any] = getattr(self._worker, request)
        answer = method(*arguments)
        if isinstance(answer, Failed):
            return Failed(f"{answer.reason} (on {socket.gethostname()})")
        return answer

    def position(self) -> float:
        """How far it is with the present recording, 0 to 1."""
        return self._worker.position
