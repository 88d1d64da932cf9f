"""A LiveKit worker that proctors the candidates of its rooms; the models run in the server.

    livekit-server --dev &
    proctoring serve &
    export LIVEKIT_URL=ws://127.0.0.1:7880 LIVEKIT_API_KEY=devkey LIVEKIT_API_SECRET=secret
    python examples/livekit_worker.py

Needs proctoring-ai[livekit-agent]. PROCTORING_URL and PROCTORING_TOKEN name the proctoring server.
`proctoring livekit-agent` is the same ready-made, with proctors, roles and dispatches.
"""

import argparse
import asyncio
import logging
import os
from typing import Any

from livekit import rtc
from livekit.agents import AgentServer, JobContext, WorkerPermissions

from proctoring.livekit import ProctoringEvent, Procturing
from proctoring.livekit.agent import serve

logger = logging.getLogger("exam")


async def entrypoint(ctx: JobContext) -> None:
    """One room: a ``Procturing`` for every participant whose identity begins with ``candidate-``."""
    proctors: dict[str, Procturing] = {}
    tasks: set[asyncio.Task[Any]] = set()

    async def forward(track: rtc.Track, participant: rtc.RemoteParticipant) -> None:
        proctor = proctors.get(participant.identity)
        if proctor is None:
            proctor = Procturing(participant, ctx.room, on_event=report)
            proctors[participant.identity] = proctor
        if track.kind == rtc.TrackKind.KIND_VIDEO:
            proctor.video_track = track
            await proctor.start_if_ready()
        if track.kind == rtc.TrackKind.KIND_AUDIO:
            await proctor.enable_audio(track)

    @ctx.room.on("track_subscribed")
    def subscribed(
        track: rtc.Track, _: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        if participant.identity.startswith("candidate-"):
            task = asyncio.create_task(forward(track, participant))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    async def close() -> None:
        await asyncio.gather(*(proctor.aclose() for proctor in proctors.values()))

    ctx.add_shutdown_callback(close)
    await ctx.connect()


def report(event: ProctoringEvent) -> None:
    """Called with every event of a candidate. The session id names the candidate: it is not logged."""
    for incident in event.incidents:
        if incident.state == "started":
            logger.info("%s (%s), incident %s", incident.label, incident.severity, incident.id)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for option, variable in (
        ("--url", "LIVEKIT_URL"),
        ("--key", "LIVEKIT_API_KEY"),
        ("--secret", "LIVEKIT_API_SECRET"),
    ):
        value = os.environ.get(variable)
        parser.add_argument(option, default=value, required=not value, help=f"or {variable}")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    server = AgentServer(
        ws_url=options.url,
        api_key=options.key,
        api_secret=options.secret,
        host="127.0.0.1",  # of the worker's own health check: for this machine only
        port=0,  # any
        # Candidates do not see the worker.
        permissions=WorkerPermissions(hidden=True, can_publish=False, can_publish_data=False),
        # Forwarding costs little: no room is declined because this machine is busy.
        load_fnc=no_load,
    )
    server.rtc_session(entrypoint)
    asyncio.run(serve(server, development=True))


def no_load(_: AgentServer) -> float:
    return 0.0


if __name__ == "__main__":
    main()
