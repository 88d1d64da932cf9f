"""What many sessions at once would need, computed from the figures that were measured: ``python -m tools.scale``.

Every figure is read from ``docs/benchmarks.md``, by the words of its row, so the plan follows it. What was not measured is an
assumption (``Assumptions``), with an option of the command, and is said to be one.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass, fields
from math import ceil, floor
from pathlib import Path

from tools.reference_pages.markdown import table
from tools.reference_pages.notice import NOTICE

BENCHMARKS = Path(__file__).parents[1] / "docs" / "benchmarks.md"


@dataclass(frozen=True)
class Measured:
    """Figures of ``docs/benchmarks.md``; ``_MEANINGS`` says what they are."""

    sessions_per_core: float
    cpu_ms: float
    server_mib: float
    session_mib: float
    frame_kib: float
    signals_mb: float
    curves_mb: float
    transactions: float


_PATTERNS = {
    "sessions_per_core": r"it is (\w+) at the full rate",
    "cpu_ms": r"\| \*\*\d+\*\*[^|]*\| (\d+) \|",
    "server_mib": r"Resident memory with a session \d+ to (\d+) MiB",
    "session_mib": r"\*\*([\d.]+) MiB for each of the 20\*\*",
    "frame_kib": r"ten JPEGs a second, about (\d+) KiB",
    "signals_mb": r"([\d.]+) MB of signals and [\d.]+ MB of curves an hour",
    "curves_mb": r"[\d.]+ MB of signals and ([\d.]+) MB of curves an hour",
    "transactions": r"\| 200 events/s offered \|.*\| (\d+) a second written",
}
_WORDS = dict(
    zip(
        ["three", "four", "five", "six", "seven", "eight", "nine", "ten", "twelve", "twenty"],
        ["3", "4", "5", "6", "7", "8", "9", "10", "12", "20"],
        strict=True,
    )
)

_MEANINGS = {
    "sessions_per_core": "sessions that one core carries at the full rate",
    "cpu_ms": "CPU time of a session-second, ms, with as many on a core",
    "server_mib": "memory of a server with one session and sound, MiB",
    "session_mib": "memory of each further session, MiB",
    "frame_kib": "a frame of 640 x 480, KiB; ten a second",
    "signals_mb": "signals stored for an hour of a session, MB",
    "curves_mb": "curves stored for an hour of a session, MB",
    "transactions": "transactions that PostgreSQL wrote in a second, on two shared cores under load",
}


def measured(text: str | None = None) -> Measured:
    """The figures as they are in the documentation.

    Raises:
        ValueError: a row is not found: its words have changed, and so must the pattern.
    """
    text = BENCHMARKS.read_text(encoding="utf-8") if text is None else text
    text = re.sub(r"\s*\n(?=[^|\n])", " ", text)  # paragraphs are wrapped anywhere
    found = {}
    for name, pattern in _PATTERNS.items():
        matches = re.findall(pattern, text)
        if not matches:
            raise ValueError(
                f"{name}: nothing in docs/benchmarks.md is like {pattern!r}; mend it in tools/scale.py"
            )
        # The newest of several rows is the last.
        found[name] = float(_WORDS.get(matches[-1], matches[-1]))
    return Measured(**found)


@dataclass(frozen=True)
class Assumptions:
    """What the figures do not say. Options of the command have these names."""

    sessions: float = 100_000
    """sessions at once"""
    hours: float = 3
    """length of an exam, hours"""
    spare: float = 0.25
    """share of the cores left free: for servers that fail, and for the first 15 s of sessions that begin"""
    cores_per_server: float = 2
    """cores, and workers, of one server"""
    frames: float = 10
    """frames a second that clients send"""
    audio_kib: float = 31.25
    """KiB of sound a second: 16 kHz, 16 bit"""
    sockets: float = 4
    """sockets of a session: video, audio, browser, one listener"""
    events_per_hour: float = 120
    """events of a session in an hour, as in `benchmarks.records day`"""
    segment_seconds: float = 20
    """seconds of signals in one row"""
    state_kib: float = 60
    """KiB of a session's whole snapshot, written every 15 s"""
    hot_kib: float = 8
    """KiB of its hot part, written every 2 s"""
    database_speedup: float = 20
    """times the measured transactions that a database server of its own writes (16 cores, NVMe); not measured"""
    database_use: float = 0.5
    """share of a database's transactions that is planned for"""
    database_cores: float = 16
    """cores of each of two database servers (one in reserve) of a cell"""
    balancer_sockets: float = 40_000
    """sockets of one HAProxy of four cores; not measured"""
    balancer_gbit: float = 8
    """Gbit of media a second through one HAProxy: a card of 10 Gbit/s; not measured"""
    connections_per_server: float = 5
    """database connections of a server"""
    core_hour: float = 0.04
    """price of a core for an hour, dollars: list prices of clouds are 0.03 to 0.05 with 4 GiB"""
    storage_month: float = 0.10
    """price of a GB of the database's disk for a month, dollars"""
    months: float = 6
    """months for which records are kept"""


@dataclass(frozen=True)
class Plan:
    """What that many sessions need. Rates are per second, in all cells together unless said otherwise."""

    sessions_per_server: int
    servers: int
    cores: int
    memory_gib: float
    media_gbit: float
    transactions_per_server: float
    transactions: float
    written_mb: float
    stored_gb: float
    cells: int
    sessions_per_cell: int
    servers_per_cell: int
    balancers: int
    sockets: int
    dollars_an_hour: float
    dollars_stored: float

    @property
    def transactions_per_cell(self) -> float:
        """Of the database of one cell."""
        return self.transactions / self.cells


def plan(figures: Measured, given: Assumptions) -> Plan:
    """What that many sessions need, and in how many cells: each with a database, servers and balancers of its own."""
    on_a_server = max(
        1, floor(figures.sessions_per_core * (1 - given.spare) * given.cores_per_server)
    )
    servers = ceil(given.sessions / on_a_server)
    # A server renews its lease every second and writes the states of its sessions every two, events as they come, and
    # the signals of each session in rows of their own.
    per_server = (
        1 + 1 / 2 + on_a_server * given.events_per_hour / 3600 + on_a_server / given.segment_seconds
    )
    transactions = per_server * servers
    per_database = figures.transactions * given.database_speedup * given.database_use
    cells = ceil(transactions / per_database)
    written = (
        (figures.signals_mb + figures.curves_mb) / 3600
        + given.hot_kib / 1024 / 2
        + given.state_kib / 1024 / 15
    ) * given.sessions
    memory = servers * (figures.server_mib + (on_a_server - 1) * figures.session_mib) / 1024
    media = given.sessions * (figures.frame_kib * given.frames + given.audio_kib) * 1024 * 8 / 1e9
    # One more than carry the load, for one that fails.
    balancers = cells * (
        1
        + ceil(
            max(
                given.sessions * given.sockets / cells / given.balancer_sockets,
                media / cells / given.balancer_gbit,
            )
        )
    )
    cores = servers * given.cores_per_server
    stored = (figures.signals_mb + figures.curves_mb) * given.sessions * given.hours / 1000
    around = balancers * 4 + cells * 2 * given.database_cores
    return Plan(
        sessions_per_server=on_a_server,
        servers=servers,
        cores=ceil(cores),
        memory_gib=memory,
        media_gbit=media,
        transactions_per_server=per_server,
        transactions=transactions,
        written_mb=written,
        stored_gb=stored,
        cells=cells,
        sessions_per_cell=ceil(given.sessions / cells),
        servers_per_cell=ceil(servers / cells),
        balancers=balancers,
        sockets=ceil(given.sessions * given.sockets),
        dollars_an_hour=(cores + around) * given.core_hour,
        dollars_stored=stored * given.storage_month * given.months,
    )


def rows(made: Plan, given: Assumptions) -> list[tuple[str, str]]:
    """The plan in words and numbers."""
    return [
        ("sessions at once", f"{given.sessions:,.0f}"),
        ("servers", f"{made.servers:,}, each with {given.cores_per_server:g} cores and {made.sessions_per_server} sessions"),
        ("cores of servers", f"{made.cores:,}"),
        ("memory of servers", f"{made.memory_gib:,.0f} GiB"),
        ("media received", f"{made.media_gbit:,.0f} Gbit/s"),
        ("sockets", f"{made.sockets:,}"),
        ("transactions", f"{made.transactions:,.0f} a second, {made.transactions_per_server:.2f} of each server"),
        ("bytes written to databases", f"{made.written_mb:,.0f} MB a second"),
        ("cells", f"{made.cells}, each with {made.sessions_per_cell:,} sessions, {made.servers_per_cell:,} servers and {made.transactions_per_cell:,.0f} transactions a second"),
        ("database connections of a cell", f"{made.servers_per_cell * given.connections_per_server:,.0f}: beyond some hundred through PgBouncer, which has not been tried"),
        ("HAProxies", f"{made.balancers}, {given.balancer_gbit:g} Gbit/s each at most, one of each cell in reserve"),
        ("records of an exam", f"{made.stored_gb:,.0f} GB after {given.hours:g} hours"),
        ("computing", f"{made.dollars_an_hour:,.0f} dollars an hour, {100 * made.dollars_an_hour / given.sessions:.2f} cents for a session's hour"),
        ("keeping the records", f"{made.dollars_stored:,.0f} dollars for {given.months:g} months"),
    ]  # fmt: skip


INTRODUCTION = """\
On paper: nothing of this size has been run. The largest that was is one machine of two cores. `uv run python -m tools.scale`
prints this with other assumptions (`--sessions 5000 --spare 0.4`).

A *cell* is a complete installation: a database, servers, balancers. Sessions of one cell know nothing of another's: an exam, or a
university, is assigned to one by its address. Cells grow in number, not in size, and one that fails takes its own sessions with it."""

CONCLUSIONS = """\
What limits, in this order:

1. **Cores.** Analysis is nearly all of the cost, so what saves CPU saves money in proportion ([benchmarks](../benchmarks.md)).
   A session costs twice as much in its first 15 s. If all begin within a minute, a quarter are in them at once: the spare
   cores carry that. If all begin in the same 15 s, all are analysed at half the rate for so long.
2. **Media.** Every frame is a JPEG of its own. The candidates' uplinks and the balancers' network cards carry it: that, not their CPU,
   sets how many HAProxies a cell needs. Fewer frames a second while nothing happens would be the remedy; clients already follow `flow`.
3. **Databases.** Servers' leases and snapshots are most of the transactions, so a cell has fewer, larger servers rather than many
   small ones, and its size follows from what its database writes.

Not in it: evidence (stills and clips, in S3), candidates' downloads, LiveKit's servers, transcription, people."""


def _sources(figures: Measured) -> str:
    values = [
        (f"{getattr(figures, each.name):g}", _MEANINGS[each.name]) for each in fields(figures)
    ]
    return table(("figure", "measured"), values)


def _assumed(given: Assumptions) -> str:
    texts = re.findall(r'^    (\w+): float = .*\n    """(.*)"""', _source(), re.MULTILINE)
    return table(
        ("option", "value", "assumption"),
        [
            (f"`--{name.replace('_', '-')}`", f"{getattr(given, name):g}", text)
            for name, text in texts
        ],
    )


def _source() -> str:
    return Path(__file__).read_text(encoding="utf-8")


def scale_page() -> str:
    """``scale-plan.md``: the plan for 100,000 sessions, with its figures and assumptions."""
    figures, given = measured(), Assumptions()
    made = plan(figures, given)
    return "\n\n".join(
        [
            f"# {given.sessions:,.0f} sessions at once",
            NOTICE,
            INTRODUCTION,
            table(("what", "how much"), rows(made, given)),
            CONCLUSIONS,
            "## Figures",
            "From [benchmarks](../benchmarks.md), where each says how and on what it was measured.",
            _sources(figures),
            "## Assumptions",
            _assumed(given),
        ]
    ) + "\n"  # fmt: skip


def main() -> None:
    """Print the plan."""
    parser = argparse.ArgumentParser(description=__doc__)
    for each in fields(Assumptions):
        parser.add_argument(
            f"--{each.name.replace('_', '-')}", type=float, default=each.default, metavar="N"
        )
    given = Assumptions(**vars(parser.parse_args()))
    made = rows(plan(measured(), given), given)
    width = max(len(what) for what, _ in made)
    print("\n".join(f"{what:{width}}  {how}" for what, how in made))  # noqa: T201


if __name__ == "__main__":
    main()
