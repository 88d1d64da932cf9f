"""Servers as the LiveKit tests start them."""

from __future__ import annotations

from tests.livekit.conftest import livekit, proctoring

__all__ = ["livekit", "proctoring"]
