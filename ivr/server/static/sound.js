// Sound, both ways: plays what the line sends, and hands out what the microphone hears.
// All of it is 16 kHz, mono, 16 bit little endian.

const RATE = 16000;

export class Loudspeaker {
  constructor() {
    this.context = null;
    this.playing = new Set();
    this.free = 0; // when the next piece can begin
    this.heard = 0; // seconds given out so far, for tests
  }

  // Browsers let a page make sound only after a click or key press on it.
  async open() {
    this.context ??= new AudioContext();
    await this.context.resume();
  }

  play(bytes) {
    if (!this.context) return;
    const samples = new Int16Array(bytes);
    const piece = this.context.createBuffer(1, samples.length, RATE);
    const channel = piece.getChannelData(0);
    for (let n = 0; n < samples.length; n++) channel[n] = samples[n] / 32768;
    const source = this.context.createBufferSource();
    source.buffer = piece;
    source.connect(this.context.destination);
    source.onended = () => this.playing.delete(source);
    this.playing.add(source);
    this.free = Math.max(this.free, this.context.currentTime + 0.02);
    source.start(this.free);
    this.free += piece.duration;
    this.heard += piece.duration;
  }

  stop() {
    for (const source of this.playing) source.stop();
    this.playing.clear();
    this.free = 0;
  }
}

export class Microphone {
  // `hear` gets each piece as bytes, `level` how loud it is, 0 to 5.
  constructor(hear, level) {
    this.hear = hear;
    this.level = level;
    this.stream = null;
    this.context = null;
  }

  get open() {
    return this.stream !== null;
  }

  async start() {
    const wanted = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
    this.stream = await navigator.mediaDevices.getUserMedia({ audio: wanted });
    this.context = new AudioContext();
    await this.context.audioWorklet.addModule("/phone/static/microphone.js");
    const source = this.context.createMediaStreamSource(this.stream);
    const node = new AudioWorkletNode(this.context, "microphone", { numberOfOutputs: 0 });
    node.port.onmessage = ({ data }) => {
      this.hear(data);
      this.level(loudness(new Int16Array(data)));
    };
    source.connect(node);
    await this.context.resume();
  }

  stop() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.context?.close();
    this.stream = this.context = null;
    this.level(0);
  }
}

function loudness(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const decibels = 10 * Math.log10(sum / samples.length + 1);
  return Math.max(0, Math.min(5, Math.round((decibels - 35) / 8)));
}
