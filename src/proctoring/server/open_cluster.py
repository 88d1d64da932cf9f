"""This server's part in a cluster, where one is configured; elsewhere nothing of it is imported."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from proctoring.session.registry import Registry
from proctoring.settings import Settings
from proctoring.storage.storage import Storage

if TYPE_CHECKING:
    from proctoring.server.clustering import Clustering


def open_cluster(
    settings: Settings,
    storage: Storage,
    *,
    sessions: Callable[[], Registry | None],
    continue_: Callable[[str], Awaitable[object]],
    now: Callable[[], float],
) -> Clustering | None:
    """What ``Clustering`` describes; ``None`` where no cluster is configured."""
    if settings.cluster_address is None:
        return None
    from proctoring.server.clustering import Clustering  # its HTTP client takes 90 ms

    made = Clustering(settings, storage, sessions=sessions, continue_=continue_, now=now)
    storage.believe_gone(made.membership.is_gone)
    return made
