"""A PostgreSQL server of the tests' own, on loopback, from the machine's packages."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from tests.ports import free_port

TIMEOUT = 60.0

_IN_MEMORY = Path("/dev/shm")  # noqa: S108
_ROOM = 300 << 20
"""Bytes that a server with one small database at a time may take, generously."""
_UNSAFE = " ".join(
    f"-c {option}=off" for option in ("fsync", "synchronous_commit", "full_page_writes")
)
"""The data need not outlast the machine: a database is made in a tenth of the time."""


def binaries() -> Path | None:
    """Where the newest server's programs are; ``None`` without one."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextmanager
def running() -> Iterator[str]:
    """A server that runs, as an address without a database's name; gone at the end.

    Raises:
        OSError, subprocess.SubprocessError: it could not be started.
    """
    programs = binaries()
    assert programs is not None
    folder = Path(mkdtemp(prefix="proctoring-postgresql-", dir=_fast_place()))
    # The server refuses to run as root.
    user = None if os.getuid() else "postgres"
    if user is not None:
        account = pwd.getpwnam(user)
        os.chown(folder, account.pw_uid, account.pw_gid)
    data = folder / "data"
    port = free_port()

    def call(program: str, *arguments: str) -> None:
        subprocess.run(
            [programs / program, *arguments],
            user=user,
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT,
        )

    try:
        call("initdb", "-D", str(data), "-U", "tests", "-A", "trust", "--no-sync")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 {_UNSAFE}"
        call("pg_ctl", "-D", str(data), "-l", str(folder / "log"), "-o", options, "-w", "start")
        try:
            yield f"postgresql+psycopg://tests@127.0.0.1:{port}"
        finally:
            call("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fast_place() -> Path | None:
    """A folder in memory, where there is one with room; a database has 300 files."""
    if os.access(_IN_MEMORY, os.W_OK) and shutil.disk_usage(_IN_MEMORY).free > _ROOM:
        return _IN_MEMORY
    return None
