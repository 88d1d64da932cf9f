"""The documented import path of the LiveKit client."""

from proctoring.livekit import Procturing

__all__ = ["Procturing"]
