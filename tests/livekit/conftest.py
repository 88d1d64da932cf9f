"""A real livekit-server and a real server of ours, each a process that can be killed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.livekit.processes import LiveKit, Proctoring, livekit_binary

from proctoring.models.store import ModelStore


@pytest.fixture(scope="session")
def livekit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKit]:
    """A livekit-server on loopback; skips where there is none to start."""
    binary = livekit_binary()
    if binary is None:
        pytest.skip(
            "livekit-server is absent: go install "
            "github.com/livekit/livekit-server/cmd/server@v1.13.5, or name the binary in "
            "PROCTORING_LIVEKIT_SERVER"
        )
    server = LiveKit(binary, tmp_path_factory.mktemp("livekit"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def proctoring(
    tmp_path_factory: pytest.TempPathFactory, model_store: ModelStore
) -> Iterator[Proctoring]:
    """Our own server with the real models."""
    mirror = {"PROCTORING_MODELS_MIRROR": str(model_store.mirror)} if model_store.mirror else {}
    server = Proctoring(tmp_path_factory.mktemp("proctoring"), **mirror)
    server.start()
    yield server
    server.stop()
