// What the app shows: one step at a time, told by the kernel. It follows upload_agent.js and
// elements.js in the same module.

const SILENCE = 12000; // milliseconds without an answer after which the visitor is told
const PAUSE = 400; // milliseconds after the last letter
const SIGHS = 2500; // milliseconds after which a piece of a file is asked for again
const QUALITIES = [
  ["fast", "Fast", "looks at pictures of half the width and height"],
  ["normal", "Normal", "looks as the model has learned to"],
  ["exact", "Exact", "looks at each frame mirrored, too"],
];

// A file of the results, asked for piece by piece.
class Fetch {
  constructor(model, what, onShare) {
    this.model = model;
    this.what = what;
    this.onShare = onShare;
    this.parts = [];
    this.position = 0;
  }

  whole(type) {
    return new Promise((resolve) => {
      this.resolve = () => resolve(new Blob(this.parts, { type }));
      this.listen = (message, buffers) => this.take(message, buffers);
      this.model.on("msg:custom", this.listen);
      this.clock = setInterval(() => {
        if (performance.now() - this.asked > SIGHS) this.ask();
      }, SIGHS);
      this.ask();
    });
  }

  ask() {
    this.asked = performance.now();
    this.model.send({ do: "give", what: this.what, start: this.position });
  }

  take(message, buffers) {
    const mine = message.ask === "take" && message.what === this.what;
    if (!mine || message.start !== this.position) return;
    if (buffers.length) {
      const part = buffers[0];
      this.parts.push(part);
      this.position += part.byteLength;
      this.onShare(this.position / message.size);
    }
    if (this.position < message.size) {
      this.ask();
      return;
    }
    clearInterval(this.clock);
    this.model.off("msg:custom", this.listen);
    this.resolve();
  }
}

class AppPage {
  constructor(model, agent, el) {
    this.model = model;
    this.agent = agent;
    this.made = "";
    this.parts = {};
    this.frame = null;
    el.classList.add("pnb", "pnb-app");
    el.dataset.lmSuppressShortcuts = "true";
    el.addEventListener("keydown", (event) => event.stopPropagation());
    this.input = make("input", "", "", { type: "file", hidden: "" });
    this.input.accept = "video/*,.avi,.mkv,.mov,.mp4,.mpg,.mts,.m2ts,.wmv,.flv,.h264,.ts,.y4m";
    this.input.addEventListener("change", () => {
      agent.pick(this.input.files);
      this.input.value = "";
    });
    this.steps = make("ol", "pnb-app-steps");
    this.note = make("div", "pnb-app-note", "", { role: "status" });
    this.problem = make("div", "pnb-app-problem", "", { role: "alert" });
    this.main = make("main", "pnb-app-main");
    const head = make("header", "pnb-app-head");
    this.head = head;
    const brand = make("div", "pnb-app-brand");
    brand.append(make("b", "", "posenb"), make("span", "pnb-muted", "finds animals in videos"));
    const nav = make("nav", "", "", { "aria-label": "Steps" });
    nav.append(this.steps);
    head.append(brand, nav);
    el.append(head, this.note, this.problem, this.main, this.input);
    this.dropOn(el);
    this.draw = () => this.show();
    model.on("change:view", this.draw);
    model.on("change:pictures", this.draw);
    agent.watchers.add(this.draw);
    this.taken = ""; // the results that were taken home
    this.el = el;
    this.show();
    this.say({ do: "pictures" });
  }

  // Whether a visit that ends now would lose what takes long to get again.
  atStake({ step, arrival, found }) {
    return step === "run" || arrival !== null || (found !== null && JSON.stringify(found) !== this.taken);
  }

  close() {
    this.model.off("change:view", this.draw);
    this.model.off("change:pictures", this.draw);
    this.agent.watchers.delete(this.draw);
  }

  // Longer than the report keeps a slow browser from hearing anything.
  get silent() {
    return this.agent.asked > 0 && performance.now() - this.agent.asked > SILENCE;
  }

  say(message) {
    this.model.send(message);
  }

  dropOn(el) {
    let depth = 0;
    const lit = (on) => el.classList.toggle("pnb-app-over", on);
    const takes = () => this.model.get("view").step !== "run";
    el.addEventListener("dragenter", (event) => {
      event.preventDefault();
      depth += 1;
      lit(takes());
    });
    el.addEventListener("dragleave", () => {
      depth -= 1;
      lit(depth > 0 && takes());
    });
    el.addEventListener("dragover", (event) => event.preventDefault());
    el.addEventListener("drop", (event) => {
      event.preventDefault();
      event.stopPropagation();
      depth = 0;
      lit(false);
      if (takes() && event.dataTransfer.files.length) this.agent.pick(event.dataTransfer.files);
    });
  }

  // --- the whole ------------------------------------------------------------------------

  show() {
    const view = this.model.get("view");
    this.el.toggleAttribute("data-at-stake", this.atStake(view));
    this.showSteps(view);
    this.tell(this.problem, view.problem);
    this.tell(
      this.note,
      this.silent
        ? "The app does not answer. It may be busy: wait a little. If it stays so, it was ended: load this page again and begin anew."
        : "",
    );
    const draw = {
      video: () => this.showVideo(view),
      model: () => this.showModels(view),
      options: () => this.showOptions(view),
      run: () => this.showRun(view),
      look: () => this.showLook(view),
    };
    draw[view.step]();
  }

  tell(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  showSteps(view) {
    const made = JSON.stringify([view.steps, view.step]);
    if (made === this.stepsMade) return;
    this.stepsMade = made;
    const at = view.steps.findIndex((step) => step.name === view.step);
    this.steps.replaceChildren(
      ...view.steps.map((step, n) => {
        const item = make("li", n < at ? "pnb-app-past" : "");
        const go = make("button", "pnb-app-step", "", { type: "button" });
        go.append(make("i", "", `${n + 1}`), make("span", "", step.title));
        go.disabled = !step.open || step.name === view.step;
        if (step.name === view.step) {
          item.classList.add("pnb-app-here");
          go.setAttribute("aria-current", "step");
        }
        go.addEventListener("click", () => this.say({ do: "go", step: step.name }));
        item.append(go);
        return item;
      }),
    );
  }

  // Builds a step anew only when something changed that it is built of.
  rebuild(key, build) {
    const made = JSON.stringify(key);
    if (made === this.made) return;
    this.made = made;
    const scrolls = this.main.dataset.step === key[0];
    this.main.dataset.step = key[0];
    this.parts = {};
    this.main.replaceChildren(...build());
    if (!scrolls) this.head.scrollIntoView({ block: "nearest" });
  }

  act(text, message, { icon = "", primary = false } = {}) {
    const classes = `jupyter-button ${primary ? "pnb-primary pnb-app-go" : ""}`;
    const made = make("button", `${classes} ${icon ? `pnb-icon pnb-icon-${icon}` : ""}`, text, {
      type: "button",
    });
    made.addEventListener("click", typeof message === "function" ? message : () => this.say(message));
    return made;
  }

  // --- video ----------------------------------------------------------------------------

  showVideo(view) {
    const { arrival, looking, clip } = view;
    const picked = [...this.agent.picked.values()][0]?.row.name;
    const busy = arrival?.name ?? looking ?? picked ?? null;
    const pictures = this.model.get("pictures");
    this.rebuild(["video", busy, looking, clip, pictures.clip, view.found, view.limit], () => {
      if (busy !== null) return [this.arriving(busy, arrival !== null)];
      const row = clip ? [this.clipRow(clip, pictures.clip)] : [];
      return [this.invitation(view), ...row, ...this.warning(view)];
    });
    if (arrival && this.parts.bar) {
      this.parts.bar.firstChild.style.width = `${100 * arrival.share}%`;
      this.parts.bar.setAttribute("aria-valuenow", Math.floor(100 * arrival.share));
      this.tell(this.parts.words, [arrival.amount, arrival.pace].filter(Boolean).join(" · "));
    } else if (this.parts.words) {
      this.tell(this.parts.words, looking ? "All is here. Looking at it …" : "Waits for the app …");
    }
  }

  invitation(view) {
    const area = make("div", "pnb-app-drop");
    area.append(make("span", "pnb-app-arrow pnb-icon pnb-icon-upload"));
    area.append(make("h2", "", view.clip ? "Drop another video here" : "Drop a video here"));
    area.append(
      make("p", "", "You get where each part of the body is, frame by frame: a labelled video, tables and a report."),
      this.act("Choose a video", () => this.input.click(), { primary: true }),
      make(
        "p",
        "pnb-muted",
        `One animal, well in view; up to ${view.limit}. The video goes to the computer that runs this app and is removed from there when you close the page.`,
      ),
    );
    return area;
  }

  arriving(name, cancels) {
    const box = make("div", "pnb-app-arriving");
    const line = make("div", "pnb-app-line");
    line.append(make("b", "pnb-app-name", name, { title: name }));
    if (cancels) line.append(this.act("Cancel", { do: "cancel" }, { icon: "close" }));
    const bar = make("div", "pnb-bar", "", { role: "progressbar", "aria-label": name });
    bar.append(make("i"));
    if (cancels) bar.firstChild.style.width = "0";
    if (!cancels) bar.classList.add("pnb-app-endless");
    this.parts.bar = cancels ? bar : null;
    this.parts.words = make("p", "pnb-muted", "");
    box.append(line, bar, this.parts.words);
    return box;
  }

  clipRow(clip, picture) {
    const row = make("div", "pnb-app-clip");
    if (picture) row.append(make("img", "", "", { src: picture, alt: `First frame of ${clip.name}` }));
    const words = make("div");
    words.append(make("b", "pnb-app-name", clip.name, { title: clip.name }));
    words.append(make("p", "pnb-muted", clip.facts));
    clip.notes.forEach((note) => words.append(make("p", "pnb-warn", note)));
    row.append(words);
    if (this.model.get("view").step === "video") {
      row.append(this.act("Go on with it", { do: "go", step: "model" }));
    }
    return row;
  }

  // What is given up by going on from here.
  warning({ found, clip }) {
    if (found === null) return [];
    const line = make("div", "pnb-app-line");
    line.append(
      make("span", "", `Another video, model or run replaces what was found in ${clip.name}.`),
      this.act("Look at it, take it home", { do: "go", step: "look" }),
    );
    return [line];
  }

  // --- model ----------------------------------------------------------------------------

  showModels(view) {
    const pictures = this.model.get("pictures");
    const { clip, models, model, found } = view;
    const key = ["model", clip, pictures.clip, models, model, found, Object.keys(pictures)];
    this.rebuild(key, () => {
      const cards = make("div", "pnb-app-cards");
      cards.append(...view.models.map((card) => this.card(card, pictures, view.model)));
      const empty = "No model is at hand. Whoever runs this app can add some: posenb zoo --help.";
      return [
        this.clipRow(view.clip, pictures.clip),
        ...this.warning(view),
        make("h2", "", "Which of these is like your video?"),
        view.models.length ? cards : make("p", "", empty),
      ];
    });
  }

  card(card, pictures, chosen) {
    const box = make("article", `pnb-app-card ${card.name === chosen ? "pnb-app-chosen" : ""}`);
    const picture = pictures[card.name]
      ? make("img", "", "", { src: pictures[card.name], alt: `Body parts: ${card.keypoints.join(", ")}` })
      : make("span", "pnb-app-blank");
    const words = make("div", "pnb-app-words");
    words.append(make("h3", "", card.title), make("p", "", card.summary || card.view));
    const facts = make("dl", "pnb-app-facts");
    const fact = (name, value) => {
      if (value) facts.append(make("dt", "", name), make("dd", "", value));
    };
    fact("Animal", card.species);
    const many = card.keypoints.length > 8;
    fact("Finds", many ? `${card.keypoints.length} points of the body` : card.keypoints.join(", "));
    fact("Mean error", card.exact);
    const limits = make("details", "pnb-app-limits");
    const list = make("ul");
    list.append(...card.limits.map((limit) => make("li", "", limit)));
    limits.append(make("summary", "", "More, and limits"));
    limits.append(make("p", "", `Made for animals seen ${card.view}.`), list);
    if (many) limits.append(make("p", "pnb-muted", `It finds: ${card.keypoints.join(", ")}.`));
    const foot = make("div", "pnb-app-foot");
    foot.append(this.act("Use this model", { do: "choose", model: card.name }, { primary: true }));
    words.append(facts, limits, foot);
    box.append(picture, words);
    return box;
  }

  // --- options --------------------------------------------------------------------------

  showOptions(view) {
    this.rebuild(["options", view.clip, view.model, view.found], () => {
      const form = make("form", "pnb-app-form");
      form.append(this.rangeField(view), this.qualityField(view), this.sizeField(view));
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.begin();
      });
      const side = make("aside", "pnb-app-side");
      this.parts.trialPicture = make("img", "pnb-app-trial", "", { alt: "" });
      this.parts.verdict = make("p", "pnb-app-verdict");
      this.parts.facts = make("dl", "pnb-app-facts");
      this.parts.go = make("button", "jupyter-button pnb-primary pnb-app-go", "Find the animal", {
        type: "submit",
      });
      form.append(this.parts.go, ...this.warning(view));
      this.parts.advice = make("p");
      side.append(this.parts.trialPicture, this.parts.verdict, this.parts.advice, this.parts.facts);
      const both = make("div", "pnb-app-both");
      both.append(form, side);
      return [both];
    });
    this.fillOptions(view);
    this.fillTrial(view);
  }

  rangeField(view) {
    const field = make("fieldset", "pnb-app-field");
    field.append(make("legend", "", "Which part of the video"));
    const line = make("div", "pnb-app-line");
    const number = (name, label) => {
      const input = make("input", "", "", {
        type: "number",
        min: 0,
        max: view.clip.seconds,
        step: "any",
        "aria-label": label,
      });
      input.addEventListener("input", () => this.changeSoon());
      this.parts[name] = input;
      return input;
    };
    line.append("from", number("start", "First second"), "to", number("stop", "Last second"), "s");
    const quick = make("div", "pnb-app-line");
    const part = (text, stop) => {
      const one = this.act(text, () => {
        this.parts.start.value = 0;
        this.parts.stop.value = stop ?? "";
        this.change();
      });
      quick.append(one);
    };
    if (view.clip.seconds > 12) {
      part("Whole video", null);
      part("First 10 s", 10);
    }
    if (view.clip.seconds > 70) part("First minute", 60);
    field.append(line, quick);
    return field;
  }

  qualityField(view) {
    const field = make("fieldset", "pnb-app-field");
    field.append(make("legend", "", "How exact"));
    this.parts.qualities = QUALITIES.map(([name, title, words]) => {
      const label = make("label", "pnb-app-choice");
      const radio = make("input", "", "", { type: "radio", name: "quality", value: name });
      radio.addEventListener("change", () => this.change());
      const time = make("span", "pnb-app-time");
      this.parts[`time-${name}`] = time;
      label.append(radio, make("b", "", title), make("span", "pnb-muted", words), time);
      field.append(label);
      return radio;
    });
    return field;
  }

  sizeField() {
    const field = make("details", "pnb-app-field");
    field.append(make("summary", "", "Size of the animal"));
    const label = make("label", "pnb-app-line");
    const input = make("input", "", "", {
      type: "number",
      min: 0.25,
      max: 4,
      step: "any",
      placeholder: "found by itself",
    });
    input.addEventListener("input", () => this.changeSoon());
    this.parts.size = input;
    label.append(input, "times as long in the picture as those that the model learned from");
    field.append(label);
    return field;
  }

  chosen() {
    const number = (input) => (input.value === "" ? null : Number(input.value));
    return {
      start: number(this.parts.start) ?? 0,
      stop: number(this.parts.stop),
      quality: this.parts.qualities.find((radio) => radio.checked)?.value ?? "normal",
      size: number(this.parts.size),
    };
  }

  changeSoon() {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.made.startsWith('["options"') && this.change(), PAUSE);
  }

  change() {
    this.say({ do: "set", options: this.chosen() });
  }

  begin() {
    this.say({ do: "start", options: this.chosen() });
  }

  fillOptions({ options, clip }) {
    const fill = (input, value) => {
      if (document.activeElement !== input) input.value = value ?? "";
    };
    fill(this.parts.start, options.start);
    fill(this.parts.stop, options.stop);
    fill(this.parts.size, options.size);
    this.parts.stop.placeholder = `${clip.seconds}`;
    this.parts.qualities.forEach((radio) => (radio.checked = radio.value === options.quality));
  }

  fillTrial(view) {
    const { trial, trying, trouble, clip } = view;
    const pictures = this.model.get("pictures");
    const { trialPicture, verdict, facts } = this.parts;
    const source = (trial && pictures.trial) || pictures.clip || "";
    if (trialPicture.src !== source) trialPicture.src = source;
    trialPicture.alt = trial ? "A frame with what the model sees in it" : `First frame of ${clip.name}`;
    this.tell(this.parts.advice, trouble ? "" : (trial?.advice ?? ""));
    QUALITIES.forEach(([name]) => {
      this.tell(this.parts[`time-${name}`], trial?.needed[name] ?? "");
    });
    const card = view.models.find((each) => each.name === view.model);
    const waits = trying ? "The model looks at a few frames …" : "";
    this.tell(verdict, trouble || trial?.says || waits);
    verdict.className = `pnb-app-verdict pnb-app-${trouble ? "poor" : (trial?.verdict ?? "waits")}`;
    const rows = [
      ["Model", card?.title],
      ["How sure", trial && `${trial.likelihood} on average, in a few frames`],
      ["Animal", trial?.size],
      ["Frames", trial && [view.frames.toLocaleString("en"), trial.shorter].filter(Boolean).join(". ")],
    ].filter(([, value]) => value);
    const made = JSON.stringify(rows);
    if (made === this.parts.factsMade) return;
    this.parts.factsMade = made;
    facts.replaceChildren(
      ...rows.flatMap(([name, value]) => [make("dt", "", name), make("dd", "", value)]),
    );
  }

  // --- run ------------------------------------------------------------------------------

  showRun(view) {
    const { job } = view;
    const pictures = this.model.get("pictures");
    this.rebuild(["run", view.clip.name, view.model], () => {
      const box = make("div", "pnb-app-both");
      const list = make("ol", "pnb-app-stages");
      this.parts.stages = job.stages.map((title) => {
        const item = make("li");
        item.append(make("span", "", title));
        list.append(item);
        return item;
      });
      this.parts.bar = make("div", "pnb-bar", "", { role: "progressbar", "aria-label": "Progress" });
      this.parts.bar.append(make("i"));
      this.parts.words = make("p", "pnb-muted");
      const left = make("div", "pnb-app-work");
      const foot = make("div", "pnb-app-line");
      foot.append(this.act("Stop", { do: "stop" }, { icon: "stop" }));
      left.append(list, this.parts.bar, this.parts.words, foot);
      const side = make("aside", "pnb-app-side");
      const picture = (view.trial && pictures.trial) || pictures.clip;
      side.append(make("img", "pnb-app-trial", "", { src: picture, alt: "" }));
      side.append(make("b", "pnb-app-name", view.clip.name), make("p", "pnb-muted", view.clip.facts));
      box.append(left, side);
      return [box];
    });
    this.parts.stages.forEach((item, n) => {
      item.className = n < job.stage ? "pnb-app-done" : n === job.stage ? "pnb-app-doing" : "";
    });
    const { bar, words } = this.parts;
    bar.classList.toggle("pnb-app-endless", job.share === null);
    bar.firstChild.style.width = job.share === null ? "" : `${100 * job.share}%`;
    bar.setAttribute("aria-valuenow", Math.floor(100 * (job.share ?? 0)));
    this.tell(words, job.words);
  }

  // --- look -----------------------------------------------------------------------------

  showLook(view) {
    const { found, clip } = view;
    this.rebuild(["look", clip.name, view.model, found], () => {
      const top = make("div", "pnb-app-found");
      const share = make("div", `pnb-app-share pnb-app-${found.verdict}`);
      share.append(make("b", "", found.share), make("span", "", "found surely"));
      const words = make("div", "pnb-app-words");
      words.append(make("p", "pnb-app-verdict", found.says));
      words.append(
        make("p", "pnb-muted", `Mean over body parts, in ${found.frames} frames of ${clip.name}; the animal is ${found.size}.`),
      );
      const further = make("div", "pnb-app-line pnb-app-further");
      further.append(
        this.act("Another model", { do: "go", step: "model" }),
        this.act("Another video", { do: "go", step: "video" }),
      );
      top.append(share, words, further);
      const files = make("div", "pnb-app-line pnb-app-files");
      files.append(...found.files.map((file, n) => this.download(file, clip.name, n === 0)));
      this.frame = make("iframe", "pnb-app-report", "", {
        title: `What was found in ${clip.name}`,
        allowfullscreen: "",
      });
      this.fillReport(this.frame);
      return [top, files, this.frame];
    });
  }

  async fillReport(frame) {
    frame.srcdoc = "<p style='font: 14px system-ui, sans-serif; color: #5F6B76'>Bringing the report …</p>";
    const page = await new Fetch(this.model, "report", () => {}).whole("text/html");
    const text = await page.text();
    if (this.frame === frame) frame.srcdoc = text;
  }

  download(file, name, primary) {
    const made = this.act("", () => bring(), { icon: "save", primary });
    const title = make("span", "", file.title);
    made.append(title, make("small", "", file.size));
    const bring = async () => {
      made.disabled = true;
      const blob = await new Fetch(this.model, file.what, (share) => {
        title.textContent = `${Math.floor(100 * share)} %`;
      }).whole("application/octet-stream");
      title.textContent = file.title;
      made.disabled = false;
      const stem = name.replace(/\.[^.]*$/, "") || "video";
      const ends = { all: "_posenb.zip", video: "_labelled.mp4", table: "_positions.csv" };
      const link = make("a", "", "", { download: stem + (ends[file.what] ?? "_report.html") });
      link.href = URL.createObjectURL(blob);
      link.click();
      if (primary) this.taken = JSON.stringify(this.model.get("view").found);
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    };
    return made;
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
      const page = new AppPage(model, agent, el);
      return () => page.close();
    },
  };
};
