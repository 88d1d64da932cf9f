"""``rest.md``: every route, from the OpenAPI document that the server itself serves."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from proctoring.server.app import create_app
from proctoring.settings import Settings
from tools.reference_pages.markdown import table
from tools.reference_pages.notice import NOTICE

INTRODUCTION = """\
The server describes itself at `/openapi.json`, with every field of every body, and shows that
description at `/docs`. This page lists the routes. The sockets, which OpenAPI cannot describe, are in
[sockets](../integrate/sockets.md) and, for machines, in [asyncapi.yaml](asyncapi.yaml).

An error's body is `{"error": {"code", "detail", "retryable"}}` ([errors](errors.md)). Every route may also answer 400, 401, 403, 413, 422
and 429."""

COMMON = {"400", "401", "403", "413", "422", "429"}


def rest_page() -> str:
    """The page as Markdown."""
    lines = ["# REST", "", NOTICE, "", INTRODUCTION, ""]
    routes: dict[str, list[tuple[str, str, str]]] = {}
    for path, operations in _document()["paths"].items():
        for method, operation in operations.items():
            group = operation.get("tags", ["service"])[0]
            answers = [status for status in operation["responses"] if status not in COMMON]
            routes.setdefault(group, []).append(
                (f"`{method.upper()} {path}`", _text(operation), " ".join(answers))
            )
    for group, rows in sorted(routes.items()):
        lines += [f"## {group.capitalize()}", "", table(("request", "", "answers"), rows), ""]
    return "\n".join(lines)


def _text(operation: dict[str, Any]) -> str:
    return str(operation.get("description") or operation.get("summary") or "")


def _document() -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        data = Path(folder)
        settings = Settings(data_folder=data, models_folder=data, _env_file=None)  # type: ignore[call-arg]
        return create_app(settings).openapi()
