"""The server's log on the terminal: its own handler only is limited."""

from __future__ import annotations

import io
import logging

import pytest
from rich.console import Console

from proctoring.cli.console_log import log_to


def test_handlers_of_others_get_every_line(caplog: pytest.LogCaptureFixture) -> None:
    log_to(Console(file=io.StringIO()))
    for _ in range(3):
        logging.getLogger("tests").warning("the same fault")
    assert caplog.messages == ["the same fault"] * 3


def test_the_same_fault_is_printed_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    log_to(Console(file=written))
    for _ in range(3):
        logging.getLogger("tests").warning("the same fault")
    assert written.getvalue().count("the same fault") == 1
