"""The client side installs without the service: nothing of it may need a model or a codec."""

from __future__ import annotations

import subprocess
import sys

import pytest

SERVER_ONLY = (
    "av", "cv2", "fastapi", "openvino", "prometheus_client", "elftools", "tenacity", "ulid",
    "uvicorn",
)  # fmt: skip
"""What `proctoring-ai[server]` alone brings: import names of the extra's distributions."""

BLOCKED = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
import {module}
"""


@pytest.mark.parametrize("module", ["proctoring.livekit", "proctoring.cli"])
def test_imports_without_anything_of_the_server_extra(module: str) -> None:
    program = BLOCKED.format(names=SERVER_ONLY, module=module)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_block_above_blocks() -> None:
    program = BLOCKED.format(names=SERVER_ONLY, module="openvino")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "No module named 'openvino'" in done.stderr
