// Sends the camera's frames to a session and shows its alerts. No library, no build step.

const form = document.querySelector("form");
const video = document.querySelector("video");
const status = document.querySelector("#status");
const alerts = document.querySelector("#alerts");

/** Rate and size of frames, until the server says otherwise. */
let flow = { frames_per_second: 10, max_width: 640, max_height: 480 };
let sockets = [];

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  form.hidden = true;
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: true });
    await video.play();
  } catch (error) {
    stop(`No camera: ${error.message}`);
    return;
  }
  const frames = connect("video");
  const events = connect("events");
  sockets = [frames, events];
  frames.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.flow) flow = message.flow;
    if (message.error) status.textContent = message.error.detail;
  };
  frames.onopen = () => {
    status.textContent = "Connected.";
    send(frames);
  };
  events.onmessage = ({ data }) => {
    for (const label of JSON.parse(data).alerts ?? []) {
      alerts.append(Object.assign(document.createElement("li"), { textContent: label }));
    }
  };
});

/** Open one of the session's sockets. */
function connect(name) {
  const { server, session, token } = form.elements;
  // A browser cannot set headers on a WebSocket: the token is sent as a subprotocol.
  const protocols = token.value ? ["proctoring", `bearer.${token.value}`] : [];
  const url = `${server.value}/ws/proctor/${encodeURIComponent(session.value)}/${name}`;
  const socket = new WebSocket(url, protocols);
  socket.onclose = ({ code, reason }) => {
    if (!sockets.includes(socket)) return;
    stop(
      code === 1006
        ? `No connection to ${server.value}. Is it running, and does its ` +
            `PROCTORING_ALLOWED_ORIGINS name ${location.origin}?`
        : `The server closed the connection: ${reason || code}.`,
    );
  };
  return socket;
}

/** Send frames at the server's rate; a frame is left out while the previous one is still queued. */
async function send(socket) {
  const canvas = document.createElement("canvas");
  while (socket.readyState === WebSocket.OPEN) {
    const next = new Promise((done) => setTimeout(done, 1000 / flow.frames_per_second));
    if (socket.bufferedAmount === 0) {
      const { videoWidth: width, videoHeight: height } = video;
      const scale = Math.min(1, flow.max_width / width, flow.max_height / height);
      canvas.width = width * scale;
      canvas.height = height * scale;
      canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
      const time = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000));
      const jpeg = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
      const message = new Uint8Array(8 + jpeg.size);
      new DataView(message.buffer).setBigUint64(0, time); // capture time in microseconds
      message.set(new Uint8Array(await jpeg.arrayBuffer()), 8);
      socket.send(message);
    }
    await next;
  }
}

/** Show why it ended, close the sockets and switch the camera off. */
function stop(reason) {
  status.textContent = reason;
  const open = sockets;
  sockets = [];
  for (const socket of open) socket.close();
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  form.hidden = false;
}
