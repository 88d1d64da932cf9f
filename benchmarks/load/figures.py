"""From what was measured to lines and tables."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks.load.clients import Run

LIMIT = 0.1
"""Seconds within which 95 of 100 frames must be observed."""
MAX_LOST = 0.01
"""Share of the frames that may be replaced, or not be observed for any other reason."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One run of ``sessions``. Times in milliseconds, memory in MiB."""

    scene: str
    talk: float | None
    """Share of talk; ``None``: no sound."""
    sessions: int
    cpu: float
    """The server's CPU time (all threads) per session and second."""
    median: float
    p95: float
    p99: float
    server_p95: float
    """95th percentile by the server's own account: without the network and the clients."""
    sent: int
    observed: int
    analysed: int
    carried: int
    """Analysed frames to which an earlier one's faces were carried over, because the picture did not change."""
    skipped: int
    """Not due, because the server had lowered the session's rate."""
    replaced: int
    refused: int
    lowest_flow: float
    """Lowest rate that a client was asked for, frames per second."""
    memory: float
    client_cpu: float
    """Share of a core that all clients together took."""
    client_late: float
    """95th percentile of the delay with which the clients themselves sent."""
    parts: dict[str, float]
    """Analyser -> its wall time per session and second, the costliest first."""
    incidents: dict[str, int]
    """Kind -> how many began, over all sessions."""
    load: float
    """Load average of the machine at the end."""

    def carries_it(self, by_server: bool = False) -> bool:
        """Whether the server carries so many sessions.

        Args:
            by_server: latency by the server's own account, not the clients'.
        """
        lost = max(self.replaced, self.sent - self.observed)
        p95 = self.server_p95 if by_server else self.p95
        return p95 < LIMIT * 1000 and lost < MAX_LOST * self.sent

    def __str__(self) -> str:
        parts = ", ".join(f"{part} {cost:.0f}" for part, cost in self.parts.items() if cost >= 1)
        told = ", ".join(f"{kind} {count}" for kind, count in self.incidents.items())
        return (
            f"{self.sessions:3} x {self.scene}, {talk_text(self.talk)}: {self.cpu:.0f} ms CPU per session-second "
            f"({self.cpu * self.sessions / 1000:.2f} cores in all); latency median {self.median:.0f}, "
            f"95th {self.p95:.0f}, 99th {self.p99:.0f} ms (95th on the server {self.server_p95:.0f}); frames sent {self.sent}, observed {self.observed}, "
            f"analysed {self.analysed}, carried over {self.carried}, skipped {self.skipped}, "
            f"replaced {self.replaced}, refused {self.refused}; lowest rate {self.lowest_flow:g}/s; "
            f"memory {self.memory:.0f} MiB; clients {self.client_cpu:.0%} of a core, "
            f"{self.client_late:.0f} ms late; wall ms per session-second: {parts}; incidents: {told or 'none'}; load {self.load:.1f}"
        )


def figures(scene: str, talk: float | None, run: Run, load: float) -> Figures:
    """Figures of a run."""
    counted = run.counted
    median, p95, p99 = (_percentile(run.latencies, p, none=math.inf) * 1000 for p in (50, 95, 99))
    return Figures(
        scene=scene,
        talk=talk,
        sessions=run.sessions,
        cpu=run.server_cpu * 1000 / (run.sessions * run.seconds),
        median=median,
        p95=p95,
        p99=p99,
        server_p95=_percentile(run.on_server, 95, none=math.inf) * 1000,
        sent=run.sent,
        observed=len(run.latencies),
        analysed=int(counted.get("frame_latency_seconds_count", 0)),
        carried=int(counted.get("frames_carried_over", 0)),
        skipped=int(counted.get("frames_skipped", 0)),
        replaced=int(counted.get("frames_replaced", 0)),
        refused=int(counted.get("frames_refused", 0) + counted.get("frames_limited", 0)),
        lowest_flow=run.lowest_flow,
        memory=run.memory / 2**20,
        client_cpu=run.client_cpu / run.seconds,
        client_late=_percentile(run.late, 95, none=0.0) * 1000,
        parts=_parts(counted, run.sessions * run.seconds),
        incidents=_incidents(counted),
        load=load,
    )


def _percentile(values: list[float], share: float, none: float) -> float:
    return float(np.percentile(values, share)) if values else none


def _parts(counted: dict[str, float], session_seconds: float) -> dict[str, float]:
    prefix, suffix = 'analysis_seconds_sum{analyser="', '"}'
    costs = {
        name[len(prefix) : -len(suffix)]: value * 1000 / session_seconds
        for name, value in counted.items()
        if name.startswith(prefix)
    }
    return dict(sorted(costs.items(), key=lambda part: -part[1]))


def _incidents(counted: dict[str, float]) -> dict[str, int]:
    prefix, suffix = 'incident_changes{kind="', '",state="started"}'
    return {
        name[len(prefix) : -len(suffix)]: int(value)
        for name, value in counted.items()
        if name.startswith(prefix) and name.endswith(suffix) and value
    }


def talk_text(talk: float | None) -> str:
    return "no sound" if talk is None else f"talk {talk:.0%}"


@dataclass(frozen=True, slots=True)
class Peer:
    """The plain stack on the same pictures and sound: CPU milliseconds per session and second."""

    decode: float
    landmarks: float
    objects: float
    voice: float

    @property
    def vision(self) -> float:
        return self.decode + self.landmarks + self.objects

    def __str__(self) -> str:
        return (
            f"decode {self.decode:.0f}, landmarks and blendshapes {self.landmarks:.0f}, objects "
            f"{self.objects:.0f}: {self.vision:.0f} ms CPU per second; voice activity {self.voice:.1f}"
        )

    def total(self, talk: float | None) -> float:
        """Of a session with sound, or without (``None``)."""
        return self.vision + (0.0 if talk is None else self.voice)


def table(rows: list[Figures], peers: dict[str, Peer]) -> str:
    """Markdown: a row per scene, share of talk and number of sessions, with the ratio to the peer."""
    lines = [
        "| scene | sound | sessions | CPU ms per session-second | peer | peer / ours | latency median / 95th / 99th ms | replaced or lost | memory MiB |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        peer = peers.get(row.scene)
        cost = peer.total(row.talk) if peer else None
        lines.append(
            f"| {row.scene} | {talk_text(row.talk)} | {row.sessions} | {row.cpu:.0f} | "
            f"{'' if cost is None else f'{cost:.0f}'} | {'' if cost is None else f'{cost / row.cpu:.2f}'} | "
            f"{row.median:.0f} / {row.p95:.0f} / {row.p99:.0f} | "
            f"{max(row.replaced, row.sent - row.observed) / max(row.sent, 1):.1%} | {row.memory:.0f} |"
        )
    return "\n".join(lines)


def as_json(rows: list[Figures], peers: dict[str, Peer]) -> dict[str, object]:
    """Everything that was measured."""
    return {
        "rows": [asdict(row) for row in rows],
        "peer": {scene: asdict(peer) for scene, peer in peers.items()},
    }
