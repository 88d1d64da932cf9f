"""``/docs``: the interface's description, shown by files that come with a package: nothing is
loaded from elsewhere, so it works where there is no elsewhere."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

FOLDER = Path(__file__).parent / "viewer"


def add_viewer(app: FastAPI) -> None:
    """Serve the viewer."""
    # Swagger UI's own files, as this package carries them; its code is not run.
    app.mount("/docs/viewer", StaticFiles(packages=[("fastapi_offline", "static")]))
    app.add_api_route("/docs/start.js", _start, include_in_schema=False)
    app.add_api_route("/docs", _page, include_in_schema=False)


async def _page() -> FileResponse:
    return FileResponse(FOLDER / "index.html")


async def _start() -> FileResponse:
    return FileResponse(FOLDER / "start.js", media_type="text/javascript")
