/* global Plotly */
import { clock } from "./elements.js";

/** One plot under another, over one axis of time. Names are those of the signals. */
const PANELS = [
  { title: "Gaze (degrees)", lines: { gaze_yaw: "to the left", gaze_pitch: "up" } },
  { title: "Head (degrees)", lines: { head_yaw: "to the left", head_pitch: "up" } },
  { title: "In the picture", lines: { faces: "faces", persons: "persons", phone: "phone (score)" }, step: true },
  { title: "Signs of life", lines: { liveness: "liveness", distance: "distance of faces" }, range: [0, 1.05] },
  { title: "Sound", lines: { speech: "speech (share)", voices: "voices", other_voice: "another voice" }, step: true },
];
const SEVERITIES = ["violation", "warning", "info"];
const BAR_SHARE = 0.16;
const GAP = 0.035;
/** The lines of a panel, in their order; told apart without colour, too. */
const LINES = [
  { colour: "accent", dash: "solid", sign: "\u2014" },
  { colour: "violation", dash: "dash", sign: "- -" },
  { colour: "good", dash: "dot", sign: "\u00b7\u00b7\u00b7" },
];
/** Pixels below which labels are cut to their first words. */
const NARROW = 600;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** The panels of which anything was measured. */
export function panelsOf(curves) {
  return PANELS.map((panel) => ({
    ...panel,
    lines: Object.entries(panel.lines).filter(([name]) => curves[name]?.mean.some((value) => value !== null)),
  })).filter((panel) => panel.lines.length);
}

function incidentBars(incidents) {
  const kinds = [...new Set(incidents.map((incident) => incident.label))];
  return SEVERITIES.map((severity) => {
    const found = incidents.filter((incident) => incident.severity === severity);
    return {
      type: "bar",
      orientation: "h",
      name: severity,
      base: found.map((incident) => incident.started_at),
      // Something that lasted a moment must still be seen.
      x: found.map((incident) => Math.max(incident.duration, 0.4)),
      y: found.map((incident) => kinds.indexOf(incident.label)),
      width: 0.7,
      customdata: found.map((incident) => [incident.id, incident.label, clock(incident.started_at), incident.reason]),
      hovertemplate: "<b>%{customdata[1]}</b> at %{customdata[2]}<br>%{customdata[3]}<extra></extra>",
      marker: { color: colour(severity) },
      yaxis: "y",
    };
  });
}

/** Whether a value stands between two that are missing: a line would not show it. */
const hasLonePoints = (values) =>
  values.some((value, at) => value !== null && (values[at - 1] ?? null) === null && (values[at + 1] ?? null) === null);

/**
 * Draws incidents over what was measured.
 *
 * @param {HTMLElement} place
 * @param {object[]} incidents
 * @param {{start: number, step: number, curves: Record<string, {mean: (number | null)[]}>}} signals
 * @param {(id: string) => void} onIncident  an incident was chosen
 */
export async function drawTimeline(place, incidents, signals, onIncident) {
  const panels = panelsOf(signals.curves);
  const times = Object.values(signals.curves)[0]?.mean.map((_, index) => signals.start + index * signals.step) ?? [];
  const kinds = [...new Set(incidents.map((incident) => incident.label))];
  const share = panels.length ? (1 - BAR_SHARE) / panels.length : 0;
  const traces = incidentBars(incidents);
  const narrow = place.clientWidth < NARROW;
  const left = narrow ? 116 : 190;
  const grid = { gridcolor: colour("line"), zerolinecolor: colour("control-line") };
  const layout = {
    height: 140 + 24 * kinds.length + 120 * panels.length,
    margin: { l: left, r: 10, t: 10, b: 40 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: colour("text"), size: narrow ? 10 : 12 },
    barmode: "overlay",
    hovermode: "closest",
    showlegend: false,
    dragmode: "zoom",
    // Zooming is in time alone: the plots stay one under another.
    xaxis: { ...grid, title: { text: "seconds of the session" }, rangemode: "tozero", anchor: panels.length ? `y${panels.length + 1}` : "y" },
    yaxis: {
      ...grid,
      domain: [panels.length ? 1 - BAR_SHARE : 0, 1],
      tickvals: kinds.map((_, index) => index),
      ticktext: narrow ? kinds.map((kind) => kind.replace(/ (Detected|Suspected)$/, "")) : kinds,
      range: [-0.6, Math.max(0.6, kinds.length - 0.4)],
      fixedrange: true,
    },
    annotations: [],
  };
  panels.forEach((panel, index) => {
    const axis = `y${index + 2}`;
    const top = 1 - BAR_SHARE - share * index - GAP;
    layout[`yaxis${index + 2}`] = {
      ...grid, domain: [top - share + GAP, top], fixedrange: true, rangemode: "tozero", range: panel.range,
    };
    layout.annotations.push({
      text: panel.title, xref: "paper", yref: "paper", x: 0, y: top, xanchor: "left", yanchor: "bottom",
      showarrow: false, font: { size: 12 },
    });
    for (const [number, [name, title]] of panel.lines.entries()) {
      const line = LINES[number];
      layout.annotations.push({
        text: `${line.sign} ${title}`, xref: "paper", yref: "paper", x: 0, xshift: -left, y: top, yshift: -16 * number,
        xanchor: "left", yanchor: "top", showarrow: false, font: { size: narrow ? 10 : 12, color: colour(line.colour) },
      });
      traces.push({
        type: "scatter",
        mode: hasLonePoints(signals.curves[name].mean) ? "lines+markers" : "lines",
        marker: { size: 4 },
        name: title,
        x: times,
        y: signals.curves[name].mean,
        line: {
          color: colour(line.colour), dash: line.dash, width: 1.4, shape: panel.step ? "hv" : "linear",
        },
        connectgaps: false,
        yaxis: axis,
        hovertemplate: `%{y:.2f} ${title} at %{x:.1f} s<extra></extra>`,
      });
    }
  });
  const options = { displayModeBar: false, responsive: true };
  await Plotly.react(place, traces, layout, options);
  place.removeAllListeners?.("plotly_click");
  place.on("plotly_click", ({ points }) => {
    const id = points[0]?.customdata?.[0];
    if (id) onIncident(id);
  });
}

/** Shows a stretch of time around an incident. */
export function zoomTo(place, incident) {
  const around = Math.max(10, incident.duration);
  void Plotly.relayout(place, {
    "xaxis.range": [Math.max(0, incident.started_at - around), incident.started_at + incident.duration + around],
  });
}
