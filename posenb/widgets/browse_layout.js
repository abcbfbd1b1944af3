// What the page that browses poses consists of, and how it looks. Follows recording.js,
// elements.js, browse_stage.js, browse_timeline.js and browse_player.js.

const NARROW = 760; // pixels of CSS, as all of these
const SHARE = 0.46; // of the width for the picture at most
const LEAST = 476; // what the buttons below it need
const ONE_BAR = 38;
const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 4, 8];
const SPOTS = {
  unlikely: ["Least likely", (value) => `likelihood ${value.toFixed(2)}`],
  jumps: ["Largest jumps", (value) => `moved ${value.toFixed(value < 10 ? 1 : 0)} px in one frame`],
};

class Layout {
  build() {
    const { facts } = this;
    const title = make("b", "pnb-br-title", facts.title, { title: facts.title });
    const head = make("div", "pnb-br-head");
    head.append(title, make("span", "pnb-muted", this.summary()), this.gate());
    const chips = make("div", "pnb-br-chips");
    if (this.several) chips.append(this.chips(0, facts.individuals));
    chips.append(this.chips(1, facts.keypoints));
    const watch = make("div", "pnb-br-watch");
    this.frame = make("div", "pnb-br-frame");
    this.frame.append(this.stage.canvas);
    watch.append(this.frame, this.transport());
    const when = make("div", "pnb-br-when");
    when.append(this.timeline.root, this.timeTools());
    this.main = make("div", "pnb-br-main");
    this.main.append(watch, when);
    this.trouble = make("div", "pnb-br-trouble pnb-warn", facts.trouble);
    this.root.replaceChildren(head, this.trouble, chips, this.main, this.foot(), this.note);
    this.note.textContent = "";
  }

  summary() {
    const { facts } = this;
    const rate = facts.fps ? `${Number(facts.fps.toPrecision(4))} frames/s` : "frame rate unknown";
    return [`${facts.count.toLocaleString("en")} frame${facts.count === 1 ? "" : "s"}`, rate].join(" · ");
  }

  gate() {
    const box = make("label", "pnb-br-gate");
    this.slider = make("input", "", "", { type: "range", min: 0, max: 1, step: 0.01 });
    this.slider.value = this.cutoff;
    this.slider.disabled = !this.recording.unsure;
    this.share = make("span", "pnb-muted pnb-br-share");
    this.least = make("output", "", this.cutoff.toFixed(2));
    box.append(make("span", "", "Least likelihood"), this.slider, this.least, this.share);
    this.slider.addEventListener("input", () => this.cut(Number(this.slider.value)));
    return box;
  }

  chips(which, names) {
    const group = make("span", "pnb-br-names", "", { role: "group" });
    names.forEach((name, n) => {
      const chip = make("button", "jupyter-button pnb-br-chip", "", { type: "button", title: name });
      chip.append(make("i"), make("span", "", name));
      chip.addEventListener("click", (event) => this.toggle(which, n, event.detail > 1));
      group.append(chip);
    });
    this.chipGroups ??= [];
    this.chipGroups[which] = group;
    return group;
  }

  stageTools() {
    const tools = make("span", "pnb-br-group pnb-br-tools");
    const zoom = (factor) => () => this.stage.zoomAt(factor, ...this.stage.centre());
    this.toggles = ["skeleton", "names"].map((what) => {
      const made = button(what, what === "names" ? "Names of the points" : "Skeleton", () => {
        this.stage[what] = !this.stage[what];
        made.classList.toggle("pnb-on", this.stage[what]);
        this.stage.draw();
      });
      made.classList.toggle("pnb-on", this.stage[what]);
      return made;
    });
    tools.append(
      ...this.toggles,
      button("zoom-out", "Zoom out", zoom(1 / 1.5)),
      button("fit", "Whole frame (double click)", () => {
        this.stage.fit();
        this.stage.draw();
      }),
      button("zoom-in", "Zoom in (wheel)", zoom(1.5)),
    );
    return tools;
  }

  transport() {
    const bar = make("div", "pnb-br-bar pnb-br-transport");
    const step = (by, text, keys) => {
      const made = make("button", "jupyter-button pnb-br-step", text, {
        type: "button",
        title: `${Math.abs(by)} frame${Math.abs(by) > 1 ? "s" : ""} ${by < 0 ? "back" : "on"} (${keys})`,
      });
      made.addEventListener("click", () => this.step(by));
      return made;
    };
    this.play = button("play", "Play (space)", () => this.togglePlay(), { classes: "pnb-primary" });
    this.number = make("input", "pnb-br-number", "", { type: "number", step: 1, "aria-label": "Frame" });
    this.number.addEventListener("change", () => this.jump(Number(this.number.value)));
    // JupyterLab keeps Enter from fields, so that no change would come of it.
    this.number.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.stopPropagation();
      this.jump(Number(this.number.value));
      this.stage.canvas.focus({ preventScroll: true });
    });
    this.clock = make("span", "pnb-muted pnb-br-clock");
    this.speed = make("select", "pnb-br-speed", "", { title: "Speed", "aria-label": "Speed" });
    for (const each of SPEEDS) this.speed.append(make("option", "", `${each}×`, { value: each }));
    this.speed.value = 1;
    this.speed.addEventListener("change", () => {
      this.player.speed = Number(this.speed.value);
      if (this.player.playing) this.player.begin(this.row);
    });
    const steps = make("span", "pnb-br-group");
    steps.append(
      step(-100, "−100", "Page up"), step(-10, "−10", "Shift ←"), step(-1, "−1", "←"), this.play,
      step(1, "+1", "→"), step(10, "+10", "Shift →"), step(100, "+100", "Page down"),
    );
    const place = make("span", "pnb-br-group");
    place.append(make("label", "pnb-muted", "Frame"), this.number, this.clock, this.speed);
    bar.append(steps, place, this.stageTools());
    return bar;
  }

  timeTools() {
    const bar = make("div", "pnb-br-bar");
    const group = make("span", "pnb-br-group");
    const all = make("button", "jupyter-button", "All", { type: "button", title: "The whole recording" });
    all.addEventListener("click", () => {
      this.timeline.all();
      this.timeline.draw();
    });
    group.append(
      button("zoom-out", "A longer time", () => this.timeline.zoom(2)),
      button("zoom-in", "A shorter time around the frame (Ctrl and wheel)", () => this.timeline.zoom(0.5)),
      all,
    );
    bar.append(group, this.timeline.readout);
    return bar;
  }

  foot() {
    const foot = make("div", "pnb-br-foot");
    const worth = make("div", "pnb-br-part");
    this.kinds = make("select", "", "", { "aria-label": "Frames worth a look" });
    for (const [kind, [name]] of Object.entries(SPOTS)) {
      if (kind === "jumps" || this.recording.unsure) this.kinds.append(make("option", "", name, { value: kind }));
    }
    this.kinds.value = this.kind;
    this.kinds.addEventListener("change", () => {
      this.kind = this.kinds.value;
      this.at = null;
      this.askSpots();
    });
    this.spotText = make("span", "pnb-br-says");
    worth.append(
      make("b", "", "Worth a look"), this.kinds,
      (this.before = button("previous", "The one before (p)", () => this.hop(-1))),
      (this.after = button("next", "The next worst (n)", () => this.hop(1))),
      this.spotText,
    );
    const relabel = make("div", "pnb-br-part");
    this.marker = button("add", "Mark this frame for relabelling (m)", () => this.mark(), { text: "Mark frame" });
    this.take = button("accept", "", () => this.send("take"), { text: "Take into project" });
    this.label = button("right", "", () => this.askToLabel(), { text: "Label these", classes: "pnb-primary" });
    this.marks = make("span", "pnb-br-marks");
    const ends = make("span", "pnb-br-group");
    ends.append(this.take, this.label);
    relabel.append(make("b", "", "Relabel"), this.marker, this.marks, ends);
    this.message = make("div", "pnb-br-message", "", { role: "status" });
    foot.append(worth, relabel, this.message);
    return foot;
  }

  // --- how it looks --------------------------------------------------------------------------

  name(line) {
    const { keypoints } = this.recording;
    const keypoint = this.facts.keypoints[line % keypoints];
    return this.several ? `${this.facts.individuals[Math.floor(line / keypoints)]}: ${keypoint}` : keypoint;
  }

  group(line) {
    const { keypoints } = this.recording;
    return this.several ? Math.floor(line / keypoints) : line % keypoints;
  }

  dress() {
    const style = getComputedStyle(this.root);
    const token = (name) => style.getPropertyValue(`--${name}`).trim();
    const look = Object.fromEntries(
      ["paper", "ink", "muted", "faint", "raised", "accent", "warn"].map((name) => [name, token(name)]),
    );
    const themes = this.facts.themes;
    this.colours = (themes.find(({ paper }) => paper === look.paper) ?? themes[0]).keypoints;
    look.font = style.fontFamily;
    look.colour = (line) => this.colours[this.group(line) % this.colours.length];
    look.name = (line) => this.name(line);
    const same = JSON.stringify(look);
    this.stage.look = this.timeline.look = look;
    if (same === this.dressed) return;
    this.dressed = same;
    this.dressChips();
    this.resize();
    this.redraw();
  }

  dressChips() {
    this.chipGroups.forEach((group, which) => {
      [...group.children].forEach((chip, n) => {
        chip.setAttribute("aria-pressed", String(this.on[which][n]));
        chip.firstChild.hidden = this.several !== (which === 0);
        chip.firstChild.style.color = this.colours[n % this.colours.length];
      });
    });
  }

  resize() {
    const width = this.root.clientWidth;
    if (width < 50) return;
    const narrow = width < NARROW;
    this.root.classList.toggle("pnb-br-narrow", narrow);
    const [across, down] = this.stage.size;
    const tallest = Math.max(220, Math.min(480, 0.55 * window.innerHeight));
    const room = narrow ? width : Math.floor(SHARE * width);
    const high = Math.round(Math.min(tallest, (room * down) / across));
    const wide = Math.min(room, Math.round((high * across) / down));
    const column = Math.max(wide, Math.min(room, LEAST));
    this.root.style.setProperty("--left", `${column}px`);
    this.stage.resize(wide, high);
    this.timeline.resize(
      Math.floor(this.timeline.root.clientWidth), narrow ? 300 : Math.max(260, high + ONE_BAR),
    );
  }
}
