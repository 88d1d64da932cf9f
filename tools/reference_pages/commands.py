"""``commands.md``: the ``proctoring`` command, from Typer's own description."""

from __future__ import annotations

import typer
import typer.main
from typer.cli import get_docs_for_click

from proctoring.cli import app
from tools.reference_pages.notice import NOTICE


def commands_page() -> str:
    """The page as Markdown."""
    command = typer.main.get_command(app)
    context = typer.Context(command, info_name="proctoring")
    text = get_docs_for_click(obj=command, ctx=context, name="proctoring", title="Commands")
    heading, _, rest = text.strip().partition("\n")
    return f"{heading}\n\n{NOTICE}\n{rest}\n"
