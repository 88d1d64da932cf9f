/** Samples in one message: a tenth of a second. */
const CHUNK = 1600;

/** Hands on what the graph gives it as 16 bit samples, with the frame at which they begin. */
class Pcm extends AudioWorkletProcessor {
  #chunk = new Int16Array(CHUNK);
  #filled = 0;
  #begin = 0;

  process([[channel]]) {
    if (!channel) return true;
    for (let index = 0; index < channel.length; index += 1) {
      if (this.#filled === 0) this.#begin = currentFrame + index;
      const sample = Math.max(-1, Math.min(1, channel[index]));
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

registerProcessor("pcm", Pcm);
