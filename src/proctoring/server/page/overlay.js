import { contextOf } from "./element.js";
import { EDGES, IRIS_CENTRES, IRIS_EDGES, NOSE_TIP, OUTLINES } from "./face_mesh.js";
import { drawLabels } from "./labels.js";
import { describeAngles } from "./readings.js";

/** What was seen, drawn over the live picture. */

/**
 * @import { Label, Rectangle } from "./labels.js"
 * @import { Box, Candidate, Face, Objects, Observation, Point } from "./video_socket.js"
 */

/**
 * From pixels of the analysed frame to the canvas; `sign` is -1 where the candidate's left is drawn on the other side.
 *
 * @typedef {{point: (at: Point) => Point, sign: 1 | -1}} Mapping
 */

/** An observation older than this says nothing about the picture shown now. */
const STALE_MS = 1500;
/** Below this the gaze is straight ahead as far as anyone can tell: no arrow. */
const SMALLEST_ARROW_DEGREES = 3;
/** Lengths of the drawn vectors, in widths of the face's box. */
const AXIS_LENGTH = 0.5;
const GAZE_LENGTH = 1.2;
/** The head's axes, each with a colour of its own. */
const AXES = /** @type {const} */ (["left", "up", "forward"]);

// Colours that stand out from skin, hair and rooms, light or dark.
const COLOURS = {
  mesh: "rgb(190 235 255 / 50%)",
  outline: "rgb(120 225 255 / 90%)",
  otherFace: "rgb(255 170 110 / 90%)",
  iris: "#ffe066",
  gaze: "#ffd21f",
  left: "#ff6b6b",
  up: "#69db7c",
  forward: "#74a9ff",
  person: "#74a9ff",
  phone: "#ff6b6b",
  shade: "rgb(0 0 0 / 70%)",
};

/** @param {number} degrees */
const radians = (degrees) => (degrees * Math.PI) / 180;

/**
 * The head's own axes as seen by the camera, without perspective: [x, y] in the picture (y down) of
 * vectors of length one towards the candidate's left, the top of the head, and the nose.
 *
 * @param {{yaw: number, pitch: number, roll: number}} pose in degrees
 */
export function headAxes({ yaw, pitch, roll }) {
  const [sy, cy] = [Math.sin(radians(yaw)), Math.cos(radians(yaw))];
  const [sp, cp] = [Math.sin(radians(pitch)), Math.cos(radians(pitch))];
  const [sr, cr] = [Math.sin(radians(roll)), Math.cos(radians(roll))];
  /**
   * x to the picture's right, y down, z towards the camera; first roll, then pitch, then yaw.
   *
   * @type {(x: number, y: number, z: number) => Point}
   */
  const turn = (x, y, z) => {
    const depth = y * sp + z * cp;
    return [x * cy + depth * sy, y * cp - z * sp];
  };
  return { left: turn(cr, sr, 0), up: turn(sr, -cr, 0), forward: turn(0, 0, 1) };
}

/**
 * Where a look of so many degrees points in the picture (y down); length 1 is 90 degrees. A pitch
 * that could not be read (null) counts as level.
 *
 * @param {{yaw: number, pitch: number | null}} gaze
 * @returns {Point}
 */
export function gazeVector({ yaw, pitch }) {
  const up = radians(pitch ?? 0);
  return [Math.sin(radians(yaw)) * Math.cos(up), -Math.sin(up)];
}

/** Rows of text below a face, in pixels. */
const ROW = 22;

/**
 * Where a label stands that goes into a row below a face.
 *
 * @param {Rectangle} face
 * @param {number} row
 * @returns {Rectangle}
 */
function below(face, row) {
  const bottom = face.bottom + 2 + (row + 1) * ROW;
  return { ...face, top: bottom, bottom };
}

/**
 * A box of the analysed frame on the canvas.
 *
 * @param {Box} box
 * @param {Mapping} toScreen
 * @returns {Rectangle}
 */
function onScreen([left, top, right, bottom], { point }) {
  const [x1, y1] = point([left, top]);
  const [x2, y2] = point([right, bottom]);
  return { left: Math.min(x1, x2), top: y1, right: Math.max(x1, x2), bottom: y2 };
}

export class Overlay {
  #canvas;
  #context;
  /** @type {Observation | null} */
  #observation = null;
  #clearing = 0;
  #pending = false;
  /** Of the frame that is being drawn. @type {Label[]} */
  #labels = [];

  /**
   * What to draw; whether the picture is shown as in a mirror (`mirrored`), and whether it was a
   * mirror image to begin with (`takenMirrored`: the candidate's left is then the picture's left).
   */
  options = { mesh: true, pose: true, boxes: true, mirrored: false, takenMirrored: false };

  /** @param {HTMLCanvasElement} canvas  lies exactly over the video */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = contextOf(canvas);
    new ResizeObserver(() => this.refresh()).observe(canvas);
  }

  /** @param {Observation} observation */
  show(observation) {
    this.#observation = observation;
    clearTimeout(this.#clearing);
    this.#clearing = window.setTimeout(() => this.clear(), STALE_MS);
    this.refresh();
  }

  clear() {
    clearTimeout(this.#clearing);
    this.#observation = null;
    this.refresh();
  }

  /** Draws again before the next repaint. */
  refresh() {
    if (this.#pending) return;
    this.#pending = true;
    requestAnimationFrame(() => {
      this.#pending = false;
      this.#draw();
    });
  }

  #draw() {
    const canvas = this.#canvas;
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * ratio);
    const height = Math.round(canvas.clientHeight * ratio);
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    const context = this.#context;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    const observation = this.#observation;
    if (!observation || !width) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.lineJoin = "round";
    context.lineCap = "round";
    context.font = "600 13px system-ui, 'Liberation Sans', sans-serif";
    const toScreen = this.#mapping(observation, canvas.clientWidth, canvas.clientHeight);

    const faces = observation.faces ?? [];
    /** @param {Face} face */
    const isCandidate = (face) => face.track === observation.candidate?.track;
    this.#labels = [];
    for (const face of [...faces].sort((one, other) => Number(isCandidate(other)) - Number(isCandidate(one)))) {
      if (this.options.mesh && face.landmarks) this.#drawFace(face.landmarks, toScreen, isCandidate(face));
      if (this.options.boxes) this.#drawFaceBox(face, toScreen, isCandidate(face));
      if (this.options.pose && isCandidate(face) && observation.candidate) {
        this.#drawPose(face, observation.candidate, toScreen);
      }
    }
    if (this.options.boxes && observation.objects) this.#drawObjects(observation.objects, toScreen);
    const picture = onScreen([0, 0, observation.width, observation.height], toScreen);
    drawLabels(context, this.#labels, picture);
  }

  /**
   * The frame on the canvas, as `object-fit: contain` lays it.
   *
   * @param {{width: number, height: number}} frame  in pixels
   * @param {number} across  width of the canvas
   * @param {number} down  its height
   * @returns {Mapping}
   */
  #mapping({ width, height }, across, down) {
    const scale = Math.min(across / width, down / height);
    const left = (across - width * scale) / 2;
    const top = (down - height * scale) / 2;
    const { mirrored, takenMirrored } = this.options;
    /** @type {(at: Point) => Point} */
    const point = ([x, y]) => [left + (mirrored ? width - x : x) * scale, top + y * scale];
    return { point, sign: mirrored === takenMirrored ? 1 : -1 };
  }

  /**
   * @param {Point[]} landmarks
   * @param {Mapping} toScreen
   * @param {boolean} isCandidate
   */
  #drawFace(landmarks, { point }, isCandidate) {
    const context = this.#context;
    const points = landmarks.map(point);
    /** @type {(index: number | undefined) => Point} */
    const at = (index) => points[index ?? 0] ?? [0, 0];
    context.lineWidth = 0.7;
    context.strokeStyle = COLOURS.mesh;
    context.beginPath();
    for (let edge = 0; edge < EDGES.length; edge += 2) {
      context.moveTo(...at(EDGES[edge]));
      context.lineTo(...at(EDGES[edge + 1]));
    }
    context.stroke();

    context.lineWidth = 1.5;
    context.strokeStyle = isCandidate ? COLOURS.outline : COLOURS.otherFace;
    context.beginPath();
    for (const outline of OUTLINES) {
      outline.forEach((index, position) => {
        if (position === 0) context.moveTo(...at(index));
        else context.lineTo(...at(index));
      });
      context.closePath();
    }
    context.stroke();

    context.strokeStyle = COLOURS.iris;
    context.fillStyle = COLOURS.iris;
    IRIS_CENTRES.forEach((centre, eye) => {
      const [x, y] = at(centre);
      const distances = (IRIS_EDGES[eye] ?? []).map((edge) => Math.hypot(at(edge)[0] - x, at(edge)[1] - y));
      const radius = distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.stroke();
      context.beginPath();
      context.arc(x, y, 1.4, 0, 2 * Math.PI);
      context.fill();
    });
  }

  /**
   * @param {Face} face
   * @param {Mapping} toScreen
   * @param {boolean} isCandidate
   */
  #drawFaceBox({ box, track, presence }, toScreen, isCandidate) {
    const colour = isCandidate ? COLOURS.outline : COLOURS.otherFace;
    const name = isCandidate ? "candidate" : `face ${track}`;
    this.#drawBox(box, `${name} ${presence.toFixed(2)}`, colour, toScreen);
  }

  /**
   * @param {Objects} objects
   * @param {Mapping} toScreen
   */
  #drawObjects({ persons, phones }, toScreen) {
    for (const { box, score } of phones) {
      this.#drawBox(box, `phone ${score.toFixed(2)}`, COLOURS.phone, toScreen);
    }
    for (const { box, score } of persons) {
      this.#drawBox(box, `person ${score.toFixed(2)}`, COLOURS.person, toScreen, [6, 5]);
    }
  }

  /**
   * @param {Box} box
   * @param {string} text
   * @param {string} colour
   * @param {Mapping} toScreen
   * @param {number[]} [dash]
   */
  #drawBox(box, text, colour, toScreen, dash = []) {
    const anchor = onScreen(box, toScreen);
    const context = this.#context;
    context.lineWidth = 2;
    context.strokeStyle = colour;
    context.setLineDash(dash);
    context.strokeRect(anchor.left, anchor.top, anchor.right - anchor.left, anchor.bottom - anchor.top);
    context.setLineDash([]);
    this.#labels.push({ text, colour, anchor });
  }

  /**
   * @param {Face} face
   * @param {Candidate} candidate
   * @param {Mapping} toScreen
   */
  #drawPose({ landmarks, box }, { head, gaze }, toScreen) {
    const { point, sign } = toScreen;
    const [left, top, right, bottom] = box;
    const face = onScreen(box, toScreen);
    const size = face.right - face.left;
    /** @type {Point} */
    const middle = [(left + right) / 2, (top + bottom) / 2];
    if (head) {
      const from = point(landmarks?.[NOSE_TIP] ?? middle);
      const axes = headAxes(head);
      for (const name of AXES) {
        const [dx, dy] = axes[name];
        this.#drawLine(from, [dx * sign, dy], size * AXIS_LENGTH, COLOURS[name]);
      }
    }
    if (gaze) {
      const eyes = landmarks ? IRIS_CENTRES.map((index) => landmarks[index] ?? middle) : [middle];
      const [dx, dy] = gazeVector(gaze);
      const turned = Math.hypot(gaze.yaw, gaze.pitch ?? 0) >= SMALLEST_ARROW_DEGREES;
      for (const eye of turned ? eyes : []) {
        this.#drawArrow(point(eye), [dx * sign, dy], size * GAZE_LENGTH, COLOURS.gaze);
      }
    }
    if (gaze) this.#labels.push({ text: `gaze ${describeAngles(gaze)}`, colour: COLOURS.gaze, anchor: below(face, 0) });
    if (!head) return;
    const text = `head ${describeAngles({ yaw: head.yaw, pitch: head.pitch })}`;
    this.#labels.push({ text, colour: COLOURS.forward, anchor: below(face, 1) });
  }

  /**
   * @param {Point} from
   * @param {Point} direction
   * @param {number} length
   * @param {string} colour
   */
  #drawLine([x, y], [dx, dy], length, colour) {
    const context = this.#context;
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x + dx * length, y + dy * length);
    context.lineWidth = 5;
    context.strokeStyle = COLOURS.shade;
    context.stroke();
    context.lineWidth = 3;
    context.strokeStyle = colour;
    context.stroke();
  }

  /**
   * @param {Point} from
   * @param {Point} direction
   * @param {number} length
   * @param {string} colour
   */
  #drawArrow(from, [dx, dy], length, colour) {
    this.#drawLine(from, [dx, dy], length, colour);
    const [x, y] = [from[0] + dx * length, from[1] + dy * length];
    const angle = Math.atan2(dy, dx);
    const context = this.#context;
    context.fillStyle = colour;
    context.beginPath();
    context.moveTo(x + 9 * Math.cos(angle), y + 9 * Math.sin(angle));
    context.lineTo(x + 7 * Math.cos(angle + 2.2), y + 7 * Math.sin(angle + 2.2));
    context.lineTo(x + 7 * Math.cos(angle - 2.2), y + 7 * Math.sin(angle - 2.2));
    context.fill();
  }
}
