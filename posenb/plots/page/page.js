// The page: what its controls do, and what the pointer finds.
"use strict";

const byId = (id) => document.getElementById(id);
const block = (id) => byId(id).textContent;

class Page {
  constructor(recording, image, reference) {
    this.recording = recording;
    this.facts = recording.facts;
    this.cutoff = this.facts.cutoff;
    this.themeName = document.documentElement.dataset.theme;
    this.sharpness = window.devicePixelRatio || 1;
    this.paths = new PathPanel(byId("paths"), recording, image, reference);
    this.traces = new TracePanel(byId("traces"), recording, reference);
    this.panels = [this.paths, this.traces];
    this.on = {
      individuals: this.facts.individuals.map(() => true),
      keypoints: this.facts.keypoints.map(() => true),
    };
    this.coloured = this.several ? "individuals" : "keypoints";
    this.kept = null; // index of the frame that was clicked
    this.pointed = null;
    this.work = new Map();
  }

  get theme() {
    return this.facts.themes[this.themeName];
  }

  get several() {
    return this.facts.individuals.length > 1;
  }

  look(line) {
    const { keypoints } = this.recording;
    const group = this.coloured === "individuals" ? Math.floor(line / keypoints) : line % keypoints;
    return { colour: this.theme.keypoints[group % this.theme.keypoints.length] };
  }

  get looks() {
    return Array.from({ length: this.recording.lines }, (_, line) => this.look(line));
  }

  open() {
    this.makeChips("individuals", this.several ? this.facts.individuals : []);
    byId("colours").hidden = !this.several;
    this.makeChips("keypoints", this.facts.keypoints);
    this.tell();
    this.dress();
    this.listen();
  }

  dress(whole = false) {
    document.documentElement.dataset.theme = this.themeName;
    byId("theme").textContent = this.themeName === "light" ? "Dark" : "Light";
    byId("theme").setAttribute("aria-label", `Switch to the ${byId("theme").textContent} theme`);
    this.colourChips();
    for (const panel of this.panels) panel.dress(this.theme, this.sharpness);
    this.draw(false, null, whole);
  }

  refresh() {
    for (const panel of this.panels) Plotly.relayout(panel.axes, panel.layout());
    this.draw(false);
  }

  moved(panel, hasty) {
    this.traces.hold(hasty);
    if (!hasty) Plotly.relayout(panel.axes, panel.layout()); // square pixels, fitting scales
    this.later(`draw ${panel.root.id}`, () => this.draw(hasty, panel));
  }

  // Once for each picture of the screen, however often it is asked for. What asks under the
  // same name takes the place of what asked before.
  later(name, work) {
    this.work.set(name, work);
    if (this.work.size > 1) return;
    requestAnimationFrame(() => {
      const all = [...this.work.values()];
      this.work.clear();
      for (const each of all) each();
    });
  }

  draw(hasty, moved = null, whole = false) {
    const { looks } = this;
    if (moved !== this.paths) this.traces.draw(looks, this.cutoff, hasty);
    this.paths.draw(looks, this.traces.times, hasty, whole);
    this.mark();
    this.tellEmpty();
  }

  mark() {
    const i = this.pointed?.i ?? this.kept;
    for (const panel of this.panels) {
      if (i === null || i === undefined || this.recording.count === 0) panel.clear("marks");
      else panel.mark(this.looks, i, this.pointed?.line ?? null);
    }
  }

  tell() {
    const { known, kept } = this.recording;
    byId("cutoff").value = this.cutoff;
    byId("cutoff").disabled = !this.recording.unsure;
    byId("cutoff-value").textContent = this.cutoff.toFixed(2);
    const share = known ? (100 * kept) / known : 0;
    const digits = share > 0 && share < 100 && (share > 99 || share < 1) ? 1 : 0;
    const words = known ? `${share.toFixed(digits)} % of points` : "no points";
    byId("share").textContent = this.recording.unsure ? words : "no likelihoods";
  }

  tellEmpty() {
    const { recording } = this;
    let text = "";
    if (recording.count === 0) text = "There is no frame in these poses.";
    else if (recording.known === 0) text = "Nothing was found in any frame.";
    else if (!recording.visible.some(Boolean)) text = "Nothing is chosen. Click a name above.";
    else if (recording.kept === 0) text = "Every point is less likely than asked for.";
    for (const note of document.querySelectorAll(".empty")) {
      note.textContent = text;
      note.hidden = text === "";
    }
  }

  makeChips(kind, names) {
    names.forEach((name, n) => {
      const chip = document.createElement("button");
      chip.type = "button";
      chip.append(document.createElement("i"), document.createElement("span"));
      chip.lastChild.textContent = chip.title = name;
      chip.addEventListener("click", (event) => this.toggle(kind, n, event.detail > 1));
      byId(kind).append(chip);
    });
    byId(kind).hidden = names.length === 0;
  }

  colourChips() {
    for (const kind of ["individuals", "keypoints"]) {
      [...byId(kind).children].forEach((chip, n) => {
        chip.setAttribute("aria-pressed", String(this.on[kind][n]));
        const { keypoints } = this.theme;
        chip.firstChild.hidden = kind !== this.coloured;
        chip.firstChild.style.color = keypoints[n % keypoints.length];
      });
    }
  }

  // A second click within the time of a double one leaves this name alone, or all.
  toggle(kind, n, alone) {
    const on = this.on[kind];
    const others = on.some((each, m) => each && m !== n);
    if (alone) this.on[kind] = on.map((_, m) => m === n || !others);
    else on[n] = !on[n];
    const { recording } = this;
    for (let line = 0; line < recording.lines; line++) {
      const individual = Math.floor(line / recording.keypoints);
      const keypoint = line % recording.keypoints;
      recording.visible[line] = this.on.individuals[individual] && this.on.keypoints[keypoint];
    }
    this.colourChips();
    this.later("refresh", () => this.refresh());
  }

  listen() {
    byId("cutoff").addEventListener("input", (event) => {
      this.cutoff = Number(event.target.value);
      this.recording.cut(this.cutoff);
      this.tell();
      this.later("draw", () => this.draw(true));
    });
    byId("cutoff").addEventListener("change", () => this.later("refresh", () => this.refresh()));
    byId("frame").addEventListener("change", (event) => this.keepNumber(event.target.value));
    byId("theme").addEventListener("click", () => {
      this.themeName = this.themeName === "light" ? "dark" : "light";
      this.dress();
    });
    byId("coloured").addEventListener("change", (event) => {
      this.coloured = event.target.value;
      this.dress();
    });
    byId("in").addEventListener("click", () => this.zoom(0.5));
    byId("out").addEventListener("click", () => this.zoom(2));
    byId("all").addEventListener("click", () => {
      for (const panel of this.panels) panel.reset();
      this.refresh();
    });
    for (const mode of ["zoom", "pan"]) byId(`mode-${mode}`).addEventListener("click", () => this.choose(mode));
    byId("traces").addEventListener("keydown", (event) => this.key(event));
    for (const panel of this.panels) {
      panel.listen((hasty) => this.moved(panel, hasty));
      this.listenTo(panel);
    }
    window.addEventListener("resize", () => this.later("dress", () => this.dress()));
    window.addEventListener("beforeprint", () => this.print(true));
    window.addEventListener("afterprint", () => this.print(false));
  }

  listenTo(panel) {
    let down = null;
    const find = (event) => {
      const { left, top } = panel.root.getBoundingClientRect();
      return panel.find(event.clientX - left, event.clientY - top, this.traces.times);
    };
    panel.root.addEventListener("pointermove", (event) => {
      if (event.buttons) return;
      this.latest = event;
      this.later("point", () => this.point(find(event), event));
    });
    panel.root.addEventListener("pointerleave", () => this.later("point", () => this.point(null)));
    panel.root.addEventListener("pointerdown", (event) => {
      down = [event.clientX, event.clientY];
    });
    window.addEventListener("pointerup", (event) => {
      const still = down && Math.hypot(event.clientX - down[0], event.clientY - down[1]) < 4;
      down = null;
      const found = still ? find(event) : null;
      if (!found) return;
      byId("traces").focus({ preventScroll: true }); // so that arrows step from here
      this.keep(found.i);
    });
    panel.root.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
      event.preventDefault();
      this.zoom(event.deltaY > 0 ? 1.25 : 0.8);
    }, { passive: false });
  }

  zoom(factor) {
    this.traces.zoom(factor);
    this.later("refresh", () => this.refresh());
  }

  choose(mode) {
    for (const each of ["zoom", "pan"]) byId(`mode-${each}`).setAttribute("aria-pressed", String(each === mode));
    for (const panel of this.panels) {
      panel.mode = mode;
      Plotly.relayout(panel.axes, { dragmode: mode });
    }
  }

  key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || this.recording.count === 0) return;
    event.preventDefault();
    const from = this.kept ?? this.recording.after(this.traces.times[0]);
    const i = from + step * (event.shiftKey ? 10 : 1);
    this.keep(Math.max(0, Math.min(this.recording.count - 1, i)));
  }

  keepNumber(text) {
    const { recording } = this;
    if (text === "" || recording.count === 0) {
      this.keep(null);
      return;
    }
    this.keep(recording.nearest(Number(text) / (this.facts.fps ?? 1)));
  }

  keep(i) {
    this.kept = i;
    this.pointed = null;
    byId("frame").value = i === null ? "" : this.recording.frames[i];
    if (i !== null && this.traces.reveal(i)) this.refresh();
    else this.mark();
    document.dispatchEvent(new CustomEvent("posenb-keep", { detail: i }));
  }

  point(found, event) {
    this.pointed = found;
    this.mark();
    const tip = byId("tip");
    tip.hidden = found === null;
    if (found === null) return;
    tip.replaceChildren(...this.words(found));
    const { width, height } = tip.getBoundingClientRect();
    const left = event.clientX + 16 + width > innerWidth ? event.clientX - 16 - width : event.clientX + 16;
    const top = Math.min(event.clientY + 14, innerHeight - height - 6);
    tip.style.left = `${Math.max(4, left)}px`;
    tip.style.top = `${Math.max(4, top)}px`;
  }

  words({ i, line }) {
    const { recording, facts } = this;
    const lines = [];
    const say = (text) => {
      const part = document.createElement("div");
      part.textContent = text;
      lines.push(part);
    };
    if (line !== null) {
      const name = document.createElement("b");
      const colour = document.createElement("i");
      colour.style.background = this.look(line).colour;
      const individual = facts.individuals[Math.floor(line / recording.keypoints)];
      const keypoint = facts.keypoints[line % recording.keypoints];
      name.append(colour, this.several ? `${individual}: ${keypoint}` : keypoint);
      lines.push(name);
    }
    const time = facts.fps ? ` · ${recording.time(i).toFixed(facts.fps > 100 ? 3 : 2)} s` : "";
    say(`frame ${recording.frames[i]}${time}`);
    if (line === null) return lines;
    const [x, y, p] = CHANNELS.map((channel) => recording.at(channel, line, i));
    say(Number.isNaN(x) ? "not found" : `x ${x.toFixed(1)}, y ${y.toFixed(1)} px`);
    say(Number.isNaN(p) ? "likelihood unknown" : `likelihood ${p.toFixed(3)}`);
    return lines;
  }

  // On paper the page is light and sharp, and lies across one sheet.
  print(begins) {
    document.documentElement.classList.toggle("paper", begins);
    if (begins) this.shownTheme = this.themeName;
    this.themeName = begins ? "light" : this.shownTheme;
    this.sharpness = begins ? 4 : window.devicePixelRatio || 1;
    this.dress(true); // at a power of two: with others, Chromium scales canvases inexactly
  }
}

async function load(source) {
  if (!source) return null;
  const image = new Image();
  image.src = source;
  await image.decode();
  return image;
}

// What the poses are compared with, shown and hidden together with them.
async function loadReference(facts, recording) {
  if (!facts.reference) return null;
  const own = { ...facts, ...facts.reference };
  const reference = new Recording(own, await inflate(block("reference-data")));
  reference.visible = recording.visible;
  return reference;
}

async function start() {
  const facts = JSON.parse(block("facts-data"));
  const [bytes, plotly, image] = await Promise.all([
    inflate(block("poses-data")),
    inflate(block("plotly-code")),
    load(facts.image?.source),
  ]);
  const code = document.createElement("script");
  code.textContent = new TextDecoder().decode(plotly);
  document.head.append(code);
  const recording = new Recording(facts, bytes);
  const page = new Page(recording, image, await loadReference(facts, recording));
  page.open();
  window.posenb = page;
  document.documentElement.dataset.ready = "true";
  return page;
}

const opening = start();
opening.catch((error) => {
  byId("trouble").textContent = `This page could not be opened: ${error.message}. It needs a browser of 2023 or later.`;
  byId("trouble").hidden = false;
});
