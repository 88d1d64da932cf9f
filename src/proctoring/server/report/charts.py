"""The timeline of a report as SVG, for the page and for the PDF."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from proctoring.server.report.content import Content, Panel, clock

WIDTH = 500.0
LEFT = 120.0
ROW = 14.0
MOST_ROWS = 250.0
PANEL = 70.0
AXIS = 20.0
GAP = 20.0
RIGHT = 12.0
POINT = 0.8
SHORTEST = 1.2
"""Sizes in points (1/72 inch). All rows and plots together must fit on one A4 page."""

SEVERITY_COLOURS = {"violation": "#b3261e", "warning": "#b87a00", "info": "#2456c7"}
LINE_COLOURS = ("#2456c7", "#b3261e", "#17692f")
GREY, PALE = "#7b8494", "#d5d9e0"


def timeline(content: Content) -> str:
    """Incidents as bars, one row per label, above plots of the measurements: an ``svg`` element."""
    labels = list(dict.fromkeys(incident.label for incident in content.detail.incidents))
    row_height = min(ROW, MOST_ROWS / max(1, len(labels)))
    height = len(labels) * row_height + AXIS + len(content.panels) * (PANEL + GAP) + 8
    parts = list(_bars(content, labels, row_height))
    top = 4 + len(labels) * row_height
    parts += _axis(content, top)
    top += AXIS
    for panel in content.panels:
        parts += _panel(content, panel, top + GAP)
        top += PANEL + GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:.1f}" '
        f'width="{WIDTH:g}" height="{height:.1f}" role="img" aria-label="Timeline" '
        f'font-family="FiraGO, system-ui, sans-serif">{"".join(parts)}</svg>'
    )


def _x(content: Content, seconds: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * min(1.0, max(0.0, seconds / content.length))


def _bars(content: Content, labels: list[str], row_height: float) -> Iterator[str]:
    for incident in content.detail.incidents:
        top = 4 + labels.index(incident.label) * row_height + 2
        left = _x(content, incident.started_at)
        end = content.length if incident.is_open else incident.started_at + incident.duration
        wide = max(SHORTEST, _x(content, end) - left)
        colour = SEVERITY_COLOURS.get(incident.severity, GREY)
        yield _rect(left, top, wide, row_height - 4, fill=colour)
    for row, label in enumerate(labels):
        yield _text(0, 4 + (row + 1) * row_height - 3, label)


def _axis(content: Content, y: float) -> Iterator[str]:
    yield _line(LEFT, y, WIDTH - RIGHT, y, GREY)
    for tenth in range(0, 11, 2):
        seconds = content.length * tenth / 10
        x = _x(content, seconds)
        yield _line(x, y, x, y + 3, GREY)
        yield _text(x, y + 10, clock(seconds), size=6, anchor="middle")


def _panel(content: Content, panel: Panel, top: float) -> Iterator[str]:
    values = [value for _, found in panel.lines for stretch in found for _, value in stretch]
    low, high = min(0.0, *values), max(1.0, *values)

    def y(value: float) -> float:
        return top + PANEL * (high - value) / (high - low)

    yield _rect(LEFT, top, WIDTH - LEFT - RIGHT, PANEL, fill="none", stroke=PALE)
    yield _line(LEFT, y(0), WIDTH - RIGHT, y(0), PALE)
    yield _text(LEFT, top - 3, panel.title)
    for value in (low, high):
        yield _text(LEFT - 4, y(value) + 2, f"{value:.0f}", size=6, anchor="end")
    for number, (name, found) in enumerate(panel.lines):
        colour = LINE_COLOURS[number % len(LINE_COLOURS)]
        yield _text(0, top + 10 + 9 * number, name.replace("_", " "), colour=colour)
        for stretch in found:
            points = [(_x(content, at), y(value)) for at, value in stretch]
            if len(points) == 1:  # a single point would be an invisible line
                points.append((points[0][0] + POINT, points[0][1]))
            drawn = " ".join(f"{x:.1f},{at:.1f}" for x, at in points)
            yield f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="0.6"/>'


def _rect(x: float, y: float, wide: float, high: float, *, fill: str, stroke: str = "none") -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" '
        f'fill="{fill}" stroke="{stroke}" stroke-width="0.5"/>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, stroke: str) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
        f'stroke="{stroke}" stroke-width="0.5"/>'
    )


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: float = 7,
    anchor: str = "start",
    colour: str = "#171a21",
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor="{anchor}" '
        f'fill="{colour}">{escape(text)}</text>'
    )
