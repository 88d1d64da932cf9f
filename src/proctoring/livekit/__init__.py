"""Procturing and the LiveKit agent: a client of the server. LiveKit, no models.

``from proctoring.livekit import Procturing``; needs ``pip install 'proctoring-ai[livekit]'``. The
agent is apart, in ``proctoring.livekit.agent`` (``proctoring-ai[livekit-agent]``).
"""

from proctoring.livekit.channel import ProctorChannel
from proctoring.livekit.messages import Incident, ProctoringEvent
from proctoring.livekit.procturing import Procturing

__all__ = ["Incident", "ProctorChannel", "ProctoringEvent", "Procturing"]
