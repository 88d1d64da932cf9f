"""The report as a printable page."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from proctoring.server.report.charts import as_svg, timeline
from proctoring.server.report.content import Content, clock, consent_text, left_out_text


def report_html(content: Content) -> str:
    """One page without scripts or other files."""
    chart = Markup(as_svg(timeline(content)))  # noqa: S704  (made of numbers and our own labels)
    return _template().render(
        sitting=content.detail.sitting,
        detail=content.detail,
        sums=content.sums,
        chart=chart,
        left_out=left_out_text(content),
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("proctoring.server.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"clock": clock, "consent": consent_text}
    return environment.get_template("report.html")
