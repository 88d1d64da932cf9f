/** The microphone as a source of sound: 16 kHz, 16 bit, mono, on the pictures' clock. */

export const SAMPLE_RATE = 16_000;

/** The microphones at hand; their labels are empty until one was allowed once. */
export async function listMicrophones() {
  const devices = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  return devices.filter(({ kind, deviceId }) => kind === "audioinput" && deviceId);
}

/**
 * What to ask the browser for. The room as it is: a far second voice is what noise suppression
 * takes away. Echoes are cancelled all the same, or an interviewer's voice from the loudspeakers
 * would be one more in the room.
 *
 * @param {string} deviceId  "" for any
 * @returns {MediaTrackConstraints}
 */
export const microphoneConstraints = (deviceId) => ({
  ...(deviceId ? { deviceId: { exact: deviceId } } : {}),
  channelCount: 1,
  echoCancellation: true,
  noiseSuppression: false,
  autoGainControl: false,
});

/**
 * Listens to a microphone's track.
 *
 * @param {MediaStreamTrack} track
 * @param {() => number} captureTime  the pictures' clock now, in microseconds
 * @param {(samples: Int16Array<ArrayBuffer>, captureTime: number) => void} onSamples  the time is that of the first
 * @returns {Promise<{close: () => void, isRunning: () => boolean, resume: () => void}>}  a browser may want a click
 *   before sound runs: `resume` is to be called in it
 * @throws {Error} this browser gives no sound at 16 kHz
 */
export async function listen(track, captureTime, onSamples) {
  // The context resamples, whatever the device's own rate.
  const context = new AudioContext({ sampleRate: SAMPLE_RATE, latencyHint: "interactive" });
  try {
    await context.audioWorklet.addModule(new URL("pcm_worklet.js", import.meta.url));
    const node = new AudioWorkletNode(context, "pcm", {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit",
    });
    node.port.onmessage = ({ data: { samples, frame } }) => {
      const age = context.currentTime - frame / SAMPLE_RATE;
      onSamples(samples, captureTime() - age * 1e6);
    };
    context.createMediaStreamSource(new MediaStream([track])).connect(node);
    // Not waited for: without a click some browsers never answer.
    context.resume().catch(() => {});
  } catch (error) {
    void context.close();
    throw error;
  }
  return {
    isRunning: () => context.state === "running",
    resume: () => void context.resume(),
    close() {
      track.stop();
      void context.close();
    },
  };
}
