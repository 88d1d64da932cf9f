import { Metronome } from "./metronome.js";
import { SAMPLE_RATE } from "./microphone.js";

/** Bytes. A file is read as a whole before it plays; beyond this its sound would fill the memory. */
const MOST_BYTES = 400e6;

/** The largest sample of signed 16-bit PCM. */
const PCM_MAX = 32767;

/** Hand-overs a second. */
const GIVE_RATE = 10;

/**
 * The sound of a video file, at 16 kHz, mono.
 *
 * @param {File} file
 * @returns {Promise<{samples: Int16Array<ArrayBuffer> | null, reason: string}>} `reason`: why there are none
 */
export async function readSound(file) {
  if (file.size > MOST_BYTES) return { samples: null, reason: "the file is too large for its sound to be read here" };
  const context = new OfflineAudioContext(1, 1, SAMPLE_RATE);
  try {
    const sound = await context.decodeAudioData(await file.arrayBuffer());
    return { samples: mixed(sound), reason: "" };
  } catch {
    return { samples: null, reason: "the file has no sound that this browser can read" };
  }
}

/**
 * All channels as one.
 *
 * @param {AudioBuffer} sound
 */
function mixed(sound) {
  const channels = Array.from({ length: sound.numberOfChannels }, (_, index) => sound.getChannelData(index));
  const samples = new Int16Array(sound.length);
  for (let index = 0; index < samples.length; index += 1) {
    let sum = 0;
    for (const channel of channels) sum += channel[index] ?? 0;
    samples[index] = Math.round(Math.max(-1, Math.min(1, sum / channels.length)) * PCM_MAX);
  }
  return samples;
}

/**
 * Gives a recording's sound as far as its pictures have been played.
 *
 * @param {Int16Array<ArrayBuffer>} samples
 * @param {HTMLVideoElement} video  plays the recording
 * @param {number} opened  capture time of its beginning, in microseconds
 * @param {(samples: Int16Array<ArrayBuffer>, captureTime: number) => void} onSamples
 */
export function playSound(samples, video, opened, onSamples) {
  let given = 0;
  /** @param {number} upTo  seconds of the recording */
  const give = (upTo) => {
    const end = Math.min(samples.length, Math.floor(upTo * SAMPLE_RATE));
    if (end <= given) return;
    onSamples(samples.slice(given, end), opened + (given / SAMPLE_RATE) * 1e6);
    given = end;
  };
  const metronome = new Metronome(() => give(video.currentTime));
  metronome.setRate(GIVE_RATE);
  return {
    /** The pictures are at their end: gives what is left. */
    finish: () => give(Infinity),
    close: () => metronome.close(),
  };
}
