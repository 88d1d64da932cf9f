"""``/docs``: the OpenAPI document in Swagger UI, whose files are served from an installed package, so
that it works without internet access."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

FOLDER = Path(__file__).parent / "viewer"


def add_viewer(app: FastAPI) -> None:
    """Add the routes of the viewer."""
    # The package contains Swagger UI's files; its Python code is not used.
    app.mount("/docs/viewer", StaticFiles(packages=[("fastapi_offline", "static")]))
    app.add_api_route("/docs/start.js", _start, include_in_schema=False)
    app.add_api_route("/docs", _page, include_in_schema=False)


async def _page() -> FileResponse:
    return FileResponse(FOLDER / "index.html")


async def _start() -> FileResponse:
    return FileResponse(FOLDER / "start.js", media_type="text/javascript")
