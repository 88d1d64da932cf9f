import { element } from "./element.js";
import { Heard } from "./heard.js";
import { listen } from "./microphone.js";
import { notify, reasonOf } from "./notices.js";
import { playSound, readSound } from "./recorded_sound.js";
import { SoundSender } from "./sound_sender.js";

/** The session's audio on this page: what is sent, whether it is muted, and what the server hears in it. */

/**
 * @import { Source } from "./camera.js"
 * @import { SocketState } from "./reconnecting_socket.js"
 * @import { Setup } from "./setup.js"
 */

/**
 * Audio that is open; `finish` hands over what a recording has left, `resume` starts what the browser holds
 * back (see `isRunning`) until the person clicks.
 *
 * @typedef {{close: () => void, finish?: () => void, isRunning?: () => boolean, resume?: () => void}} Input
 */

/** Milliseconds in which sound should run once it is open. */
const RUNNING_MS = 1500;

/**
 * How often the end of a recording checks whether its last audio has gone out, and how many times: two
 * seconds in all, the audio that may wait for the network (`MOST_WAITING` of sound_sender.js).
 */
const FINISH_STEP_MS = 100;
const FINISH_STEPS = 20;

/** @type {Partial<Record<SocketState, string>>} */
const STATES = {
  connecting: "Sound: connecting",
  open: "Sound is sent",
  moving: "Sound is sent",
  waiting: "Sound is kept until the server is back",
};

const mute = element("mute", HTMLButtonElement);
const stateText = element("sound-state");

export class AudioControl {
  #heard = new Heard();
  #sender;
  #muted = false;
  /** What the audio belongs to, while it runs. @type {Source | null} */
  #source = null;
  /** @type {Input | null} */
  #input = null;

  /** @param {{prepare: () => Promise<string>}} options  gives the id of a session that exists */
  constructor({ prepare }) {
    this.#sender = new SoundSender({
      prepare,
      onSound: (observation) => {
        if (this.#source) this.#heard.show(observation);
      },
      onState: () => this.#show(),
      onFinal({ code, detail }) {
        if (code === "ended" || code === "replaced") return; // the video socket says so
        notify("sound", "error", `The server refused this page's sound: ${detail || code}.`);
      },
    });
    mute.addEventListener("click", () => this.#toggleMute());
  }

  /**
   * Opens the audio that belongs to a source; without any, pictures alone are sent.
   *
   * @param {Setup} setup
   * @param {Source} source
   * @param {HTMLVideoElement} video  plays the source
   */
  async start(setup, source, video) {
    this.#source = source;
    const input = await this.#open(setup, source, video);
    if (this.#source !== source) {
      input?.close(); // stopped in the meantime
      return;
    }
    this.#input = input;
    if (input) setTimeout(() => this.#checkRunning(input), RUNNING_MS);
    if (input && !this.#muted) this.#sender.start();
    this.#show();
  }

  stop() {
    this.#source = null;
    this.#sender.stop();
    this.#input?.close();
    this.#input = null;
    this.#heard.clear();
    this.#show();
  }

  /** Hands over what is left of a recording's audio, and waits until it has gone out if the network is there. */
  async finish() {
    this.#input?.finish?.();
    for (let step = 0; step < FINISH_STEPS && this.#input && !this.#sender.isEmpty; step += 1) {
      await new Promise((resolve) => setTimeout(resolve, FINISH_STEP_MS));
    }
  }

  /** Connects now if it waits to. */
  hurry() {
    this.#sender.hurry();
  }

  /**
   * @param {Setup} setup
   * @param {Source} source
   * @param {HTMLVideoElement} video
   * @returns {Promise<Input | null>}
   */
  async #open(setup, source, video) {
    /** @type {(samples: Int16Array<ArrayBuffer>, captureTime: number) => void} */
    const add = (samples, captureTime) => {
      if (!this.#muted) this.#sender.add(samples, captureTime);
    };
    if (setup.source === "recording" && setup.file && source.opened !== null) {
      const { samples, reason } = await readSound(setup.file);
      if (samples) return playSound(samples, video, source.opened, add);
      notify("sound", "info", `No sound is sent: ${reason}.`);
    } else if (source.soundTrack) {
      try {
        return await listen(source.soundTrack, source.captureTime, add);
      } catch (error) {
        const reason = reasonOf(error);
        notify("sound", "warning", `No sound is sent: this browser gives none at 16 kHz (${reason}).`);
      }
    } else if (setup.microphone !== null) {
      notify(
        "sound",
        "warning",
        "No sound is sent: there is no microphone, or it gave no answer, or it was not allowed.",
      );
    }
    return null;
  }

  /** @param {Input} input */
  #checkRunning(input) {
    if (this.#input !== input || !input.isRunning || input.isRunning()) return;
    notify("sound", "warning", "The browser gives no sound of this page before you allow it by a click.", {
      label: "Turn on the sound",
      run: () => input.resume?.(),
    });
  }

  #toggleMute() {
    if (!this.#input) return;
    this.#muted = !this.#muted;
    if (this.#muted) {
      this.#sender.stop();
      this.#heard.clear();
    } else {
      this.#sender.start();
    }
    this.#show();
  }

  /** Whether audio goes out, and if not, why. */
  #show() {
    const open = this.#input !== null;
    const text = this.#muted && open ? "Muted: no sound is sent" : (STATES[this.#sender.state] ?? "No sound is sent");
    stateText.textContent = this.#source ? text : "";
    mute.setAttribute("aria-disabled", String(!open));
    mute.setAttribute("aria-pressed", String(this.#muted));
    mute.textContent = this.#muted ? "Unmute" : "Mute";
  }
}
