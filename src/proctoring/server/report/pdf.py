"""The report as a PDF: typeset by Typst, which shapes every script, right to left included."""

from __future__ import annotations

import io
import json
from base64 import b64encode
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from typing import Any

import typst
from PIL import Image

from proctoring.server.report.charts import timeline
from proctoring.server.report.content import Content
from proctoring.server.report.document import document, still_name
from proctoring.server.report.fonts import FAMILIES, report_fonts


def report_pdf(content: Content) -> bytes:
    """The PDF's bytes, A4 pages. Text is data of the template, never markup."""
    content_json = {**asdict(document(content)), "families": FAMILIES}
    sources: dict[str, bytes] = {
        "main.typ": _template(),
        "report.json": json.dumps(content_json).encode(),
        "timeline.svg": timeline(content).encode(),
    }
    for incident in content.detail.incidents:
        still = content.stills.get(incident.id)
        if still is not None and still.jpeg:
            sources[f"{still_name(incident)}.svg"] = _picture(still.jpeg)
    compile_: Any = typst.compile  # its types do not know that a dictionary of files is taken
    pdf: bytes = compile_(sources, format="pdf", font_paths=report_fonts())
    return pdf


def _picture(jpeg: bytes) -> bytes:
    """A picture as a text file: the typesetter takes no others, but from a disk, where a decrypted
    piece of evidence does not belong."""
    with Image.open(io.BytesIO(jpeg)) as opened:
        wide, high = opened.size
    data = b64encode(jpeg).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}">'
        f'<image width="{wide}" height="{high}" href="data:image/jpeg;base64,{data}"/></svg>'
    ).encode()


@cache
def _template() -> bytes:
    return files("proctoring.server.report").joinpath("templates", "report.typ").read_bytes()
