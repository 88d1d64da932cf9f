"""A PostgreSQL server of the benchmark's own, on loopback, which can be restarted."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

TIMEOUT = 120.0


def programs() -> Path | None:
    """Where the newest server's programs are; ``None`` without one."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


class Database:
    """A server that runs; ``port`` stays the same over restarts."""

    def __init__(self, folder: Path) -> None:
        found = programs()
        assert found is not None, "PostgreSQL is not installed (/usr/lib/postgresql)"
        self._programs = found
        self._folder = folder
        self._user = None if os.getuid() else "postgres"  # it refuses to run as root
        if self._user is not None:
            account = pwd.getpwnam(self._user)
            os.chown(folder, account.pw_uid, account.pw_gid)
        self.port = free_port()
        self._data = folder / "data"
        self._call("initdb", "-D", str(self._data), "-U", "tests", "-A", "trust", "--no-sync")
        self.start()

    def url(self, port: int | None = None) -> str:
        """Its address, through another port if one is given."""
        return f"postgresql+psycopg://tests@127.0.0.1:{port or self.port}/postgres"

    def start(self) -> None:
        """Start it; returns when it answers."""
        options = (
            f"-p {self.port} -k {self._folder} -c listen_addresses=127.0.0.1 -c max_connections=200"
        )
        self._call(
            "pg_ctl",
            "-D",
            str(self._data),
            "-l",
            str(self._folder / "log"),
            "-o",
            options,
            "-w",
            "start",
        )

    def stop(self, how: str = "fast") -> None:
        """Stop it; ``immediate`` is like a crash."""
        self._call("pg_ctl", "-D", str(self._data), "-m", how, "-w", "stop")

    def _call(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, *arguments],
            user=self._user,
            cwd=self._folder,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT,
        )


@contextmanager
def running() -> Iterator[Database]:
    """An empty database server; gone at the end."""
    folder = Path(mkdtemp(prefix="proctoring-failover-"))
    try:
        database = Database(folder)
        try:
            yield database
        finally:
            database.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A port of loopback that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port
