"""A Ray cluster of two machines (two raylets on this one), one of whose processes or machines is killed.

Ray is in no development environment, so this skips, unless:
``uv run --with 'ray>=2.60' pytest -n0 -m e2e tests/batch/test_ray.py``. Ray gives its daemons 30 s to start, which
a machine that is very busy may exceed.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.batch.made import OPTIONS
from tests.batch.test_processes import analysed, folder, reports, weights

from proctoring.batch.messages import Request
from proctoring.batch.ray_actors import RayActors
from proctoring.batch.results import Results
from proctoring.batch.run import Run
from proctoring.batch.sources import find_sources
from proctoring.errors import SettingsError
from proctoring.recording.models import RecordingModels

__all__ = ["folder", "weights"]  # fixtures

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(1800),
    pytest.mark.filterwarnings("default"),  # Ray's own
]


@pytest.fixture
def cluster() -> Iterator[str]:
    """The address of a cluster of two machines with one core each."""
    os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"  # before the import
    ray = pytest.importorskip("ray", reason="ray is not installed")
    from ray.cluster_utils import Cluster

    found: Any = Cluster()
    found.add_node(num_cpus=0, object_store_memory=100 << 20)
    for _ in range(2):
        found.add_node(num_cpus=1, object_store_memory=100 << 20)
    yield found.address
    ray.shutdown()
    found.shutdown()


class Murdered(RayActors):
    """Something is killed as soon as the first actor has been asked to analyse."""

    def __init__(self, address: str, kill: Callable[[int], None]) -> None:
        super().__init__(OPTIONS, address, None)
        self._kill: Callable[[int], None] | None = kill

    def ask(self, worker: int, request: Request, *arguments: str) -> None:
        super().ask(worker, request, *arguments)
        if request == "analyse" and self._kill is not None:
            self._kill(self._loaded[worker].process)
            self._kill = None


def kill_process(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def kill_node(pid: int) -> None:
    """The raylet and everything that it has started."""
    raylet = next(one for one in psutil.Process(pid).parents() if one.name() == "raylet")
    for process in (raylet, *raylet.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            process.kill()


@pytest.mark.parametrize("kill", [kill_process, kill_node])
def test_a_process_or_a_machine_that_is_killed_loses_and_doubles_nothing(
    cluster: str,
    folder: Path,
    tmp_path: Path,
    recording_models: RecordingModels,
    kill: Callable[[int], None],
) -> None:
    output = tmp_path / "out"
    output.mkdir()
    workers = Murdered(cluster, kill)
    assert workers.limit == 2
    try:
        with Results(output, OPTIONS) as results:
            listed = results.index.list(find_sources(str(folder), output))
            totals = Run(results, workers, listed).run()
            assert {line.findings.outcome for line in results.index.lines()} == {"complete"}
    finally:
        workers.close()
    assert totals.retried >= 1
    assert (totals.failed, totals.done) == (0, 4)
    assert reports(output) == analysed(folder, recording_models)


def test_a_cluster_that_is_not_there_is_an_error() -> None:
    pytest.importorskip("ray", reason="ray is not installed")
    with pytest.raises(SettingsError, match=r"Ray at 127\.0\.0\.1:1"):
        RayActors(OPTIONS, "127.0.0.1:1", 1)
