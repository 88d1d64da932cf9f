import { clock } from "./elements.js";
import { isOpen } from "./records_api.js";

/**
 * @import { RecordedIncident, Signals } from "./records_api.js"
 */

/**
 * An element with a chart, and the chart library, which a script of the page brings.
 *
 * @typedef {HTMLElement & {
 *   on: (event: "plotly_click", listener: (clicked: {points: {customdata?: string[]}[]}) => void) => void,
 *   removeAllListeners?: (event: string) => void,
 * }} Chart
 * @typedef {{
 *   react: (place: HTMLElement, traces: object[], layout: object, options: object) => Promise<unknown>,
 *   relayout: (place: HTMLElement, changes: object) => Promise<unknown>,
 * }} PlotlyLibrary
 */
const plotly = () => /** @type {{Plotly: PlotlyLibrary}} */ (/** @type {unknown} */ (globalThis)).Plotly;

/**
 * A plot of signals: `lines` by name of the signal, `step` where values hold until the next.
 *
 * @typedef {{title: string, lines: Record<string, string>, step?: boolean, range?: [number, number]}} Panel
 */

/** One plot under another, over one axis of time. @type {Panel[]} */
const PANELS = [
  { title: "Gaze (degrees)", lines: { gaze_yaw: "to the left", gaze_pitch: "up" } },
  { title: "Head (degrees)", lines: { head_yaw: "to the left", head_pitch: "up" } },
  { title: "In the picture", lines: { faces: "faces", persons: "persons", phone: "phone (score)" }, step: true },
  { title: "Signs of life", lines: { liveness: "liveness", distance: "distance of faces" }, range: [0, 1.05] },
  { title: "Sound", lines: { speech: "speech (share)", voices: "voices", other_voice: "another voice" }, step: true },
];
const SEVERITIES = ["violation", "warning", "info"];
/** Share of the chart's height that incidents take. */
const BAR_SHARE = 0.16;
/** Space between two panels, as a share of the chart's height. */
const GAP = 0.035;
/** Length of the shortest bar, in seconds: something that lasted a moment must still be visible. */
const SHORTEST_BAR = 0.4;
/** Seconds shown on each side of a chosen incident, at least. */
const LEAST_AROUND = 10;
/** The lines of a panel, in their order; told apart without colour, too. */
const LINES = [
  { colour: "accent", dash: "solid", sign: "\u2014" },
  { colour: "violation", dash: "dash", sign: "- -" },
  { colour: "good", dash: "dot", sign: "\u00b7\u00b7\u00b7" },
];
/** Pixels below which labels are cut to their first words. */
const NARROW = 600;

/** @param {string} name */
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/**
 * The panels of which anything was measured.
 *
 * @param {Signals["curves"]} curves
 */
export function panelsOf(curves) {
  return PANELS.map((panel) => ({
    ...panel,
    lines: Object.entries(panel.lines).filter(([name]) => curves[name]?.mean.some((value) => value !== null)),
  })).filter((panel) => panel.lines.length);
}

/**
 * @param {RecordedIncident[]} incidents
 * @param {number} end  of what was measured, seconds: an open incident reaches to it
 */
function incidentBars(incidents, end) {
  /** @param {RecordedIncident} incident */
  const length = (incident) => (isOpen(incident) ? Math.max(end - incident.started_at, 0) : incident.duration);
  const kinds = [...new Set(incidents.map((incident) => incident.label))];
  return SEVERITIES.map((severity) => {
    const found = incidents.filter((incident) => incident.severity === severity);
    return {
      type: "bar",
      orientation: "h",
      name: severity,
      base: found.map((incident) => incident.started_at),
      x: found.map((incident) => Math.max(length(incident), SHORTEST_BAR)),
      y: found.map((incident) => kinds.indexOf(incident.label)),
      width: 0.7,
      customdata: found.map((incident) => [incident.id, incident.label, clock(incident.started_at), incident.reason]),
      hovertemplate: "<b>%{customdata[1]}</b> at %{customdata[2]}<br>%{customdata[3]}<extra></extra>",
      marker: { color: colour(severity) },
      yaxis: "y",
    };
  });
}

/**
 * Whether a value stands between two that are missing: a line would not show it.
 *
 * @param {(number | null)[]} values
 */
const hasLonePoints = (values) =>
  values.some((value, at) => value !== null && (values[at - 1] ?? null) === null && (values[at + 1] ?? null) === null);

/**
 * Draws incidents over what was measured.
 *
 * @param {HTMLElement} place
 * @param {RecordedIncident[]} incidents
 * @param {Signals} signals
 * @param {(id: string) => void} onIncident  an incident was chosen
 */
export async function drawTimeline(place, incidents, signals, onIncident) {
  const panels = panelsOf(signals.curves);
  const times = Object.values(signals.curves)[0]?.mean.map((_, index) => signals.start + index * signals.step) ?? [];
  const kinds = [...new Set(incidents.map((incident) => incident.label))];
  const share = panels.length ? (1 - BAR_SHARE) / panels.length : 0;
  /** @type {object[]} */
  const traces = incidentBars(incidents, signals.start + times.length * signals.step);
  const narrow = place.clientWidth < NARROW;
  const left = narrow ? 116 : 190;
  const height = 140 + 24 * kinds.length + 120 * panels.length;
  // The library fits the chart into its place whenever the window changes.
  place.style.height = `${height}px`;
  const grid = { gridcolor: colour("line"), zerolinecolor: colour("control-line") };
  /** @type {{annotations: object[], [axis: string]: unknown}} */
  const layout = {
    height,
    margin: { l: left, r: 10, t: 10, b: 40 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: colour("text"), size: narrow ? 10 : 12 },
    barmode: "overlay",
    hovermode: "closest",
    showlegend: false,
    // The same throughout: what a reviewer has zoomed to stays when the chart is drawn again.
    uirevision: "kept",
    dragmode: "zoom",
    // Zooming is in time alone: the plots stay one under another.
    xaxis: {
      ...grid,
      title: { text: "seconds of the session" },
      rangemode: "tozero",
      anchor: panels.length ? `y${panels.length + 1}` : "y",
    },
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
      ...grid,
      domain: [top - share + GAP, top],
      fixedrange: true,
      rangemode: "tozero",
      range: panel.range,
    };
    layout.annotations.push({
      text: panel.title,
      xref: "paper",
      yref: "paper",
      x: 0,
      y: top,
      xanchor: "left",
      yanchor: "bottom",
      showarrow: false,
      font: { size: 12 },
    });
    for (const [number, [name, title]] of panel.lines.entries()) {
      const line = LINES[number];
      const mean = signals.curves[name]?.mean;
      if (!line || !mean) continue;
      layout.annotations.push({
        text: `${line.sign} ${title}`,
        xref: "paper",
        yref: "paper",
        x: 0,
        xshift: -left,
        y: top,
        yshift: -16 * number,
        xanchor: "left",
        yanchor: "top",
        showarrow: false,
        font: { size: narrow ? 10 : 12, color: colour(line.colour) },
      });
      traces.push({
        type: "scatter",
        mode: hasLonePoints(mean) ? "lines+markers" : "lines",
        marker: { size: 4 },
        name: title,
        x: times,
        y: mean,
        line: {
          color: colour(line.colour),
          dash: line.dash,
          width: 1.4,
          shape: panel.step ? "hv" : "linear",
        },
        connectgaps: false,
        yaxis: axis,
        hovertemplate: `%{y:.2f} ${title} at %{x:.1f} s<extra></extra>`,
      });
    }
  });
  const options = { displayModeBar: false, responsive: true };
  await plotly().react(place, traces, layout, options);
  const chart = /** @type {Chart} */ (place);
  chart.removeAllListeners?.("plotly_click");
  chart.on("plotly_click", ({ points }) => {
    const id = points[0]?.customdata?.[0];
    if (id) onIncident(id);
  });
}

/**
 * Shows a stretch of time around an incident.
 *
 * @param {HTMLElement} place
 * @param {RecordedIncident} incident
 */
export function zoomTo(place, incident) {
  const around = Math.max(LEAST_AROUND, incident.duration);
  void plotly().relayout(place, {
    "xaxis.range": [Math.max(0, incident.started_at - around), incident.started_at + incident.duration + around],
  });
}
