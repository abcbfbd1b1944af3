// The page that browses poses: what happens. Follows browse_layout.js in the same module.

const LATE = 250; // milliseconds for which the last picture stays, until the next is there
const STEPS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -100, PageDown: 100 };

class Page extends Layout {
  constructor(model, el) {
    super();
    this.model = model;
    this.token = Math.random().toString(36).slice(2);
    this.root = make("div", "pnb pnb-br", "", { "data-lm-suppress-shortcuts": "true" });
    this.note = make("div", "pnb-br-note pnb-muted", "", { role: "status" });
    this.root.append(this.note);
    el.append(this.root);
    this.listen = (message, buffers) => this.hear(message, buffers ?? []);
    this.follow = () => this.recording && this.showView();
    model.on("msg:custom", this.listen);
    model.on("change:view", this.follow);
    this.send("open");
    this.silence = setTimeout(() => {
      this.note.textContent = "The notebook’s kernel does not answer. While a cell runs, this waits; after a restart, run the cell again.";
    }, 4000);
  }

  send(what, more = {}) {
    this.model.send({ do: what, page: this.token, ...more });
  }

  async hear(message, buffers) {
    if (message.page !== this.token) return;
    if (message.told === "poses") await this.open(message.facts, buffers[0]);
    else if (message.told === "frame") this.pictures?.take(message.row, buffers[0], message.error);
    else if (message.told === "spots" && message.kind === this.kind) this.showSpots(message.spots);
  }

  async open(facts, buffer) {
    clearTimeout(this.silence);
    if (this.recording) return;
    const plain = new Blob([buffer]).stream().pipeThrough(new DecompressionStream("deflate"));
    const recording = new Recording(facts, new Uint8Array(await new Response(plain).arrayBuffer()));
    this.recording = recording;
    this.facts = facts;
    this.several = facts.individuals.length > 1;
    this.on = [facts.individuals, facts.keypoints].map((names) => names.map(() => true));
    this.row = 0;
    this.cutoff = facts.cutoff;
    this.kind = recording.unsure ? "unlikely" : "jumps";
    this.spots = [];
    this.stage = new Stage(recording, facts.size);
    this.timeline = new Timeline(recording);
    this.timeline.cutoff = this.cutoff;
    if (facts.size) {
      const ask = (rows) => this.send("frames", { rows });
      this.pictures = new Pictures(ask, (row) => this.came(row), (busy) => this.tellBusy(busy));
    }
    this.player = new Player(recording, this.pictures, (row) => this.go(row));
    this.build();
    this.wire();
    this.dress();
    this.go(0);
    this.showView();
    this.askSpots();
  }

  // --- what happens ----------------------------------------------------------------------

  wire() {
    this.stage.listen();
    this.timeline.listen((row) => {
      this.pause();
      this.go(row);
    });
    this.root.addEventListener("keydown", (event) => this.key(event));
    // After a click on a button keys still mean the frames.
    this.root.addEventListener("click", (event) => {
      if (event.detail && event.target.closest("button")) this.stage.canvas.focus({ preventScroll: true });
    });
    this.observer = new ResizeObserver(() => {
      cancelAnimationFrame(this.resizing);
      this.resizing = requestAnimationFrame(() => this.resize());
    });
    this.observer.observe(this.root);
    this.themes = new MutationObserver(() => this.dress());
    this.themes.observe(document.body, { attributes: true });
    this.themes.observe(document.documentElement, { attributes: true });
  }

  key(event) {
    const into = event.target.closest("input, select");
    if (into || event.ctrlKey || event.metaKey || event.altKey) return;
    const key = keyOf(event);
    const step = STEPS[key];
    if (step) this.step(step * (event.shiftKey && key.startsWith("Arrow") ? 10 : 1));
    else if (key === " " && !event.target.closest("button")) this.togglePlay();
    else if (key === "m") this.mark();
    else if (key === "n") this.hop(event.shiftKey ? -1 : 1);
    else if (key === "p") this.hop(-1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  step(by) {
    this.pause();
    this.go(this.row + by);
  }

  jump(frame) {
    this.pause();
    this.go(this.recording.nearest(frame / (this.facts.fps ?? 1)));
  }

  togglePlay() {
    if (this.player.playing) this.pause();
    else {
      this.player.start(this.row);
      this.showPlay();
    }
  }

  pause() {
    if (this.player.playing) this.player.stop();
    this.showPlay();
  }

  showPlay() {
    const { playing } = this.player;
    if (this.pictures) this.pictures.playing = playing;
    this.play.classList.toggle("pnb-icon-play", !playing);
    this.play.classList.toggle("pnb-icon-pause", playing);
    this.play.title = playing ? "Pause (space)" : "Play (space)";
    this.play.setAttribute("aria-label", this.play.title);
  }

  go(row) {
    this.row = Math.max(0, Math.min(this.recording.count - 1, row));
    this.timeline.show(this.row);
    this.number.value = this.recording.frames[this.row];
    this.clock.textContent = this.facts.fps ? `${this.recording.time(this.row).toFixed(2)} s` : "";
    this.showMarker();
    this.showPlay();
    if (!this.pictures) {
      this.stage.show(this.row, null);
      return;
    }
    clearTimeout(this.late);
    if (!this.pictures.has(this.row)) {
      this.late = setTimeout(() => this.stage.show(this.row, null, "Fetching the frame …"), LATE);
    }
    const near = [1, 2, -1].map((way) => this.row + way);
    const ahead = this.player.playing ? this.player.next(this.row) : near;
    this.pictures.want(this.row, ahead.filter((each) => each >= 0 && each < this.recording.count));
    if (this.pictures.has(this.row)) this.came(this.row);
  }

  async came(row) {
    if (row !== this.row) return;
    clearTimeout(this.late);
    const { picture, says } = await this.pictures.open(row);
    if (row === this.row) this.stage.show(row, picture, says);
    else picture?.close();
  }

  cut(cutoff) {
    this.cutoff = this.timeline.cutoff = cutoff;
    this.recording.cut(cutoff);
    this.least.textContent = cutoff.toFixed(2);
    cancelAnimationFrame(this.cutting);
    this.cutting = requestAnimationFrame(() => this.redraw());
    this.askSpotsSoon();
  }

  // A second click within the time of a double one leaves this name alone, or all.
  toggle(which, n, alone) {
    const on = this.on[which];
    const others = on.some((each, m) => each && m !== n);
    if (alone) this.on[which] = on.map((_, m) => m === n || !others);
    else on[n] = !on[n];
    const { recording } = this;
    for (let line = 0; line < recording.lines; line++) {
      const [i, k] = [Math.floor(line / recording.keypoints), line % recording.keypoints];
      recording.visible[line] = this.on[0][i] && this.on[1][k];
    }
    this.dressChips();
    this.redraw();
    this.askSpotsSoon();
  }

  redraw() {
    const { known, kept } = this.recording;
    const share = known ? (100 * kept) / known : 0;
    const digits = share > 99 && share < 100 ? 1 : 0;
    this.share.textContent = !this.recording.unsure
      ? "no likelihoods"
      : known ? `${share.toFixed(digits)} % of points` : "no points";
    this.timeline.empty = this.emptiness();
    this.timeline.draw();
    this.stage.draw();
  }

  emptiness() {
    const { recording } = this;
    if (recording.known === 0) return "Nothing was found in any frame.";
    if (!recording.visible.some(Boolean)) return "Nothing is chosen. Click a name above.";
    return recording.kept === 0 ? "Every point is less likely than asked for." : "";
  }

  askSpotsSoon() {
    clearTimeout(this.asking);
    this.asking = setTimeout(() => this.askSpots(), 200);
  }

  askSpots() {
    const shown = [...this.recording.visible].map(Boolean);
    this.send("spots", { kind: this.kind, cutoff: this.cutoff, shown });
  }

  showSpots(spots) {
    this.spots = this.timeline.spots = spots;
    const before = this.stage.spot;
    this.at = before ? spots.findIndex(({ row, line }) => row === before.row && line === before.line) : -1;
    if (this.at < 0) this.at = null;
    this.showSpot();
    this.timeline.drawCursor();
  }

  hop(way) {
    if (!this.spots.length) return;
    const from = this.at ?? (way > 0 ? -1 : this.spots.length);
    this.at = Math.max(0, Math.min(this.spots.length - 1, from + way));
    this.stage.spot = this.spots[this.at];
    this.pause();
    this.stage.reveal(this.stage.spot.line, this.stage.spot.row);
    this.go(this.spots[this.at].row);
    this.showSpot();
  }

  showSpot() {
    const { spots, at } = this;
    this.before.disabled = !spots.length || at === 0;
    this.after.disabled = !spots.length || at === spots.length - 1;
    if (!spots.length) this.spotText.textContent = "Nothing stands out.";
    else if (at === null) this.spotText.textContent = spots.length === 1 ? "1 frame" : `${spots.length} frames, the worst first`;
    else {
      const { row, line, value } = spots[at];
      const where = `frame ${this.recording.frames[row]}: ${this.name(line)}`;
      this.spotText.textContent = `${at + 1} of ${spots.length} · ${where}, ${SPOTS[this.kind][1](value)}`;
    }
  }

  askToLabel() {
    this.pause();
    this.root.scrollIntoView(); // the labeller takes this place, and is to be seen from its top
    this.send("label");
  }

  mark() {
    const frame = this.recording.frames[this.row];
    const marked = this.model.get("view").marks.some((each) => each.frame === frame);
    this.send(marked ? "unmark" : "mark", { frame });
  }

  // --- what the kernel tells ---------------------------------------------------------------

  showView() {
    const view = this.model.get("view");
    this.timeline.marks = view.marks;
    this.timeline.drawCursor();
    const chips = view.marks.map(({ frame, state }) => {
      const says = { image: " · in project", labelled: " · labelled", marked: "" }[state];
      const chip = make("button", `jupyter-button pnb-br-mark pnb-br-${state}`, `${frame}${says}`, {
        type: "button",
        title: `Go to frame ${frame}`,
      });
      chip.addEventListener("click", () => this.jump(frame));
      return chip;
    });
    const none = make("span", "pnb-muted", "No frame is marked yet.");
    this.marks.replaceChildren(...(chips.length ? chips : [none]));
    this.take.disabled = !view.waiting || Boolean(view.refusal);
    this.take.textContent = view.waiting ? `Take ${view.waiting} into ${view.project || "project"}` : `Take into ${view.project || "project"}`;
    this.take.title = view.refusal || "Take the marked frames into the project as images to label";
    const count = view.marks.length;
    this.label.disabled = !count || Boolean(view.refusal);
    this.label.textContent = count ? `Label ${count} frame${count > 1 ? "s" : ""}` : "Label these";
    this.label.title = view.refusal || "Open the labeller at the marked frames, with these poses as a start";
    const text = view.message || (count ? view.refusal : "");
    this.message.textContent = text;
    this.message.hidden = !text;
    this.message.classList.toggle("pnb-bad", view.bad);
    this.message.classList.toggle("pnb-good", Boolean(view.message) && !view.bad);
    this.showMarker();
  }

  showMarker() {
    const view = this.model.get("view");
    const frame = this.recording.frames[this.row];
    const on = view.marks.some((each) => each.frame === frame);
    this.marker.classList.toggle("pnb-on", on);
    this.marker.classList.toggle("pnb-icon-add", !on);
    this.marker.classList.toggle("pnb-icon-close", on);
    this.marker.textContent = on ? "Unmark frame" : "Mark frame";
    const there = view.labelled.includes(frame) ? "labelled" : view.images.includes(frame) ? "in the project" : "";
    this.marker.title = there ? `This frame is ${there} already (m)` : "Mark this frame for relabelling (m)";
  }

  tellBusy(busy) {
    this.note.textContent = busy
      ? "The notebook’s kernel does not answer: pictures wait until it is free. After a restart, run the cell again."
      : "";
  }

  close() {
    this.player?.stop();
    this.pictures?.close();
    for (const timer of [this.silence, this.late, this.asking]) clearTimeout(timer);
    this.observer?.disconnect();
    this.themes?.disconnect();
    this.model.off("msg:custom", this.listen);
    this.model.off("change:view", this.follow);
  }
}

export default {
  render({ model, el }) {
    const page = new Page(model, el);
    return () => page.close();
  },
};
