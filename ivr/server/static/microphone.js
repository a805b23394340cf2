// Runs in the sound thread: what the microphone hears, as 16 kHz, mono, 16 bit, in pieces of 20 ms.
// The device has a rate of its own; between its samples a line is drawn. Above it, speech has little to lose.

const RATE = 16000;
const PIECE = RATE / 50;

class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.piece = new Int16Array(PIECE);
    this.filled = 0;
    this.place = 0; // of the next sample to make, counted in samples of the device
    this.last = 0;
  }

  process([input]) {
    const samples = input[0];
    if (!samples) return true;
    const step = sampleRate / RATE;
    for (; this.place < samples.length; this.place += step) {
      const before = Math.floor(this.place) - 1;
      const one = before < 0 ? this.last : samples[before];
      const other = samples[before + 1];
      this.put(one + (other - one) * (this.place - before - 1));
    }
    this.place -= samples.length;
    this.last = samples[samples.length - 1];
    return true;
  }

  put(value) {
    this.piece[this.filled++] = Math.max(-1, Math.min(1, value)) * 32767;
    if (this.filled < PIECE) return;
    this.port.postMessage(this.piece.buffer, [this.piece.buffer]);
    this.piece = new Int16Array(PIECE);
    this.filled = 0;
  }
}

registerProcessor("microphone", Microphone);
