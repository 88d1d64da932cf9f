// Sends the camera's frames to a session and shows its alerts. No library, no build step.

const form = /** @type {HTMLFormElement} */ (document.querySelector("form"));
const video = /** @type {HTMLVideoElement} */ (document.querySelector("video"));
const statusLine = /** @type {HTMLElement} */ (document.querySelector("#status"));
const alerts = /** @type {HTMLElement} */ (document.querySelector("#alerts"));

/** Close code of a server that restarts, or hands the session to another: come back at once. */
const MOVED = 1012;
/** For so long attempts to come back follow each other. */
const PATIENCE_MS = 10_000;
let movedAt = Number.NEGATIVE_INFINITY;
/** Number of the last event that was received. */
let lastSeq = 0;

/** Rate and size of frames, until the server says otherwise. */
let flow = { frames_per_second: 10, max_width: 640, max_height: 480 };
/** @type {WebSocket[]} */
let sockets = [];
/** The server's last error; one that closes a socket is the last message on it. @type {{retryable: boolean} | null} */
let lastError = null;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  form.hidden = true;
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: true });
    await video.play();
  } catch (error) {
    finish(`No camera: ${error}`);
    return;
  }
  lastSeq = 0;
  sockets = [openVideo(), openEvents()];
});

/** Send frames. */
function openVideo() {
  const frames = connect("video", openVideo);
  frames.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.flow) flow = message.flow;
    lastError = message.error ?? lastError;
    if (message.error?.retryable === false) statusLine.textContent = message.error.detail;
  };
  frames.onopen = () => {
    statusLine.textContent = "Connected.";
    send(frames);
  };
  return frames;
}

/** Show alerts. */
function openEvents() {
  const events = connect("events", openEvents);
  events.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    lastError = message.error ?? lastError;
    lastSeq = message.seq ?? lastSeq;
    for (const label of message.alerts ?? []) {
      alerts.append(Object.assign(document.createElement("li"), { textContent: label }));
    }
  };
  return events;
}

/**
 * Open one of the session's sockets.
 *
 * @param {"video" | "events"} name
 * @param {() => WebSocket} reopen  opens it again when the session moves
 */
function connect(name, reopen) {
  const [server, session, token] = ["server", "session", "token"].map((id) => String(new FormData(form).get(id)));
  // A browser cannot set headers on a WebSocket: the token is sent as a subprotocol.
  const protocols = token ? ["proctoring", `bearer.${token}`] : [];
  const url = `${server}/ws/proctor/${encodeURIComponent(String(session))}/${name}${lastSeq ? `?after=${lastSeq}` : ""}`;
  const socket = new WebSocket(url, protocols);
  socket.onclose = ({ code, reason }) => {
    if (!sockets.includes(socket)) return;
    if (code === MOVED) movedAt = performance.now();
    if (performance.now() - movedAt < PATIENCE_MS) {
      setTimeout(() => replace(socket, reopen), Math.random() * 150);
      return;
    }
    finish(
      code === 1006
        ? `No connection to ${server}. Is it running, and does its PROCTORING_ALLOWED_ORIGINS name ${location.origin}?`
        : `The server closed the connection: ${reason || code}.${lastError?.retryable ? " Try again in a moment." : ""}`,
    );
  };
  return socket;
}

/**
 * Open a socket again.
 *
 * @param {WebSocket} socket
 * @param {() => WebSocket} reopen
 */
function replace(socket, reopen) {
  const index = sockets.indexOf(socket);
  if (index >= 0) sockets[index] = reopen();
}

/**
 * Send frames at the server's rate; a frame is left out while the previous one is still queued.
 *
 * @param {WebSocket} socket
 */
async function send(socket) {
  while (socket.readyState === WebSocket.OPEN) {
    const next = new Promise((done) => setTimeout(done, 1000 / flow.frames_per_second));
    if (socket.bufferedAmount === 0) {
      const time = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000));
      const jpeg = await grab();
      const message = new Uint8Array(8 + jpeg.length);
      new DataView(message.buffer).setBigUint64(0, time); // capture time in microseconds
      message.set(jpeg, 8);
      socket.send(message);
    }
    await next;
  }
}

/** The camera's frame as a JPEG, not larger than the server asks for. */
async function grab() {
  const { videoWidth, videoHeight } = video;
  const scale = Math.min(1, flow.max_width / videoWidth, flow.max_height / videoHeight);
  const canvas = new OffscreenCanvas(videoWidth * scale, videoHeight * scale);
  canvas.getContext("2d")?.drawImage(video, 0, 0, canvas.width, canvas.height);
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.85 });
  return new Uint8Array(await blob.arrayBuffer());
}

/**
 * Show why it ended, close the sockets and switch the camera off.
 *
 * @param {string} reason
 */
function finish(reason) {
  statusLine.textContent = reason;
  const open = sockets;
  sockets = [];
  for (const socket of open) {
    // Browsers report the closing of a half-open connection as an error.
    if (socket.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close();
    else socket.close();
  }
  const stream = /** @type {MediaStream | null} */ (video.srcObject);
  for (const track of stream?.getTracks() ?? []) track.stop();
  form.hidden = false;
}
