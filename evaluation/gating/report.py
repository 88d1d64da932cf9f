"""What is printed: one recording, and sums of many."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from evaluation.gating.counted import STAGES
from evaluation.gating.differences import Difference, What, deviation, differences
from evaluation.gating.sessions import Result


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both results of one recording in one variant."""

    name: str
    ungated: Result
    gated: Result

    @property
    def differences(self) -> list[Difference]:
        """Of the incidents."""
        return differences(self.ungated.incidents, self.gated.incidents)

    def __str__(self) -> str:
        found = "; ".join(str(one) for one in self.differences) or "same"
        yaw = deviation(self.ungated.looks, self.gated.looks, "yaw")
        head = deviation(self.ungated.looks, self.gated.looks, "head_yaw")
        return (
            f"{self.gated.seconds:.1f} s, {len(self.ungated.incidents)} incidents, {found}; "
            f"gaze apart by up to {yaw.largest:.1f} deg (95%: {yaw.percentile_95:.1f}), "
            f"head {head.largest:.1f} ({head.percentile_95:.1f}); "
            f"landmarks {_share(self, 'landmarks')}, "
            f"CPU {_per_second(self.gated)} of {_per_second(self.ungated)} ms/s"
        )


@dataclass(slots=True)
class Total:
    """Sums over recordings and variants."""

    sessions: int = 0
    seconds: float = 0.0
    incidents: int = 0
    cpu: dict[str, float] = field(default_factory=lambda: {"gated": 0.0, "ungated": 0.0})
    runs: dict[str, Counter[str]] = field(
        default_factory=lambda: {"gated": Counter(), "ungated": Counter()}
    )
    found: Counter[What] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    """Incidents of the ungated sessions, by kind."""
    failures: list[str] = field(default_factory=list)
    """One line for each difference that must not be."""

    def add(self, comparison: Comparison) -> None:
        """Add one recording in one variant."""
        self.sessions += 1
        self.seconds += comparison.gated.seconds
        self.incidents += len(comparison.ungated.incidents)
        self.kinds.update(incident.kind for incident in comparison.ungated.incidents)
        for side in ("gated", "ungated"):
            result: Result = getattr(comparison, side)
            self.cpu[side] += result.cpu
            self.runs[side].update(result.runs)
        for difference in comparison.differences:
            self.found[difference.what] += 1
            if difference.fails:
                self.failures.append(f"{comparison.name}: {difference}")

    def __str__(self) -> str:
        counts = ", ".join(f"{self.found[what]} {what}" for what in What)
        runs = ", ".join(
            f"{name} {_percent(self.runs['gated'][name], self.runs['ungated'][name])}"
            for name in STAGES
        )
        seconds = max(self.seconds, 1e-9)
        cpu = {side: 1e3 * spent / seconds for side, spent in self.cpu.items()}
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(self.kinds.items()))
        return (
            f"{self.sessions} sessions, {self.seconds:.0f} s, {self.incidents} incidents: {counts}. "
            f"Runs of the networks, gated of ungated: {runs}. CPU per second: "
            f"{cpu['gated']:.0f} ms gated, {cpu['ungated']:.0f} ungated. Incidents ungated: {kinds or 'none'}"
        )


def _share(comparison: Comparison, name: str) -> str:
    return _percent(comparison.gated.runs.get(name, 0), comparison.ungated.runs.get(name, 0))


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else f"{part} of 0"


def _per_second(result: Result) -> str:
    return f"{1e3 * result.cpu / max(result.seconds, 1e-9):.0f}"
