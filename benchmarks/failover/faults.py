"""The faults, one function each: what is done to a cluster while candidates are watched, and what is seen."""

from __future__ import annotations

import asyncio
import random
import signal
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx
from sqlalchemy import select, text

from benchmarks.failover.checks import problems, sittings
from benchmarks.failover.database import Database
from benchmarks.failover.people import Person
from benchmarks.failover.servers import SETTLED, Server
from proctoring.records.database import connect, parse_url, reading
from proctoring.records.tables import EventRow, ServerRow, SittingRow

PATIENCE = 90.0
"""Seconds for which anything is waited for: a machine may be busy. What is measured is printed."""


@dataclass
class Scene:
    """A cluster, its database, and the sessions of one fault."""

    database: Database
    folder: Path
    servers: list[Server]
    people: dict[str, Person] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    """What was seen, to be printed."""

    @property
    def ports(self) -> list[int]:
        """Of all servers."""
        return [server.port for server in self.servers]

    async def sit(self, name: str, *, pause: float = 0.05, patience: float = 60.0) -> Person:
        """A candidate begins; returns when an event was heard."""
        person = self.people[name] = Person(name, self.ports, pause=pause, patience=patience)
        person.start()
        await until(lambda: bool(person.heard.texts), "no event came")
        return person

    async def leave(self) -> list[str]:
        """All leave. Returns what is wrong with what they heard and with the records."""
        for person in self.people.values():
            await person.stop()
        heard = {name: person.heard for name, person in self.people.items()}
        return await asyncio.to_thread(problems, self.database, self.folder, heard)

    async def owner(self, session_id: str) -> Server:
        """The server that owns the open sitting of a session."""
        found: list[Server] = []

        async def look() -> bool:
            address = await asyncio.to_thread(self._owner_address, session_id)
            found[:] = [server for server in self.servers if server.address == address]
            return bool(found)

        await until(look, "no server owns the session")
        return found[0]

    def _owner_address(self, session_id: str) -> str | None:
        engine = connect(parse_url(self.database.url()))
        with reading(engine) as connection:
            query = (
                select(ServerRow.address)
                .join(SittingRow, SittingRow.server_id == ServerRow.id)
                .where(SittingRow.session_id == session_id, SittingRow.state == "open")
            )
            address = connection.execute(query).scalar()
        engine.dispose()
        return address

    async def again(self, session_id: str, fault: float, wall: datetime) -> float:
        """Seconds from a fault until the candidate's listener hears an event that arose after it."""
        person = self.people[session_id]
        times: list[float] = []

        async def look() -> bool:
            seq = await asyncio.to_thread(self._first_after, session_id, wall)
            if seq is not None and seq in person.heard.times:
                times.append(person.heard.times[seq])
            return bool(times)

        await until(look, "the session does not go on")
        return times[0] - fault

    def _first_after(self, session_id: str, wall: datetime) -> int | None:
        engine = connect(parse_url(self.database.url()))
        with reading(engine) as connection:
            query = (
                select(EventRow.seq)
                .where(EventRow.session_id == session_id, EventRow.created_at > wall)
                .order_by(EventRow.seq)
                .limit(1)
            )
            seq = connection.execute(query).scalar()
        engine.dispose()
        return seq


async def until(condition: Callable[[], bool | Awaitable[bool]], otherwise: str) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + PATIENCE
    while True:
        found = condition()
        if await found if isinstance(found, Awaitable) else found:
            return
        assert time.monotonic() < end, otherwise
        await asyncio.sleep(0.05)


async def killed(scene: Scene, times: int = 50) -> list[float]:
    """kill -9 of the owner, again and again, under events."""
    person = await scene.sit("killed")
    took = []
    for _ in range(times):
        owner = await scene.owner("killed")
        await asyncio.sleep(random.uniform(0, 0.5))
        wall, at = datetime.now(UTC), time.monotonic()
        await asyncio.to_thread(owner.kill)
        took.append(await scene.again("killed", at, wall))
        await asyncio.to_thread(owner.start)
        await asyncio.sleep(0 if times < 3 else SETTLED)
    assert not person.heard.problems, person.heard.problems
    scene.lines.append(f"analysed again elsewhere after {summary(took)}")
    return took


async def stopped(scene: Scene, *, seconds: float = 15.0, inside: bool = False) -> float:
    """SIGSTOP of the owner, and SIGCONT; ``inside``: while it has a transaction open."""
    name = "stopped-inside" if inside else "stopped"
    person = await scene.sit(name, pause=0.002 if inside else 0.05, patience=1.0)
    owner = await scene.owner(name)
    if inside:
        await _stop_within_transaction(scene, owner)
    else:
        owner.signal(signal.SIGSTOP)
    wall, at = datetime.now(UTC), time.monotonic()
    await until(partial(_has_moved, scene, name), "nobody takes it over")
    moved = time.monotonic() - at
    took = await scene.again(name, at, wall)
    await asyncio.sleep(max(0.0, seconds - (time.monotonic() - at)))
    fenced = time.monotonic()
    owner.signal(signal.SIGCONT)
    await until(partial(_shows, owner, "proctoring_sessions", 0), "it keeps its session")
    fenced_writes = await asyncio.to_thread(owner.metric, "proctoring_fenced_writes_total")
    scene.lines.append(
        f"taken over after {moved:.2f} s, told after {took:.2f} s; the old owner let go {time.monotonic() - fenced:.2f} s "
        f"after it went on, {fenced_writes:.0f} entries fenced"
    )
    await asyncio.sleep(1.0)
    assert not person.heard.problems, person.heard.problems
    return took


async def _has_moved(scene: Scene, name: str) -> bool:
    return (await asyncio.to_thread(sittings, scene.database, name))[-1][1] > 1


async def _shows(server: Server, metric: str, value: float) -> bool:
    return await asyncio.to_thread(server.metric, metric) == value


async def _stop_within_transaction(scene: Scene, owner: Server) -> None:
    """Stop the owner until the database shows a transaction of it that waits for it."""
    idle = text(
        "select count(*) from pg_stat_activity where state = 'idle in transaction' "
        "and (query ilike '%for no key update%' or query ilike 'insert into events%')"
    )
    engine = connect(parse_url(scene.database.url()))

    def is_inside() -> bool:
        with engine.connect() as connection:
            return bool(connection.execute(idle).scalar())

    for _ in range(2000):
        owner.signal(signal.SIGSTOP)
        await asyncio.sleep(0.05)  # what it asked for is answered
        if await asyncio.to_thread(is_inside):
            break
        owner.signal(signal.SIGCONT)
        await asyncio.sleep(random.uniform(0, 0.02))
    else:
        raise AssertionError("it was never stopped within a transaction")
    engine.dispose()
    scene.lines.append("stopped within an open transaction")


async def drained(scene: Scene, times: int = 3) -> list[float]:
    """SIGTERM of the owner, and its start again: a rolling restart."""
    person = await scene.sit("drained")
    took = []
    for _ in range(times):
        owner = await scene.owner("drained")
        before = len(person.heard.closes)
        owner.signal(signal.SIGTERM)
        await until(partial(_closed_since, person, before), "it does not stop")
        closed = person.heard.closes[before][2]
        took.append(await scene.again("drained", closed, datetime.now(UTC)))
        await asyncio.to_thread(owner.join)
        await asyncio.to_thread(owner.start)
        await asyncio.sleep(SETTLED)
    lost = sum('"Connection Lost"' in text for text in person.heard.texts.values())
    scene.lines.append(f"told elsewhere {summary(took)} after the sockets closed; {lost} lost")
    assert not lost, f"{lost} times Connection Lost"
    return took


def _closed_since(person: Person, before: int) -> bool:
    return len(person.heard.closes) > before


async def cut(scene: Scene, how: str) -> float:
    """The owner is cut from the database: ``silence`` or ``reset``."""
    name = f"cut-{how}"
    await scene.sit(name)
    owner = await scene.owner(name)
    wall, at = datetime.now(UTC), time.monotonic()
    getattr(owner.database, how)()
    # Events of the old owner that arose after the cut are never told; the first that is told is new.
    took = await scene.again(name, at, wall)
    await until(partial(_shows, owner, "proctoring_suspended", 1), "it is not suspended")
    owner.database.heal()
    await until(partial(_shows, owner, "proctoring_suspended", 0), "it stays suspended")
    scene.lines.append(f"moved within {took:.2f} s")
    return took


async def all_cut(scene: Scene, how: str, seconds: float = 30.0) -> float:
    """All are cut from the database for a while; or (``restart``) it is restarted."""
    name = f"all-{how}"
    person = await scene.sit(name)
    before = await asyncio.to_thread(sittings, scene.database, name)
    closes = len(person.heard.closes)
    if how == "restart":
        await asyncio.to_thread(scene.database.stop, "immediate")
        await asyncio.sleep(seconds)
        await asyncio.to_thread(scene.database.start)
    else:
        for server in scene.servers:
            getattr(server.database, how)()
        await asyncio.sleep(seconds)
        for server in scene.servers:
            server.database.heal()
    wall, at = datetime.now(UTC), time.monotonic()
    took = await scene.again(name, at, wall)
    after = await asyncio.to_thread(sittings, scene.database, name)
    closed = person.heard.closes[closes:]
    scene.lines.append(
        f"away for {seconds:.0f} s: {len(closed)} sockets closed, "
        f"{'no takeover' if before == after else 'TAKEN OVER'}, told {took:.2f} s after its return"
    )
    assert not closed, closed
    assert before == after, (before, after)
    return took


async def added(scene: Scene) -> None:
    """A server is added while a candidate sits."""
    person = await scene.sit("added")
    closes = len(person.heard.closes)
    server = await asyncio.to_thread(Server, scene.database, scene.folder)
    scene.servers.append(server)
    await asyncio.sleep(SETTLED)
    scene.lines.append(f"{len(person.heard.closes) - closes} sockets closed")
    assert len(person.heard.closes) == closes


async def begun_twice(scene: Scene, times: int = 1000, at_once: int = 8) -> None:
    """Two servers begin one name at the same moment, again and again."""
    first, second = scene.servers[:2]
    limits = httpx.Limits(max_connections=4 * at_once)
    async with httpx.AsyncClient(timeout=PATIENCE, limits=limits) as http:

        async def begin(server: Server, name: str) -> int:
            answer = await http.post(f"{server.address}/api/sessions", json={"session_id": name})
            return answer.status_code

        async def end(name: str) -> None:
            answer = await http.delete(f"{second.address}/api/sessions/{name}")
            assert answer.status_code == 200, answer.text

        won: dict[str, list[int]] = {}

        async def race(name: str) -> None:
            won[name] = list(await asyncio.gather(begin(first, name), begin(second, name)))
            await end(name)

        gate = asyncio.Semaphore(at_once)

        async def one(number: int) -> None:
            async with gate:
                await race(f"race-{number}")

        await asyncio.gather(*(one(number) for number in range(times)))
    wrong = {name: codes for name, codes in won.items() if codes.count(201) != 1}
    engine = connect(parse_url(scene.database.url()))
    with reading(engine) as connection:
        rows = connection.execute(
            select(SittingRow.session_id).where(SittingRow.session_id.like("race-%"))
        ).all()
    engine.dispose()
    scene.lines.append(
        f"{times} names begun at two servers at once: {len(rows)} sittings, "
        f"{len({row.session_id for row in rows})} names"
    )
    assert not wrong, wrong
    assert len(rows) == len({row.session_id for row in rows}) == times


async def routed_at_random(scene: Scene, seconds: float = 20.0) -> None:
    """Sockets at random servers: most are forwarded. Their delay and processor time, beside direct ones."""
    from benchmarks.failover.forwarding import delays

    scene.lines += await delays(scene, seconds)


def summary(took: Sequence[float]) -> str:
    """Median and longest."""
    return f"median {statistics.median(took):.2f} s, longest {max(took):.2f} s, of {len(took)}"
