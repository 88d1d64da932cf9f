"""The report as a printable page."""

from __future__ import annotations

from base64 import b64encode

from markupsafe import Markup

from proctoring.page_template import page_template
from proctoring.server.report.charts import timeline
from proctoring.server.report.content import Content
from proctoring.server.report.document import document, still_name


def report_html(content: Content) -> str:
    """One page without scripts or other files."""
    pictures = {
        still_name(one): b64encode(still.jpeg).decode()
        for one in content.detail.incidents
        if (still := content.stills.get(one.id)) is not None and still.jpeg
    }
    chart = Markup(timeline(content))  # noqa: S704  (made of numbers and our own labels)
    return page_template("proctoring.server.report", "report.html").render(
        report=document(content), chart=chart, pictures=pictures
    )
