"""The timeline of a report as a drawing, for PDF and, as SVG, for HTML."""

from __future__ import annotations

from reportlab.graphics import renderSVG
from reportlab.graphics.charts.textlabels import Label
from reportlab.graphics.shapes import Drawing, Line, PolyLine, Rect, String
from reportlab.lib import colors

from proctoring.server.report.content import Content, Panel, clock

WIDTH = 500.0
LEFT = 120.0
ROW = 14.0
MOST_ROWS = 250.0
PANEL = 70.0
AXIS = 20.0
GAP = 16.0
RIGHT = 12.0
POINT = 0.8
"""Sizes in points (1/72 inch). All rows and plots together must fit on one A4 page."""

SEVERITY_COLOURS = {
    "violation": colors.HexColor(0xB3261E),
    "warning": colors.HexColor(0xB87A00),
    "info": colors.HexColor(0x2456C7),
}
LINE_COLOURS = (colors.HexColor(0x2456C7), colors.HexColor(0xB3261E), colors.HexColor(0x17692F))


def timeline(content: Content) -> Drawing:
    """Incidents as bars, one row per label, above plots of the measurements."""
    labels = list(dict.fromkeys(incident.label for incident in content.detail.incidents))
    row_height = min(ROW, MOST_ROWS / max(1, len(labels)))
    height = len(labels) * row_height + AXIS + len(content.panels) * (PANEL + GAP) + 8
    drawing = Drawing(WIDTH, height)
    top = height - 4
    for incident in content.detail.incidents:
        bottom = top - (labels.index(incident.label) + 1) * row_height
        left = _x(content, incident.started_at)
        wide = max(1.2, _x(content, incident.started_at + incident.duration) - left)
        colour = SEVERITY_COLOURS.get(incident.severity, colors.grey)
        drawing.add(
            Rect(left, bottom + 2, wide, row_height - 4, fillColor=colour, strokeColor=None)
        )
    for row, label in enumerate(labels):
        drawing.add(_text(0, top - (row + 1) * row_height + 3, label))
    top -= len(labels) * row_height
    _axis(drawing, content, top - 4)
    top -= AXIS
    for panel in content.panels:
        _panel(drawing, content, panel, top - GAP)
        top -= PANEL + GAP
    return drawing


def as_svg(drawing: Drawing) -> str:
    """The drawing as an ``svg`` element to embed in a page."""
    text: str = renderSVG.drawToString(drawing)
    return text[text.index("<svg") :]


def _x(content: Content, seconds: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * min(1.0, max(0.0, seconds / content.length))


def _text(x: float, y: float, text: str, size: float = 7) -> String:
    return String(x, y, text, fontSize=size, fontName="Helvetica")


def _axis(drawing: Drawing, content: Content, y: float) -> None:
    drawing.add(Line(LEFT, y, WIDTH - RIGHT, y, strokeColor=colors.grey, strokeWidth=0.5))
    for tenth in range(0, 11, 2):
        seconds = content.length * tenth / 10
        x = _x(content, seconds)
        drawing.add(Line(x, y, x, y - 3, strokeColor=colors.grey, strokeWidth=0.5))
        label = Label(x=x, y=y - 4, boxAnchor="n", fontSize=6, fontName="Helvetica")
        label.setText(clock(seconds))
        drawing.add(label)


def _panel(drawing: Drawing, content: Content, panel: Panel, top: float) -> None:
    values = [value for _, found in panel.lines for stretch in found for _, value in stretch]
    low, high = min(0.0, *values), max(1.0, *values)
    bottom = top - PANEL

    def y(value: float) -> float:
        return bottom + PANEL * (value - low) / (high - low)

    frame = Rect(LEFT, bottom, WIDTH - LEFT - RIGHT, PANEL, fillColor=None)
    frame.strokeColor, frame.strokeWidth = colors.lightgrey, 0.5
    drawing.add(frame)
    drawing.add(
        Line(LEFT, y(0), WIDTH - RIGHT, y(0), strokeColor=colors.lightgrey, strokeWidth=0.5)
    )
    drawing.add(_text(LEFT, top + 3, panel.title))
    for value in (low, high):
        drawing.add(_text(LEFT - 26, y(value) - 2, f"{value:.0f}", 6))
    for number, (name, found) in enumerate(panel.lines):
        colour = LINE_COLOURS[number % len(LINE_COLOURS)]
        legend = _text(0, top - 10 - 9 * number, name.replace("_", " "))
        legend.fillColor = colour
        drawing.add(legend)
        for stretch in found:
            flat = [each for at, value in stretch for each in (_x(content, at), y(value))]
            if len(stretch) == 1:  # a single point would be an invisible line
                flat += [flat[0] + POINT, flat[1]]
            drawing.add(PolyLine(flat, strokeColor=colour, strokeWidth=0.6))
