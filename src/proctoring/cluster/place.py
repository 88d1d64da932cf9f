"""Where a session is that is not here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another server owns the session, and lives."""

    server_id: str
    address: str
    """``http://host:port``."""


class ForwardError(Exception):
    """A request could not be sent on. It is not answered, and nothing of its body was read."""

    def __init__(self, place: Elsewhere, *, refused: bool) -> None:
        super().__init__(place.server_id)
        self.server_id = place.server_id
        self.refused = refused
        """Nothing listens at the address: the process there has ended. Otherwise it may live."""
