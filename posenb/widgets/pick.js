// What the picker shows: a frame, the line of the video (pick_strip.js) and the marked frames
// as small pictures (pick_shelves.js), which stand before it in the same module. The kernel holds the state; here is only what the eye and the hand need at once.

const STEPS = [
  [-100, "Page up"],
  [-10, "Shift ←"],
  [-1, "←"],
  [1, "→"],
  [10, "Shift →"],
  [100, "Page down"],
];
const SPEEDS = [0.25, 0.5, 1, 2, 4, 8];
const KEYS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -100, PageDown: 100 };

class Picker {
  constructor(model, el) {
    this.model = model;
    this.curves = new Map();
    this.shown = { clip: -1, frame: 0, time: "" };
    this.wanted = null; // the frame to ask for once the kernel has answered
    this.waits = 0; // since when an answer is waited for
    this.playing = null;
    el.classList.add("pnb", "pnb-pick");
    el.dataset.lmSuppressShortcuts = "true"; // JupyterLab keeps its letters to itself
    el.append(this.head(), this.body());
    el.addEventListener("keydown", (event) => this.key(event));
    this.draw = () => this.show();
    this.hear = (message, buffers) => this.receive(message, buffers);
    model.on("change:view", this.draw);
    model.on("msg:custom", this.hear);
    this.clock = setInterval(() => this.tick(), 250);
    this.show();
    this.say("hello");
  }

  close() {
    clearInterval(this.clock);
    this.pause();
    this.shelves.close();
    this.model.off("change:view", this.draw);
    this.model.off("msg:custom", this.hear);
    if (this.url) URL.revokeObjectURL(this.url);
  }

  say(what, more = {}) {
    this.model.send({ do: what, ...more });
  }

  // What is made once

  head() {
    const head = make("div", "pnb-pick-bar");
    this.clips = make("select", "pnb-pick-clips", "", { "aria-label": "Video" });
    this.clips.addEventListener("change", () => {
      this.pause();
      this.say("clip", { clip: Number(this.clips.value) });
    });
    this.facts = make("span", "pnb-muted pnb-pick-facts");
    head.append(this.clips, this.facts);
    return head;
  }

  body() {
    const body = make("div", "pnb-pick-body");
    const left = make("div", "pnb-pick-left");
    const stage = make("div", "pnb-pick-stage");
    this.picture = make("img", "pnb-pick-picture", "", { alt: "" });
    this.fault = make("div", "pnb-bad pnb-pick-fault");
    this.badge = make("span", "pnb-pick-badge");
    stage.append(this.picture, this.fault, this.badge);
    this.strip = new Strip((frame) => {
      this.pause();
      this.go(frame);
    });
    left.append(stage, this.strip.element, this.transport(), this.foot());
    const right = make("div", "pnb-pick-right");
    this.shelves = new Shelves(
      (what, more) => this.say(what, more),
      (frame) => {
        this.pause();
        this.go(frame);
      },
    );
    right.append(this.asking(), this.shelves.element);
    body.append(left, right);
    return body;
  }

  transport() {
    const line = make("div", "pnb-pick-bar pnb-pick-transport");
    const steps = STEPS.map(([by, keys]) => {
      const text = by > 0 ? `+${by}` : `−${-by}`;
      const one = make("button", "jupyter-button pnb-pick-step", text, {
        type: "button",
        title: `${Math.abs(by)} ${Math.abs(by) === 1 ? "frame" : "frames"} ${by > 0 ? "on" : "back"} (${keys})`,
      });
      one.addEventListener("click", () => this.step(by));
      return one;
    });
    this.play = button("play", "Play or pause (Space)", () => this.toggle());
    this.speed = make("select", "", "", { "aria-label": "Speed" });
    for (const speed of SPEEDS) {
      const option = make("option", "", `${speed}×`, { value: speed });
      option.selected = speed === 1;
      this.speed.append(option);
    }
    this.place = make("input", "pnb-pick-place", "", {
      type: "text",
      "aria-label": "Frame or time to go to",
      title: "Frame (1234) or time (0:41.5) to go to: type it and press Enter",
      spellcheck: "false",
    });
    this.place.addEventListener("keydown", (event) => {
      event.stopPropagation(); // notebooks take letters for their own shortcuts
      if (event.key === "Enter") {
        this.pause();
        this.say("find", { text: this.place.value });
        this.place.blur();
      } else if (event.key === "Escape") {
        this.place.blur();
        this.showPlace();
      }
    });
    this.place.addEventListener("focus", () => this.place.select());
    this.place.addEventListener("blur", () => this.showPlace());
    this.time = make("span", "pnb-muted pnb-pick-time");
    line.append(
      this.group(...steps.slice(0, 3), this.play, ...steps.slice(3)),
      this.speed,
      this.group(this.place, this.time),
    );
    return line;
  }

  group(...parts) {
    const made = make("span", "pnb-pick-group");
    made.append(...parts);
    return made;
  }

  asking() {
    const line = make("form", "pnb-pick-bar pnb-pick-ask");
    this.count = make("input", "pnb-pick-count", "", {
      type: "number",
      min: 1,
      max: 1000,
      "aria-label": "How many frames",
    });
    this.count.addEventListener("keydown", (event) => event.stopPropagation());
    this.method = make("select", "", "", { "aria-label": "How to choose them" });
    this.method.append(
      make("option", "", "that look different (k-means)", { value: "kmeans" }),
      make("option", "", "spread over time (uniform)", { value: "uniform" }),
    );
    this.suggest = make("button", "jupyter-button", "Suggest", { type: "submit" });
    line.append(this.suggest, this.count, make("span", "", "frames"), this.method);
    line.addEventListener("submit", (event) => {
      event.preventDefault();
      this.say("suggest", { count: Number(this.count.value) || 20, method: this.method.value });
    });
    return line;
  }

  foot() {
    const foot = make("div", "pnb-pick-foot");
    const line = make("div", "pnb-pick-bar");
    const mark = (by, icon, text) => button(icon, text, () => this.say("mark", { by }));
    this.take = button("add", "Take this frame, or let go of it (A)", () => this.toggleTake(), {
      text: "Take this frame",
      classes: "pnb-pick-take",
    });
    this.write = make("button", "jupyter-button pnb-primary pnb-pick-write", "", { type: "button" });
    this.write.addEventListener("click", () => {
      this.write.disabled = true;
      this.write.textContent = "Writing …";
      this.say("write");
    });
    this.message = make("div", "pnb-pick-message", "", { role: "status" });
    const marks = this.group(
      mark(-1, "previous", "Marked frame before (Shift+N)"),
      mark(1, "next", "Next marked frame (N)"),
    );
    line.append(this.take, marks, this.write);
    foot.append(line, this.message);
    return foot;
  }

  // What comes from the kernel

  receive(message, buffers) {
    const picture = () => URL.createObjectURL(new Blob([buffers[0]], { type: "image/jpeg" }));
    if (message.kind === "frame") this.showFrame(message, buffers.length ? picture() : "");
    if (message.kind === "tock") this.ticking = false;
    if (message.kind === "motion") {
      this.curves.set(message.clip, message);
      if (message.clip === this.view.current) this.strip.showCurve(message);
    }
    if (message.kind === "thumb" && buffers.length) {
      this.shelves.receive(message.clip, message.frame, picture());
    }
  }

  showFrame(message, url) {
    this.waits = 0;
    this.shown = message;
    this.fault.textContent = message.fault ?? "";
    this.picture.src = url || "data:,";
    this.picture.hidden = !url;
    this.picture.alt = `Frame ${message.frame}`;
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = url;
    this.strip.showFrame(message.frame, `Frame ${message.frame}, ${message.time}`);
    this.showPlace();
    this.showMark();
    const next = this.wanted;
    this.wanted = null;
    if (next !== null && next !== message.frame) this.go(next);
  }

  showPlace() {
    if (document.activeElement !== this.place) this.place.value = this.shown.frame;
    this.time.textContent = `of ${this.view.count} · ${this.shown.time}`;
  }

  showMark() {
    const { frame } = this.shown;
    const kind = ["there", "taken", "suggested"].find((name) => this.view[name].includes(frame));
    const says = { there: "In the project", taken: "To be written", suggested: "Suggested" };
    this.badge.textContent = says[kind] ?? "";
    this.badge.className = `pnb-pick-badge pnb-pick-badge-${kind ?? "none"}`;
    const taken = kind === "taken";
    this.take.textContent = taken ? "Let go of it" : "Take this frame";
    this.take.classList.toggle("pnb-icon-add", !taken);
    this.take.classList.toggle("pnb-icon-close", taken);
    this.take.disabled = kind === "there" || !this.view.count;
    this.shelves.showHere(frame);
  }

  show() {
    const view = (this.view = this.model.get("view"));
    const clips = view.clips.map((clip, n) => {
      const counts = [clip.there && `${clip.there} in the project`, clip.taken && `${clip.taken} to write`];
      return make("option", "", [clip.name, ...counts.filter(Boolean)].join(" · "), { value: n });
    });
    const told = clips.map((option) => option.textContent).join();
    if (told !== this.clipsTold) this.clips.replaceChildren(...clips);
    this.clipsTold = told;
    this.clips.value = view.current;
    this.facts.textContent = view.count
      ? `${view.count} frames · ${view.length} · ${Number(view.fps.toFixed(2))} per second`
      : "";
    if (this.current !== view.current) {
      this.current = view.current;
      this.strip.showCurve(null);
    }
    this.fault.textContent = view.fault;
    if (view.fault) this.picture.hidden = true;
    this.strip.show(view);
    this.strip.showCurve(this.curves.get(view.current));
    this.shelves.show(view);
    if (document.activeElement !== this.count && this.wantedTold !== view.wanted) {
      this.count.value = this.wantedTold = view.wanted;
    }
    if (this.methodTold !== view.method) this.method.value = this.methodTold = view.method;
    this.suggest.disabled = Boolean(view.busy?.choosing) || !view.count;
    const n = view.taken.length;
    const what = n === 1 ? "1 frame" : n ? `${n} frames` : "frames";
    this.write.textContent = `Write ${what} into the project`;
    this.write.disabled = n === 0;
    const said = view.message || (view.busy?.text ? `${view.busy.text} …` : "");
    this.message.textContent = [said, view.lost].filter(Boolean).join(" ");
    this.showPlace();
    this.showMark();
  }

  // What the hand does

  go(frame) {
    const last = Math.max(0, this.view.count - 1);
    const target = Math.min(Math.max(frame, 0), last);
    // One question at a time, and the last wish counts: so nothing piles up however slow the line.
    if (this.waits && performance.now() - this.waits < 5000) {
      this.wanted = target;
      return;
    }
    this.waits = performance.now();
    this.say("go", { frame: target });
  }

  step(by) {
    this.pause();
    this.go((this.wanted ?? this.shown.frame) + by);
  }

  toggle() {
    if (this.playing) this.pause();
    else this.start();
  }

  start() {
    if (!this.view.count) return;
    const end = this.view.count - 1;
    const first = this.shown.frame >= end ? 0 : this.shown.frame;
    this.playing = { first, since: performance.now() };
    this.showPlaying();
    const next = () => {
      if (!this.playing) return;
      const speed = Number(this.speed.value);
      if (speed !== this.playing.speed) {
        this.playing = { first: this.playing.speed ? this.shown.frame : first, since: performance.now(), speed };
      }
      const passed = (performance.now() - this.playing.since) / 1000;
      const frame = Math.min(end, this.playing.first + Math.floor(passed * this.view.fps * speed));
      if (frame !== this.shown.frame) this.go(frame);
      if (frame >= end) this.pause();
      else requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  }

  pause() {
    if (!this.playing) return;
    this.playing = null;
    this.showPlaying();
  }

  showPlaying() {
    this.play.classList.toggle("pnb-icon-pause", Boolean(this.playing));
    this.play.classList.toggle("pnb-icon-play", !this.playing);
  }

  toggleTake() {
    if (this.take.disabled) return;
    const frame = this.shown.frame;
    const taken = this.view.taken.includes(frame);
    this.say(taken ? "drop" : "take", { frames: [frame] });
  }

  tick() {
    // While a cell runs the kernel answers nothing: then one question waits there, not thousands.
    if (!this.view.busy || this.ticking) return;
    this.ticking = true;
    this.say("tick");
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (["INPUT", "SELECT"].includes(event.target.tagName)) return;
    const onButton = event.target.tagName === "BUTTON";
    const far = event.shiftKey ? 10 : 1;
    const key = keyOf(event);
    let did = true;
    if (key in KEYS) this.step(KEYS[key] * (key.startsWith("Arrow") ? far : 1));
    else if (key === " " && !onButton) this.toggle();
    else if (key === "Home") this.go(0);
    else if (key === "End") this.go(this.view.count - 1);
    else if (key === "a") this.toggleTake();
    else if (key === "n") this.say("mark", { by: event.shiftKey ? -1 : 1 });
    else did = false;
    if (!did) return;
    event.preventDefault();
    event.stopPropagation();
  }
}

export default {
  render({ model, el }) {
    const picker = new Picker(model, el);
    return () => picker.close();
  },
};
