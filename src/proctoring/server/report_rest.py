"""REST: the report of a sitting. What it is made with is imported with the first report."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from proctoring.errors import UnknownRecordError
from proctoring.records.evidence.ledger import EvidenceContent
from proctoring.server.authorisation import needs
from proctoring.server.error_answers import errors
from proctoring.server.grant import Scope
from proctoring.server.records_rest import NOT_RECORDED, archive, storage
from proctoring.server.report.content import Content, content

router = APIRouter(
    prefix="/api/records/sittings/{sitting_id}",
    tags=["records"],
    dependencies=[needs(Scope.REVIEW)],
)

POINTS = 1000
"""Points of each curve; more than a printed page resolves."""


@router.get(
    "/report.html", response_class=HTMLResponse, responses=errors(UnknownRecordError, *NOT_RECORDED)
)
def show_report_page(request: Request, sitting_id: str) -> HTMLResponse:
    """The report as one printable HTML page without scripts or other files."""
    from proctoring.server.report.html import report_html

    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
    return HTMLResponse(
        report_html(_content(request, sitting_id)), headers={"content-security-policy": policy}
    )


@router.get(
    "/report.pdf",
    response_class=Response,
    responses={
        200: {"content": {"application/pdf": {}}},
        **errors(UnknownRecordError, *NOT_RECORDED),
    },
)
def download_report_pdf(request: Request, sitting_id: str) -> Response:
    """The report as a PDF."""
    from proctoring.server.report.pdf import report_pdf

    return Response(report_pdf(_content(request, sitting_id)), media_type="application/pdf")


def _content(request: Request, sitting_id: str) -> Content:
    from proctoring.server.report.stills import read_stills

    reader = archive(request).reader
    plot = reader.plot(sitting_id, None, None, POINTS)
    means = {name: curve.mean for name, curve in plot.curves.items()}
    length = max((len(mean) for mean in means.values()), default=0)
    time = [plot.start + number * plot.step for number in range(length)]
    detail = reader.sitting(sitting_id, limit=1)
    found = content(detail, time, means, reader.incidents(sitting_id))

    def read(digest: str) -> EvidenceContent:
        return storage(request).evidence(sitting_id, digest)

    return replace(found, stills=read_stills(found.detail.incidents, read))
