/** Samples in one message: a tenth of a second at 16 kHz. */
const CHUNK = 1600;

/**
 * What an audio worklet's own scope has; TypeScript's library of the page does not know it.
 *
 * @typedef {{
 *   AudioWorkletProcessor: new () => {port: MessagePort},
 *   registerProcessor: (name: string, kind: new () => object) => void,
 *   currentFrame: number,
 * }} WorkletScope
 */
const scope = /** @type {WorkletScope} */ (/** @type {unknown} */ (globalThis));

/** Hands on what the graph gives it as 16 bit samples, with the frame at which they begin. */
class Pcm extends scope.AudioWorkletProcessor {
  #chunk = new Int16Array(CHUNK);
  #filled = 0;
  #begin = 0;

  /**
   * @param {Float32Array[][]} inputs  channels of each input
   * @returns {boolean} that more is wanted
   */
  process(inputs) {
    const channel = inputs[0]?.[0] ?? [];
    for (let index = 0; index < channel.length; index += 1) {
      if (this.#filled === 0) this.#begin = scope.currentFrame + index;
      const sample = Math.max(-1, Math.min(1, channel[index] ?? 0));
      this.#chunk[this.#filled] = Math.round(sample * (sample < 0 ? 32768 : 32767));
      this.#filled += 1;
      if (this.#filled === CHUNK) {
        const samples = this.#chunk;
        this.#chunk = new Int16Array(CHUNK);
        this.#filled = 0;
        this.port.postMessage({ samples, frame: this.#begin }, [samples.buffer]);
      }
    }
    return true;
  }
}

scope.registerProcessor("pcm", Pcm);
