// The browser's side of the uploader. The kernel decides; this page holds the files, sends
// the pieces it is asked for, and shows what it is told.

const PIECE = 2 ** 20;
const TICK = 1000; // milliseconds between two words to the kernel
const SILENT = 4000; // after which the kernel counts as busy
const PATIENCE = [1000, 2000, 4000, 8000]; // before each new try to reach a bucket

// --- checksums --------------------------------------------------------------------------

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Pages that come over plain http from another machine have no crypto.subtle: SHA-256 as in
// FIPS 180-4, its constants computed from their definition.
const primes = [];
for (let n = 2; primes.length < 64; n++) {
  if (primes.every((prime) => n % prime)) primes.push(n);
}
const fraction = (x) => Math.floor((x - Math.floor(x)) * 2 ** 32);
const ROUNDS = Uint32Array.from(primes, (prime) => fraction(Math.cbrt(prime)));
const FIRST = Uint32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));

export function plainSha256(data) {
  const state = Uint32Array.from(FIRST);
  const words = new Uint32Array(64);
  const padded = new Uint8Array((((data.length + 8) >> 6) + 1) << 6);
  padded.set(data);
  padded[data.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(data.length / 2 ** 29));
  view.setUint32(padded.length - 4, (data.length << 3) >>> 0);
  const turn = (x, n) => (x >>> n) | (x << (32 - n));
  for (let start = 0; start < padded.length; start += 64) {
    for (let i = 0; i < 16; i++) words[i] = view.getUint32(start + 4 * i);
    for (let i = 16; i < 64; i++) {
      const a = words[i - 15];
      const b = words[i - 2];
      const s0 = turn(a, 7) ^ turn(a, 18) ^ (a >>> 3);
      const s1 = turn(b, 17) ^ turn(b, 19) ^ (b >>> 10);
      words[i] = words[i - 16] + s0 + words[i - 7] + s1;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i++) {
      const s1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUNDS[i] + words[i]) | 0;
      const s0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22);
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => (state[i] += word));
  }
  const result = new DataView(new ArrayBuffer(32));
  state.forEach((word, i) => result.setUint32(4 * i, word));
  return hex(new Uint8Array(result.buffer));
}

async function sha256(data) {
  if (!globalThis.crypto?.subtle) return plainSha256(new Uint8Array(data));
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", data)));
}

// CRC-32C (Castagnoli), by which Google's buckets tell what they hold.
const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? (n >>> 1) ^ 0x82f63b78 : n >>> 1;
  return n;
});

export function crc32c(crc, data) {
  let rest = ~crc;
  for (let i = 0; i < data.length; i++) rest = CRC[(rest ^ data[i]) & 255] ^ (rest >>> 8);
  return ~rest >>> 0;
}

function base64(crc) {
  return btoa(String.fromCharCode(crc >>> 24, (crc >>> 16) & 255, (crc >>> 8) & 255, crc & 255));
}

// --- one file ---------------------------------------------------------------------------

class Held {
  constructor(file) {
    this.file = file;
    this.digests = []; // of each piece, where known
    this.chains = [""]; // up to each piece
    this.crc = 0;
    this.crcUpTo = 0;
    this.turn = 0; // goes up when what is being done shall stop
    this.job = null;
  }

  read(start, stop) {
    return this.file.slice(start, stop).arrayBuffer();
  }

  async digest(start, data) {
    const number = start / PIECE;
    this.digests[number] ??= await sha256(data);
    return this.digests[number];
  }

  // The chain of all pieces up to a position at the end of one.
  async chainAt(position, goesOn) {
    const count = Math.ceil(position / PIECE);
    for (let n = this.chains.length - 1; n < count && goesOn(); n++) {
      const start = n * PIECE;
      if (this.digests[n] === undefined) {
        const stop = Math.min(start + PIECE, this.file.size);
        await this.digest(start, await this.read(start, stop));
      }
      const text = new TextEncoder().encode(this.chains[n] + this.digests[n]);
      this.chains[n + 1] = await sha256(text);
    }
    return this.chains[count];
  }

  async crcAt(position) {
    while (this.crcUpTo < position) {
      const stop = Math.min(this.crcUpTo + PIECE, position);
      this.crc = crc32c(this.crc, new Uint8Array(await this.read(this.crcUpTo, stop)));
      this.crcUpTo = stop;
    }
    return base64(this.crc);
  }
}

// --- all files of this page -------------------------------------------------------------

class Agent {
  constructor(model) {
    this.model = model;
    this.name = hex(crypto.getRandomValues(new Uint8Array(4)));
    this.count = 0;
    this.held = new Map();
    this.asked = 0; // when the last tick that is not answered was sent
    this.picked = new Map(); // by key: rows of files of which the kernel has not heard yet
    this.sent = new Map(); // by key: bytes sent to the bucket by this page
    this.watchers = new Set();
    this.jobs = {
      pieces: (held, message, goesOn) => this.pieces(held, message, goesOn),
      proof: (held, message, goesOn) => this.proof(held, message, goesOn),
      sample: (held, message) => this.sample(held, message),
      put: (held, message, goesOn) => this.put(held, message, goesOn),
    };
    this.listen = (message) => this.hear(message);
    model.on("msg:custom", this.listen);
    this.clock = setInterval(() => this.tick(), TICK);
    this.tick();
  }

  close() {
    clearInterval(this.clock);
    this.model.off("msg:custom", this.listen);
  }

  get busy() {
    return this.asked > 0 && performance.now() - this.asked > SILENT;
  }

  say(message, buffers) {
    this.model.send(message, undefined, buffers);
  }

  tick() {
    const now = performance.now();
    if (!this.asked || now - this.asked > 15 * TICK) {
      const jobs = [...this.held].filter(([, held]) => held.job).map(([key]) => key);
      this.say({ do: "tick", agent: this.name, keys: [...this.held.keys()], jobs });
      this.asked ||= now;
    }
    this.watchers.forEach((watch) => watch());
  }

  pick(files) {
    const told = [...files].map((file) => ({ key: `${this.name}:${this.count++}`, file }));
    for (const { key, file } of told) {
      this.held.set(key, new Held(file));
      const row = { key, name: file.name, size: file.size, position: 0, phase: "picked" };
      // A tick that is under way is answered before the kernel hears of these.
      this.picked.set(key, { row, answers: this.asked ? 2 : 1 });
    }
    this.say({
      do: "pick",
      origin: location.origin,
      files: told.map(({ key, file }) => ({
        key,
        name: file.name,
        size: file.size,
        modified: file.lastModified,
        type: file.type,
      })),
    });
    this.watchers.forEach((watch) => watch());
  }

  hear(message) {
    this.asked = 0;
    if (message.ask === "tock") this.heardOf();
    const held = this.held.get(message.key);
    if (held === undefined) return;
    if (message.ask === "finish") this.say({ do: "finish", key: message.key });
    if (message.ask === "hold") held.turn++;
    const job = this.jobs[message.ask];
    if (job === undefined) return;
    const turn = message.ask === "pieces" ? held.turn : ++held.turn;
    const goesOn = () => held.turn === turn;
    const work = (held.job ?? Promise.resolve())
      .then(() => goesOn() && job(held, message, goesOn))
      .catch((error) => {
        this.say({ do: "unreadable", key: message.key, reason: error.message ?? `${error}` });
      })
      .finally(() => {
        if (held.job === work) held.job = null;
      });
    held.job = work;
  }

  heardOf() {
    for (const [key, picked] of this.picked) {
      if (--picked.answers === 0) this.picked.delete(key);
    }
  }

  async pieces(held, { key, spans }, goesOn) {
    for (const [start, stop] of spans) {
      if (!goesOn()) return;
      const data = await held.read(start, stop);
      const digest = await held.digest(start, data);
      this.say({ do: "piece", key, start, digest }, [data]);
    }
  }

  async proof(held, { key, positions }, goesOn) {
    const chains = {};
    for (const position of positions) chains[position] = await held.chainAt(position, goesOn);
    if (goesOn()) this.say({ do: "proof", key, chains });
  }

  async sample(held, { key, spans }) {
    const digests = [];
    for (const [start, stop] of spans) digests.push(await sha256(await held.read(start, stop)));
    this.say({ do: "sample", key, digests });
  }

  // Sends the file to the bucket by itself, whatever the kernel does meanwhile.
  async put(held, { key, url, part }, goesOn) {
    const { size } = held.file;
    let position = null;
    for (let tries = 0; position === null || position < size; ) {
      if (!goesOn()) return;
      try {
        position = await this.putPart(held, url, part, position);
        tries = 0;
      } catch (error) {
        const out = tries === PATIENCE.length || (position === null && tries > 0);
        if (out || error.final) {
          this.sent.delete(key);
          this.say({ do: "put_failed", key, reason: error.message });
          return;
        }
        await new Promise((wake) => setTimeout(wake, PATIENCE[tries++]));
        position = null;
        continue;
      }
      this.sent.set(key, position);
      const whole = position === size ? size : position - (position % PIECE);
      const chain = await held.chainAt(whole, goesOn);
      if (goesOn()) this.say({ do: "put", key, position: whole, chain });
    }
    this.say({ do: "finish", key, crc32c: await held.crcAt(size) });
    this.sent.delete(key);
  }

  // One request of a resumable session; without a position it asks how far the bucket is.
  async putPart(held, url, part, position) {
    const { size } = held.file;
    const asks = position === null;
    const stop = asks ? 0 : Math.min(position - (position % part) + part, size);
    const range = asks ? `bytes */${size}` : `bytes ${position}-${stop - 1}/${size}`;
    const body = asks ? null : held.file.slice(position, stop);
    const answer = await fetch(url, { method: "PUT", headers: { "Content-Range": range }, body });
    if (answer.ok) return size;
    if (answer.status === 308) {
      const got = answer.headers.get("Range");
      if (got) return Number(got.split("-")[1]) + 1;
      return asks ? 0 : stop;
    }
    const error = new Error(`the bucket answered ${answer.status}`);
    error.final = answer.status < 500 && answer.status !== 429;
    throw error;
  }
}
