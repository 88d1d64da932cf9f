"""Servers as processes of their own: started, killed, started again on the same port."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

from livekit import api
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
COMMAND = str(Path(sys.executable).parent / "proctoring")
"""The installed command."""
PROCESS_TIMEOUT = 110.0
"""Seconds for a process to say that it is ready, or to end."""


def livekit_binary() -> str | None:
    """``PROCTORING_LIVEKIT_SERVER``, else livekit-server on the path, else what Go installed."""
    named = os.environ.get("PROCTORING_LIVEKIT_SERVER")
    if named:
        return named
    if found := shutil.which("livekit-server"):
        return found
    go = shutil.which("go")
    if go is None:
        return None
    path = subprocess.run([go, "env", "GOPATH"], capture_output=True, text=True, check=True)
    installed = Path(path.stdout.strip()) / "bin" / "server"
    return str(installed) if installed.is_file() else None


class Process:
    """A server that answers HTTP when it is ready."""

    def __init__(self, command: list[str], ready: str, log: Path, **environment: str) -> None:
        self._command = command
        self._ready = ready
        self._environment = environment
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=subprocess.STDOUT, cwd=ROOT,
                env={**os.environ, **self._environment},
            )  # fmt: skip
        limit = time.monotonic() + PROCESS_TIMEOUT
        while not self._answers():
            assert self._process.poll() is None, f"it ended:\n{self.log.read_text()[-3000:]}"
            assert time.monotonic() < limit, f"it is not ready:\n{self.log.read_text()[-3000:]}"
            time.sleep(0.1)

    def kill(self) -> None:
        """As by a crash: no word to anybody."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """As an operator does. Returns the exit status."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(PROCESS_TIMEOUT)

    def ask_to_stop(self) -> None:
        """SIGTERM, and nothing more."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """Until it ends by itself. Returns the exit status."""
        assert self._process is not None
        return self._process.wait(PROCESS_TIMEOUT)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def _answers(self) -> bool:
        try:
            with urlopen(self._ready, timeout=30) as answer:  # noqa: S310 - our own address
                return b"starting" not in answer.read()
        except OSError:
            return False


class LiveKit(Process):
    """livekit-server, on ports of its own."""

    key = "devkey"
    secret = "a-secret-of-thirty-two-letters-at-least"  # noqa: S105 - made up

    def __init__(self, binary: str, folder: Path) -> None:
        port = free_port()
        self.url = f"ws://127.0.0.1:{port}"
        configuration = (
            f"port: {port}\nbind_addresses: [127.0.0.1]\n"
            f"rtc: {{tcp_port: {free_port()}, udp_port: {free_port(socket.SOCK_DGRAM)}, "
            "use_external_ip: false, node_ip: 127.0.0.1}\n"
            f"keys: {{{self.key}: {self.secret}}}\nlogging: {{level: warn}}\n"
        )
        super().__init__(
            [binary, "--config-body", configuration],
            f"http://127.0.0.1:{port}",
            folder / "livekit.log",
        )

    def token(
        self,
        room: str,
        identity: str,
        *,
        hidden: bool = False,
        own_metadata: bool = False,
        attributes: dict[str, str] | None = None,
    ) -> str:
        """To join a room."""
        grants = api.VideoGrants(
            room_join=True, room=room, hidden=hidden, can_update_own_metadata=own_metadata
        )
        token = api.AccessToken(self.key, self.secret).with_identity(identity).with_grants(grants)
        return token.with_attributes(attributes or {}).to_jwt()


class Proctoring(Process):
    """Our own server, as its users start it."""

    def __init__(self, folder: Path, **environment: str) -> None:
        port = free_port()
        self.http = f"http://127.0.0.1:{port}"
        self.url = f"ws://127.0.0.1:{port}"
        super().__init__(
            [COMMAND, "serve", "--port", str(port)],
            f"{self.http}/api/health",
            folder / "proctoring.log",
            **environment,
        )
