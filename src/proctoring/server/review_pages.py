"""The review pages and the chart library that they use."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

from proctoring.server.authorisation import anyone

PAGES = Path(__file__).parent / "page" / "review"

router = APIRouter(include_in_schema=False, dependencies=[anyone])

_PLOTLY_STYLES = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    "'sha256-ji27qzEtxXZW+7dun6UwjHXJ18e6WAin1VvNtkzIE/o='",
)
"""Hashes of Plotly's style elements: an empty one that it fills by script, and a constant one."""

CONTENT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
CHART_CONTENT = CONTENT.replace("style-src 'self'", " ".join(("style-src 'self'", *_PLOTLY_STYLES)))
"""Content security policies of the pages, without and with charts."""


@router.get("/review")
async def wall() -> FileResponse:
    """Open sessions and recorded sittings."""
    return _page("wall.html", CONTENT)


@router.get("/sitting")
async def sitting() -> FileResponse:
    """One sitting; the page's script reads its id from ``?id=``."""
    return _page("sitting.html", CHART_CONTENT)


@router.get("/page/plotly.min.js")
async def plotly() -> FileResponse:
    """The chart library, from the installed Python package."""
    script = files("plotly") / "package_data" / "plotly.min.js"
    headers = {"cache-control": "max-age=86400"}
    return FileResponse(str(script), media_type="text/javascript", headers=headers)


def _page(name: str, content: str) -> FileResponse:
    return FileResponse(PAGES / name, headers={"content-security-policy": content})
