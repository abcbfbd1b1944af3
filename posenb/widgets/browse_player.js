// Pictures from the kernel, and the clock that plays them. Follows recording.js.

const KEPT = 400; // pictures in the page
const AHEAD = 24; // pictures fetched ahead while playing
const AT_ONCE = 8; // pictures in one request, so that another one need not wait long
const SILENT = 2500; // milliseconds after which the kernel counts as busy
const FASTEST = 30; // pictures a second

class Pictures {
  // `send` takes a request; `came` is told of each row whose picture is here.
  constructor(send, came, busy) {
    Object.assign(this, { send, came, busy });
    this.kept = new Map();
    this.asked = new Set();
    this.wanted = null;
    this.ahead = [];
    this.rate = FASTEST;
  }

  has(row) {
    return this.kept.has(row);
  }

  // What is wanted now comes before all that may be wanted next.
  want(row, ahead = []) {
    this.wanted = row;
    this.ahead = ahead;
    this.ask();
  }

  ask() {
    if (this.asked.size) return;
    const rows = [this.wanted, ...this.ahead].filter((row) => row !== null && !this.kept.has(row));
    if (!rows.length) return;
    // Who steps is not to wait for what may come next.
    this.asked = new Set(rows.slice(0, this.playing ? AT_ONCE : 1));
    this.begun = performance.now();
    this.count = this.asked.size;
    this.send([...this.asked]);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.busy(true), SILENT);
  }

  take(row, data, error) {
    clearTimeout(this.timer);
    this.busy(false);
    this.kept.set(row, { blob: data ? new Blob([data], { type: "image/jpeg" }) : null, error });
    for (const old of this.kept.keys()) {
      if (this.kept.size <= KEPT) break;
      this.kept.delete(old);
    }
    this.asked.delete(row);
    if (this.asked.size === 0) {
      const rate = (1000 * this.count) / Math.max(1, performance.now() - this.begun);
      this.rate = 0.7 * this.rate + 0.3 * rate;
    }
    this.came(row);
    this.ask();
  }

  // A picture to draw, or why there is none. It moves to the end of those that are kept.
  async open(row) {
    const found = this.kept.get(row);
    this.kept.delete(row);
    this.kept.set(row, found);
    if (!found.blob) return { picture: null, says: found.error };
    return { picture: await createImageBitmap(found.blob), says: "" };
  }

  close() {
    clearTimeout(this.timer);
  }
}

// Goes on by the time that the recording took. Where pictures come too slowly for that, some
// are left out; where even that is too fast, time waits for them.
class Player {
  constructor(recording, pictures, go) {
    Object.assign(this, { recording, pictures, go });
    this.speed = 1;
    this.playing = false;
  }

  get perSecond() {
    return (this.recording.facts.fps ?? FASTEST) * this.speed;
  }

  start(row) {
    const { count } = this.recording;
    this.playing = true;
    this.begin(row >= count - 1 ? 0 : row);
    this.go(this.row);
    this.tick();
  }

  begin(row) {
    this.row = row;
    this.since = performance.now();
    this.from = this.recording.frames[row];
  }

  stop() {
    this.playing = false;
    cancelAnimationFrame(this.frame);
  }

  // Rows to fetch: no more of them than can come.
  next(row) {
    const rate = Math.max(3, Math.min(FASTEST, 0.8 * (this.pictures?.rate ?? FASTEST)));
    const stride = Math.max(1, Math.ceil(this.perSecond / rate - 0.05));
    const rows = Array.from({ length: AHEAD }, (_, n) => row + (n + 1) * stride);
    return rows.filter((each) => each < this.recording.count);
  }

  tick() {
    this.frame = requestAnimationFrame(() => {
      if (!this.playing) return;
      const elapsed = (performance.now() - this.since) / 1000;
      const frame = this.from + Math.floor(elapsed * this.perSecond);
      this.reach(frame);
      if (this.playing) this.tick();
    });
  }

  reach(frame) {
    const { recording, pictures } = this;
    const last = recording.count - 1;
    const target = Math.min(last, Math.max(this.row, recording.after((frame + 1) / (recording.facts.fps ?? 1)) - 1));
    let row = target;
    if (pictures) {
      while (row > this.row && !pictures.has(row)) row--;
      if (target > this.row && row === this.row) {
        this.begin(this.row); // time waits
        const next = this.next(this.row);
        pictures.want(next.length ? next[0] : last, next.length ? next.slice(1) : []);
        return;
      }
    }
    if (row > this.row) {
      this.row = row;
      this.go(row);
    }
    if (row === last) this.ended();
  }

  ended() {
    this.stop();
    this.go(this.row);
  }
}
