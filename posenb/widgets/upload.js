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

// --- the page ---------------------------------------------------------------------------

function make(tag, classes = "", content = "", attributes = {}) {
  const element = document.createElement(tag);
  if (classes) element.className = classes;
  if (content) element.textContent = content;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function button(icon, label, act, { text = "", classes = "" } = {}) {
  const bare = text ? "" : "pnb-bare";
  const made = make("button", `jupyter-button pnb-icon pnb-icon-${icon} ${bare} ${classes}`, text, {
    type: "button",
    title: label,
    "aria-label": label,
  });
  made.addEventListener("click", act);
  return made;
}

const SAYS = {
  picked: () => "Waits for the kernel.",
  waiting: () => "Waits for the others.",
  checking: () => "Reading again what was sent before the break …",
  comparing: () => "A video has this name: comparing …",
  sending: (row) => [row.amount, row.pace, row.direct ? "straight to the bucket" : ""],
  paused: (row) => ["Paused", row.amount],
  finishing: () => "All is here. Looking at the video …",
  missing: (row) => `${row.amount} are here. Choose the same file again and it goes on.`,
};
const SIGNS = { refused: "absent", failed: "absent" };
const WITH_BAR = ["checking", "sending", "paused", "finishing", "missing"];

class Row {
  constructor(agent, choose) {
    this.agent = agent;
    this.choose = choose;
    this.element = make("li", "pnb-up-row");
    this.made = "";
  }

  show(row, picture) {
    const { position, amount, pace, ...rest } = row;
    const made = JSON.stringify([rest, Boolean(picture)]);
    if (made !== this.made) this.build(row, picture);
    this.made = made;
    const sent = this.agent.sent.get(row.key) ?? 0;
    const share = row.size ? Math.max(position, sent) / row.size : 1;
    if (this.bar) {
      this.bar.firstChild.style.width = `${100 * share}%`;
      this.bar.setAttribute("aria-valuenow", Math.floor(100 * share));
    }
    if (SAYS[row.phase]) {
      const says = [SAYS[row.phase](row)].flat().filter(Boolean).join(" · ");
      if (this.text.textContent !== says) this.text.textContent = says;
    }
  }

  build(row, picture) {
    const had = this.element.contains(document.activeElement);
    const focus = had ? document.activeElement.getAttribute("data-is") : null;
    this.element.className = `pnb-up-row pnb-up-${row.phase}`;
    this.element.dataset.phase = row.phase;
    const image = picture
      ? make("img", "pnb-up-picture", "", { src: picture, alt: `First frame of ${row.name}` })
      : make("span", `pnb-up-picture pnb-icon pnb-icon-${SIGNS[row.phase] ?? "video"}`);
    const words = make("div", "pnb-up-words");
    const name = make("div", "pnb-up-name", row.name, { title: row.name });
    words.append(name);
    if (row.original) words.append(make("div", "pnb-up-original", `from “${row.original}”`));
    this.text = make("div", "pnb-up-text", row.facts);
    words.append(this.text);
    if (row.message) words.append(make("div", "pnb-up-message", row.message));
    this.bar = null;
    if (WITH_BAR.includes(row.phase)) {
      this.bar = make("div", "pnb-bar pnb-up-bar", "", {
        role: "progressbar",
        "aria-label": row.name,
        "aria-valuemin": 0,
        "aria-valuemax": 100,
      });
      this.bar.append(make("i"));
      words.append(this.bar);
    }
    if (row.phase === "clash") words.append(this.rename(row));
    this.element.replaceChildren(image, words, this.buttons(row));
    if (!had) return;
    const same = this.element.querySelector(`[data-is="${focus}"]`);
    (same ?? this.element.querySelector("button"))?.focus();
  }

  rename(row) {
    const form = make("form", "pnb-up-rename");
    const field = make("input", "", "", { type: "text", "aria-label": `New name of ${row.name}` });
    field.value = row.offer;
    field.setAttribute("data-is", "name");
    const use = make("button", "jupyter-button pnb-primary", "Use this name", { type: "submit" });
    form.append(field, use);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.agent.say({ do: "rename", key: row.key, name: field.value });
    });
    // Notebooks take letters for their own shortcuts.
    field.addEventListener("keydown", (event) => event.stopPropagation());
    return form;
  }

  buttons(row) {
    const { key, phase } = row;
    const act = (what) => () => this.agent.say({ do: what, key });
    const made = make("div", "pnb-up-buttons");
    const add = (is, one) => {
      one.setAttribute("data-is", is);
      made.append(one);
    };
    if (["sending", "waiting", "checking"].includes(phase)) {
      add("go", button("pause", `Pause ${row.name}`, act("pause")));
    } else if (phase === "paused") {
      add("go", button("play", `Go on with ${row.name}`, act("resume")));
    } else if (phase === "failed") {
      add("go", button("again", `Try ${row.name} again`, act("resume"), { text: "Try again" }));
    } else if (phase === "missing") {
      add("go", button("upload", `Choose ${row.name} again`, this.choose, { text: "Choose it" }));
    }
    if (["finishing", "comparing", "picked"].includes(phase)) return made;
    const over = ["done", "refused", "clash"].includes(phase) || !row.position;
    const label = over ? `Take ${row.name} off this list` : `Give up ${row.name}`;
    const close = button("close", label, () => {
      // What has arrived goes with it: only at a second click.
      if (over || close.classList.contains("pnb-up-sure")) {
        this.agent.held.delete(key);
        this.agent.say({ do: "remove", key });
        return;
      }
      close.classList.add("pnb-up-sure");
      close.classList.remove("pnb-bare");
      close.textContent = "Discard it";
      setTimeout(() => {
        close.classList.remove("pnb-up-sure");
        close.classList.add("pnb-bare");
        close.textContent = "";
      }, 4000);
    });
    add("close", close);
    return made;
  }
}

class Page {
  constructor(model, agent, el) {
    this.model = model;
    this.agent = agent;
    this.rows = new Map();
    el.classList.add("pnb", "pnb-up");
    el.dataset.lmSuppressShortcuts = "true"; // JupyterLab keeps its letters to itself
    this.input = make("input", "", "", { type: "file", multiple: "", hidden: "" });
    this.input.accept = "video/*,.avi,.mkv,.mov,.mp4,.mpg,.mts,.m2ts,.wmv,.flv,.h264,.ts,.y4m";
    this.input.addEventListener("change", () => {
      agent.pick(this.input.files);
      this.input.value = "";
    });
    this.choose = () => this.input.click();
    this.list = make("ul", "pnb-up-rows");
    this.note = make("div", "pnb-up-note", "", { role: "status" });
    el.append(this.dropArea(el), this.finder(), this.note, this.list, this.input);
    this.draw = () => this.show();
    model.on("change:view", this.draw);
    model.on("change:pictures", this.draw);
    agent.watchers.add(this.draw);
    this.show();
  }

  close() {
    this.model.off("change:view", this.draw);
    this.model.off("change:pictures", this.draw);
    this.agent.watchers.delete(this.draw);
  }

  dropArea(el) {
    const area = make("div", "pnb-up-drop");
    const icon = make("span", "pnb-up-arrow pnb-icon pnb-icon-upload");
    const words = make("div", "pnb-up-invite");
    words.append(make("div", "pnb-up-lead", "Drop videos here"));
    this.place = make("div", "pnb-muted pnb-up-place");
    words.append(this.place);
    const pick = button("upload", "Choose videos on this computer", this.choose, {
      text: "Choose videos",
      classes: "pnb-primary pnb-up-choose",
    });
    pick.classList.remove("pnb-icon", "pnb-icon-upload");
    area.append(icon, words, pick);
    let depth = 0;
    const lit = (on) => area.classList.toggle("pnb-up-over", on);
    el.addEventListener("dragenter", (event) => {
      event.preventDefault();
      depth += 1;
      lit(true);
    });
    el.addEventListener("dragleave", () => {
      depth -= 1;
      lit(depth > 0);
    });
    el.addEventListener("dragover", (event) => {
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
    });
    el.addEventListener("drop", (event) => {
      event.preventDefault();
      event.stopPropagation();
      depth = 0;
      lit(false);
      if (event.dataTransfer.files.length) this.agent.pick(event.dataTransfer.files);
    });
    return area;
  }

  finder() {
    const box = make("div", "pnb-up-find");
    const form = make("form", "pnb-up-form");
    const label = make("label", "pnb-up-label", "Or add videos where they lie");
    const field = make("input", "pnb-up-field", "", {
      type: "text",
      placeholder: "Folder, path, pattern or URL: /content/drive/MyDrive/raw/*.mp4, gs://lab/raw",
      spellcheck: "false",
      "aria-label": "Folder, path, pattern or URL of videos",
    });
    label.append(field);
    const look = make("button", "jupyter-button pnb-icon pnb-icon-find", "Find", { type: "submit" });
    form.append(label, look);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.agent.say({ do: "find", text: field.value });
    });
    field.addEventListener("keydown", (event) => event.stopPropagation());
    this.found = make("div", "pnb-up-found");
    box.append(form, this.found);
    this.foundMade = "null";
    return box;
  }

  showFound(found) {
    const made = JSON.stringify(found);
    if (made === this.foundMade) return;
    this.foundMade = made;
    this.found.replaceChildren();
    if (!found) return;
    if (found.message) {
      this.found.append(make("div", "pnb-up-message", found.message));
      return;
    }
    const items = make("div", "pnb-up-items", "", { role: "group", "aria-label": "Videos found" });
    const boxes = found.items.map((item) => {
      const line = make("label", "pnb-up-item", "", { title: item.url });
      const box = make("input", "", "", { type: "checkbox" });
      box.checked = box.disabled = item.known;
      if (!item.known) box.checked = true;
      line.append(box, make("span", "", item.name));
      if (item.known) line.append(make("span", "pnb-muted", "in the project"));
      items.append(line);
      box.addEventListener("change", () => count());
      return [box, item];
    });
    const chosen = () => boxes.filter(([box]) => box.checked && !box.disabled).map(([, item]) => item);
    const add = make("button", "jupyter-button pnb-primary", "", { type: "button" });
    const count = () => {
      const n = chosen().length;
      add.textContent = n === 1 ? "Add 1 video" : `Add ${n} videos`;
      add.disabled = n === 0;
    };
    add.addEventListener("click", () => {
      add.disabled = true;
      add.textContent = "Adding …";
      chosen().forEach((item) => this.agent.say({ do: "add", url: item.url }));
    });
    count();
    const all = make("button", "jupyter-button", "All or none", { type: "button" });
    all.addEventListener("click", () => {
      const on = chosen().length === 0;
      boxes.forEach(([box]) => (box.checked = box.disabled || on));
      count();
    });
    const foot = make("div", "pnb-up-foot");
    const rest = found.more ? `${found.more} more are not shown; narrow the pattern.` : "";
    foot.append(add, all, make("span", "pnb-muted", rest));
    this.found.append(items, foot);
  }

  show() {
    const view = this.model.get("view");
    const pictures = this.model.get("pictures");
    this.place.textContent = `Any size, several at once. They go to ${view.place}.`;
    this.place.title = view.folder;
    this.showFound(view.found);
    const known = new Set(view.rows.map((row) => row.key));
    const picked = [...this.agent.picked.values()].map(({ row }) => row);
    const rows = [...view.rows, ...picked.filter((row) => !known.has(row.key))];
    const keys = new Set(rows.map((row) => row.key));
    for (const [key, row] of this.rows) {
      if (!keys.has(key)) {
        row.element.remove();
        this.rows.delete(key);
      }
    }
    rows.forEach((told, n) => {
      if (!this.rows.has(told.key)) this.rows.set(told.key, new Row(this.agent, this.choose));
      const row = this.rows.get(told.key);
      row.show(told, pictures[told.key]);
      if (this.list.children[n] !== row.element) {
        this.list.insertBefore(row.element, this.list.children[n] ?? null);
      }
    });
    const direct = view.rows.some((row) => row.phase === "sending" && row.direct);
    const note = !this.agent.busy
      ? ""
      : `The notebook’s kernel does not answer. ${
          direct ? "The upload to the bucket goes on meanwhile." : "While a cell runs, the upload waits."
        } If the kernel was restarted, run this cell again and choose the same file: it goes on where it was.`;
    if (this.note.textContent !== note) this.note.textContent = note;
  }
}

export default () => {
  let agent = null;
  return {
    initialize({ model }) {
      agent = new Agent(model);
      return () => agent.close();
    },
    render({ model, el }) {
      const page = new Page(model, agent, el);
      return () => page.close();
    },
  };
};
