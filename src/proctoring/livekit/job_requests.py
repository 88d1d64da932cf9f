"""Whether the agent takes a room: not while the server refuses new sessions."""

from __future__ import annotations

import logging

from livekit.agents import JobRequest

from proctoring.livekit.address import refusal, server_address

logger = logging.getLogger("proctoring.livekit")


async def answer_job_request(request: JobRequest) -> None:
    """Accept a room, unless the server begins no session now: LiveKit then offers it to another agent.

    A server that does not answer is no reason: clients keep trying to reach it.
    """
    try:
        reason = await refusal(server_address())
    except OSError:
        reason = ""
    if reason:
        logger.warning("a room was declined: %s", reason)
        await request.reject(terminate=False)
    else:
        await request.accept()
