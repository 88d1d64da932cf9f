"""The table of servers: leases by the clock of the database, and who owns a session's open sitting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, bindparam, text


class ServerState(StrEnum):
    """What a server does, in its row."""

    STARTING = "starting"
    SERVING = "serving"
    DRAINING = "draining"
    """It lets no session begin, and hands its sessions to others."""
    SUSPENDED = "suspended"
    """It was cut from the database longer than its lease, and has let go of its sessions."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Another server of the cluster."""

    id: str
    address: str
    """``http://10.0.0.7:8000``."""
    state: str
    is_alive: bool
    """Its lease is not over."""
    silent: float
    """Seconds since its last renewal."""


@dataclass(frozen=True, slots=True)
class View:
    """What a renewal found."""

    peers: tuple[Peer, ...]
    owned: dict[str, int]
    """Epoch by id of the open sittings that this process owns."""
    orphans: tuple[str, ...]
    """Session ids of sittings whose owner has been silent for too long, some of them."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The server that owns a session's open sitting."""

    server_id: str
    address: str
    """Empty: it is none of the cluster's servers."""
    is_alive: bool


ORPHANS_AT_ONCE = 200

# The clock is the database's alone. ``clock_timestamp`` goes on within a transaction.
_RENEW = text("""
    update servers set address = :address, state = :state, heartbeat_at = clock_timestamp(),
        lease_until = clock_timestamp() + make_interval(secs => :ttl)
    where id = :id
""")
_ENTER = text("""
    insert into servers (id, started_at, heartbeat_at, address, state, lease_until)
    values (:id, clock_timestamp(), clock_timestamp(), :address, :state,
        clock_timestamp() + make_interval(secs => :ttl))
""")
_PEERS = text("""
    select id, address, state, lease_until > clock_timestamp() as is_alive,
        extract(epoch from clock_timestamp() - lease_until)::float8 + :ttl as silent
    from servers where address <> '' and id <> :id
""")
_OWNED = text("select id, epoch from sittings where server_id = :id and state = 'open'")
_ORPHANS = text("""
    select session_id from sittings where server_id in :ids and state = 'open'
    order by random() limit :most
""").bindparams(bindparam("ids", expanding=True))
_OWNER = text("""
    select sittings.server_id, servers.address,
        servers.lease_until > clock_timestamp() as is_alive
    from sittings left join servers on servers.id = sittings.server_id
    where sittings.session_id = :session_id and sittings.state = 'open'
""")
_OWNERS = text("select id, server_id, epoch from sittings where id in :ids").bindparams(
    bindparam("ids", expanding=True)
)
_ENDED = text("""
    select state = 'ended' and ended_at > clock_timestamp() - make_interval(secs => :seconds)
    from sittings where session_id = :session_id order by started_at desc limit 1
""")
# What a suspended server had, and nobody has taken over: there is no server without an id.
_DISOWN = text("update sittings set server_id = '' where server_id = :id and state = 'open'")
_DISOWN_SOME = text("""
    update sittings set server_id = '' where server_id = :id and state = 'open' and id in :ids
""").bindparams(bindparam("ids", expanding=True))
_LEAVE = text("""
    update servers set lease_until = clock_timestamp(), state = 'draining' where id = :id
""")
_IS_ALIVE = text("""
    select case when address = '' then heartbeat_at > clock_timestamp() - make_interval(secs => :dead)
        else lease_until > clock_timestamp() end
    from servers where id = :id
""")


def renew(
    connection: Connection,
    server_id: str,
    address: str,
    state: ServerState,
    *,
    ttl: float,
    orphan_after: float,
) -> View:
    """Renew a server's lease, in the caller's transaction, and look around."""
    own = {"id": server_id, "address": address, "state": state.value, "ttl": ttl}
    if not connection.execute(_RENEW, own).rowcount:
        connection.execute(_ENTER, own)  # its first, or its row was removed as a dead server's
    peers = tuple(
        Peer(row.id, row.address, row.state, bool(row.is_alive), row.silent)
        for row in connection.execute(_PEERS, {"id": server_id, "ttl": ttl})
    )
    owned = {row.id: row.epoch for row in connection.execute(_OWNED, {"id": server_id})}
    if state is ServerState.SUSPENDED:
        connection.execute(_DISOWN, {"id": server_id})
    dead = ["", *(peer.id for peer in peers if not peer.is_alive and peer.silent >= orphan_after)]
    return View(peers, owned, _orphans(connection, dead))


def find_owner(connection: Connection, session_id: str) -> Owner | None:
    """Who owns the open sitting of a session; ``None`` if there is none."""
    row = connection.execute(_OWNER, {"session_id": session_id}).first()
    return None if row is None else Owner(row.server_id, row.address or "", bool(row.is_alive))


def lost(connection: Connection, server_id: str, sittings: Mapping[str, int]) -> dict[str, int]:
    """Those of the sittings, with the epoch under which a server runs them, that it does not own so."""
    rows = connection.execute(_OWNERS, {"ids": list(sittings)})
    return {
        row.id: sittings[row.id]
        for row in rows
        if (row.server_id, row.epoch) != (server_id, sittings[row.id])
    }


def disown(connection: Connection, server_id: str, sitting_ids: Iterable[str]) -> None:
    """Give up sittings: any server may go on with them."""
    ids = list(sitting_ids)
    connection.execute(_DISOWN_SOME, {"id": server_id, "ids": ids})


def leave(connection: Connection, server_id: str) -> None:
    """Give up a server's lease: what it has left may be taken over at once."""
    connection.execute(_LEAVE, {"id": server_id})


def ended_within(connection: Connection, session_id: str, seconds: float) -> bool:
    """Whether the last sitting of a session has ended, so many seconds ago at most."""
    row = connection.execute(_ENDED, {"session_id": session_id, "seconds": seconds}).first()
    return row is not None and bool(row[0])


def is_alive(connection: Connection, server_id: str, dead_after: float) -> bool:
    """Whether a server's lease is not over; of one that has none, whether it had a heartbeat within
    ``dead_after`` seconds."""
    row = connection.execute(_IS_ALIVE, {"id": server_id, "dead": dead_after}).first()
    return row is not None and bool(row[0])


def _orphans(connection: Connection, dead: Iterable[str]) -> tuple[str, ...]:
    rows = connection.execute(_ORPHANS, {"ids": list(dead), "most": ORPHANS_AT_ONCE})
    return tuple(rows.scalars())
