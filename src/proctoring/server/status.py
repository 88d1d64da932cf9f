"""The service's status, for ``/api/health``."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from enum import StrEnum

from proctoring.capabilities import Capability

_log = logging.getLogger(__name__)


class Status(StrEnum):
    """How the service is."""

    STARTING = "starting"
    """Models are being fetched or loaded: no session can begin yet."""
    OK = "ok"
    DEGRADED = "degraded"
    """It works, with a capability off or at lower rates."""
    FAILED = "failed"
    """It could not start: no session can begin."""
    DRAINING = "draining"
    """It hands its sessions to others: none can begin, those that are open go on."""
    STOPPING = "stopping"


def log_capabilities(capabilities: Iterable[Capability]) -> None:
    """Log one line for each capability that is on, or is wanted and off."""
    for capability in capabilities:
        if capability.available:
            by = f", by {capability.model}" if capability.model else ""
            _log.info("%s: on%s", capability.name, by)
        elif capability.wanted:
            _log.warning("%s: off: %s", capability.name, capability.reason)
