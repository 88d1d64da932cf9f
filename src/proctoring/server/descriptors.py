"""How many connections the system's limit of open files leaves room for."""

from __future__ import annotations

import importlib
import logging
from types import ModuleType

_log = logging.getLogger(__name__)

ACCEPT_BATCH = 32
"""Connections accepted at once, before any of them is counted."""
RESERVED = 64 + 4 * ACCEPT_BATCH
"""Files beside connections: the database, weights, evidence, the log; and connections accepted that are
not counted yet."""


def connections_allowed(wanted: int) -> int:
    """How many connections may be open: as many as wanted, or as there may be files.

    Raises the process's own limit of open files as far as it may be.
    """
    try:
        resource: ModuleType = importlib.import_module("resource")
    except ImportError:  # Windows has no such limit
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    needed = wanted + RESERVED
    if soft < needed and (hard == resource.RLIM_INFINITY or soft < hard):
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    allowed: int = max(16, min(wanted, soft - RESERVED))
    if allowed < wanted:
        _log.warning("%d connections at most: the process may open %d files", allowed, soft)
    return allowed
