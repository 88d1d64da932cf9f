"""``proctoring --version``, and what ``import proctoring`` costs."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest
from typer.testing import CliRunner

import proctoring
from proctoring.cli import app


def test_version_is_the_installed_distributions() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"proctoring {version('proctoring-ai')}\n")
    assert proctoring.__version__ == version("proctoring-ai")


def test_import_loads_nothing_but_the_standard_library() -> None:
    program = "import proctoring, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert {name for name in loaded if name.startswith("proctoring")} == {"proctoring"}, done
    assert not loaded & {
        "numpy",
        "av",
        "cv2",
        "openvino",
        "pydantic",
        "typer",
        "importlib.metadata",
    }


def test_an_attribute_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'analyze'"):
        getattr(proctoring, "analyze")  # noqa: B009
