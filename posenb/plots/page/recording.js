// The poses, unpacked from the page, and what of them is shown at a cut-off.
"use strict";

const LEVEL = 8; // frames from which on extremes are kept
const CHANNELS = ["x", "y", "likelihood"];

async function inflate(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let n = 0; n < bytes.length; n++) bytes[n] = letters.charCodeAt(n);
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(plain).arrayBuffer());
}

// Whole numbers come as differences along each line, in planes of bytes, the lowest first.
function unpackWholes(bytes, offset, width, lines, count) {
  const size = lines * count;
  const kind = width === 2 ? Int16Array : Int32Array;
  const values = new kind(size);
  for (let line = 0, n = 0; line < lines; line++) {
    let value = 0;
    for (let i = 0; i < count; i++, n++) {
      let step = 0;
      for (let plane = 0; plane < width; plane++) {
        step |= bytes[offset + plane * size + n] << (8 * plane);
      }
      value = (value + step) | 0;
      values[n] = value; // wraps at the width of the array, as the differences did
      value = values[n];
    }
  }
  return values;
}

// Extremes of twice as many frames each.
function halved(level) {
  const pair = (values, better) => {
    const half = new Float32Array(Math.ceil(values.length / 2));
    for (let b = 0; b < half.length; b++) {
      const one = values[2 * b];
      const other = 2 * b + 1 < values.length ? values[2 * b + 1] : NaN;
      half[b] = one !== one || better(other, one) ? other : one;
    }
    return half;
  };
  return { low: pair(level.low, (a, b) => a < b), high: pair(level.high, (a, b) => a > b) };
}

class Recording {
  constructor(facts, bytes) {
    const { count, pack } = facts;
    this.facts = facts;
    this.count = count;
    this.keypoints = facts.keypoints.length;
    this.lines = facts.individuals.length * this.keypoints;
    this.values = {};
    let offset = 0;
    for (const name of CHANNELS) {
      const { width, origin, step, missing } = pack[name];
      const wholes = unpackWholes(bytes, offset, width, this.lines, count);
      const values = new Float32Array(wholes.length);
      for (let n = 0; n < wholes.length; n++) {
        values[n] = wholes[n] === missing ? NaN : origin + step * wholes[n];
      }
      this.values[name] = values;
      if (name === "likelihood") this.wholes = wholes;
      offset += width * wholes.length;
    }
    this.frames = pack.frames
      ? unpackWholes(bytes, offset, 4, 1, count)
      : Int32Array.from({ length: count }, (_, i) => facts.start + i);
    this.unsure = this.wholes.some((each) => each !== pack.likelihood.missing);
    this.visible = new Uint8Array(this.lines).fill(1);
    this.memo = new Map();
    this.cut(facts.cutoff);
  }

  // What lies below `cutoff` is no longer shown; where no likelihood is known, all is.
  cut(cutoff) {
    const { missing, per } = this.facts.pack.likelihood;
    const least = Math.round(cutoff * per);
    this.memo.clear();
    this.shown = new Uint8Array(this.lines * this.count);
    this.known = 0;
    this.kept = 0;
    for (let n = 0; n < this.shown.length; n++) {
      const sure = this.wholes[n] === missing || this.wholes[n] >= least;
      const found = this.values.x[n] === this.values.x[n];
      this.shown[n] = sure ? 1 : 0;
      this.known += found;
      this.kept += found && sure;
    }
  }

  time(i) {
    return this.frames[i] / (this.facts.fps ?? 1);
  }

  // Index of the first frame at or after a time.
  after(time) {
    const frame = time * (this.facts.fps ?? 1);
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.frames[middle] < frame - 1e-9) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  nearest(time) {
    const next = Math.min(this.after(time), this.count - 1);
    if (next > 0 && time - this.time(next - 1) < this.time(next) - time) return next - 1;
    return next;
  }

  get span() {
    if (this.count === 0) return [0, 1];
    const [first, last] = [this.time(0), this.time(this.count - 1)];
    const half = 0.5 / (this.facts.fps ?? 1);
    return last > first ? [first, last] : [first - half, last + half];
  }

  // Least and greatest shown value of a line in each `size` frames (a power of two), of the
  // buckets that hold the frames from `first` to before `last`.
  extremes(channel, line, size, first, last) {
    const [from, until] = [Math.floor(first / size), Math.ceil(last / size)];
    if (size < LEVEL) return { from, ...this.scan(channel, line, size, from, until) };
    const { low, high } = this.level(channel, line, size);
    return { from, low: low.subarray(from, until), high: high.subarray(from, until) };
  }

  // The same for all frames, each level made from the one below and kept.
  level(channel, line, size) {
    const key = `${channel} ${line} ${size}`;
    if (!this.memo.has(key)) {
      const below = size > LEVEL ? this.level(channel, line, size / 2) : null;
      const buckets = Math.ceil(this.count / size);
      this.memo.set(key, below ? halved(below) : this.scan(channel, line, size, 0, buckets));
    }
    return this.memo.get(key);
  }

  scan(channel, line, size, from, until) {
    const values = this.values[channel];
    const low = new Float32Array(Math.max(0, until - from)).fill(NaN);
    const high = low.slice();
    const start = line * this.count;
    for (let b = from; b < until; b++) {
      let least = Infinity;
      let most = -Infinity;
      const stop = start + Math.min((b + 1) * size, this.count);
      for (let n = start + b * size; n < stop; n++) {
        if (!this.shown[n]) continue;
        if (values[n] < least) least = values[n];
        if (values[n] > most) most = values[n];
      }
      if (most >= least) {
        low[b - from] = least;
        high[b - from] = most;
      }
    }
    return { low, high };
  }

  // Range of what is shown of the visible lines in some frames, or null if that is nothing.
  range(channel, [first, last] = [0, this.count]) {
    let size = 1;
    while (last - first > 2000 * size) size *= 2;
    let least = Infinity;
    let most = -Infinity;
    for (let line = 0; line < this.lines; line++) {
      if (!this.visible[line]) continue;
      const { low, high } = this.extremes(channel, line, size, first, last);
      for (let b = 0; b < low.length; b++) {
        if (low[b] < least) least = low[b];
        if (high[b] > most) most = high[b];
      }
    }
    return most >= least ? [least, most] : null;
  }

  // One value, NaN where nothing is shown or the recording is over.
  at(channel, line, i) {
    if (i < 0 || i >= this.count) return NaN;
    const n = line * this.count + i;
    return this.shown[n] ? this.values[channel][n] : NaN;
  }
}
