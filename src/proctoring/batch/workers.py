"""What a batch needs of the processes that work for it, wherever they run."""

from __future__ import annotations

from typing import Protocol

from proctoring.batch.messages import Answer, Request


class Workers(Protocol):
    """Worker processes, each with a number that is never used again.

    A worker does one thing at a time. It answers every request but ``discard``, and is gone once it has
    answered ``Died`` or ``Unusable``.
    """

    limit: int
    """Workers at a time, at most."""

    def add(self) -> int:
        """Start a worker, which answers ``Loaded`` when it can work. Returns its number."""

    def ask(self, worker: int, request: Request, *arguments: str) -> None:
        """Send a request."""

    def answers(self, timeout: float) -> list[tuple[int, Answer]]:
        """What workers have answered; waits up to ``timeout`` seconds for the first answer."""

    def positions(self) -> dict[int, float]:
        """Of workers that analyse: the share of their recording that is done, as far as known."""

    def close(self) -> None:
        """End all workers at once, whatever they are doing."""
