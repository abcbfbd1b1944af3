// What the gallery shows: tiles of labelled frames, and one of them at large. The kernel holds
// the state and says what is drawn, in pixels of the image; here it becomes SVG.

const SVG = "http://www.w3.org/2000/svg";

function draw(tag, attributes, content = "") {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (content) element.textContent = content;
  return element;
}

// Labels over a picture that fills `area`, seen through `box`; both left, top, width, height in
// pixels of the image. `unit` is a CSS pixel in pixels of the image.
function labelled(url, area, box, told, { names = false, unit = 1 } = {}) {
  const svg = draw("svg", { viewBox: box.join(" "), preserveAspectRatio: "xMidYMid meet" });
  const [x, y, width, height] = area;
  svg.append(draw("image", { href: url, x, y, width, height, preserveAspectRatio: "none" }));
  for (const [x1, y1, x2, y2] of told.edges) {
    svg.append(draw("line", { x1, y1, x2, y2, class: "pnb-gallery-edge" }));
  }
  for (const point of told.points) {
    const at = { cx: point.x, cy: point.y };
    if (point.doubtful) svg.append(draw("circle", { ...at, r: 11 * unit, class: "pnb-gallery-ring" }));
    const dot = draw("circle", {
      ...at,
      r: 4.5 * unit,
      class: `pnb-gallery-dot${point.hidden ? " pnb-gallery-hidden" : ""}`,
    });
    dot.style.setProperty("--dot", point.colour);
    dot.append(draw("title", {}, point.name));
    svg.append(dot);
    if (names || point.doubtful) {
      const right = point.x > box[0] + 0.78 * box[2];
      svg.append(
        draw(
          "text",
          {
            x: point.x + (right ? -1 : 1) * (point.doubtful ? 14 : 8) * unit,
            y: point.y + 4 * unit,
            "font-size": 12 * unit,
            "stroke-width": 3 * unit,
            "text-anchor": right ? "end" : "start",
            class: "pnb-gallery-name",
          },
          point.name,
        ),
      );
    }
  }
  return svg;
}

const approved = (reason) => `Found right: ${reason}`;

class Gallery {
  constructor(model, el) {
    this.model = model;
    this.el = el;
    this.tiles = new Map(); // frame -> element
    this.drawings = new Map(); // frame -> what came for its tile, with the URL of its picture
    this.asked = new Set();
    this.close_up = true;
    this.names = true;
    el.classList.add("pnb", "pnb-gallery");
    el.dataset.lmSuppressShortcuts = "true"; // JupyterLab keeps its letters to itself
    this.grid = make("div", "pnb-gallery-grid");
    this.empty = make("p", "pnb-muted pnb-gallery-empty");
    this.wall = make("div", "pnb-gallery-wall");
    this.fault = make("p", "pnb-bad pnb-gallery-empty");
    this.wall.append(this.head(), this.grid, this.empty);
    el.append(this.fault, this.wall, this.large());
    el.addEventListener("keydown", (event) => this.key(event));
    this.observer = new IntersectionObserver((seen) => this.seen(seen), { rootMargin: "300px" });
    this.draw = () => this.show();
    this.hear = (message, buffers) => this.receive(message, buffers);
    model.on("change:view", this.draw);
    model.on("msg:custom", this.hear);
    this.show();
    if (this.view.opened) this.say("open", { frame: this.view.opened.n });
  }

  close() {
    this.observer.disconnect();
    this.model.off("change:view", this.draw);
    this.model.off("msg:custom", this.hear);
    for (const { url } of this.drawings.values()) URL.revokeObjectURL(url);
    if (this.big) URL.revokeObjectURL(this.big.url);
  }

  say(what, more = {}) {
    this.model.send({ do: what, ...more });
  }

  // What is made once

  head() {
    const head = make("div", "pnb-gallery-bar");
    this.only = make("select", "", "", { "aria-label": "Which frames" });
    this.video = make("select", "", "", { "aria-label": "Which video" });
    for (const one of [this.only, this.video]) {
      one.addEventListener("change", () =>
        this.say("show", { only: this.only.value, video: this.video.value || null }),
      );
    }
    this.summary = make("span", "pnb-muted");
    head.append(this.only, this.video, this.summary);
    return head;
  }

  large() {
    this.page = make("div", "pnb-gallery-large", "", { tabindex: -1 });
    const bar = make("div", "pnb-gallery-bar");
    this.where = make("span", "pnb-gallery-where");
    const group = make("span", "pnb-gallery-group");
    group.append(
      button("previous", "Frame before (←)", () => this.say("move", { by: -1 })),
      button("next", "Next frame (→)", () => this.say("move", { by: 1 })),
    );
    this.fit = button("fit", "Close up, or the whole frame (F)", () => this.toggle("close_up"), {
      text: "Whole frame",
      classes: "pnb-gallery-quiet",
    });
    this.named = button("names", "Names (L)", () => this.toggle("names"), {
      text: "Names",
      classes: "pnb-gallery-quiet",
    });
    this.right = button("accept", "", () => this.settle(), { text: "It is right" });
    this.fix = button("through", "Correct the labels of this frame (E)", () => this.correct(), {
      text: "Fix",
      classes: "pnb-primary",
    });
    for (const name of ["pnb-icon", "pnb-icon-through"]) this.fix.classList.remove(name);
    const back = button("left", "Back to all frames (Esc)", () => this.say("open", { frame: null }), {
      text: "All frames",
    });
    const end = make("span", "pnb-gallery-group pnb-gallery-end");
    end.append(this.right, this.fix);
    bar.append(back, group, this.where, this.fit, this.named, end);
    this.reasons = make("div", "pnb-gallery-reasons");
    this.stage = make("div", "pnb-gallery-stage");
    this.page.append(bar, this.reasons, this.stage);
    return this.page;
  }

  // What comes from the kernel

  receive(message, buffers) {
    const url = buffers.length
      ? URL.createObjectURL(new Blob([buffers[0]], { type: "image/jpeg" }))
      : "";
    if (message.kind === "tile") {
      const before = this.drawings.get(message.frame);
      if (before) URL.revokeObjectURL(before.url);
      this.drawings.set(message.frame, { ...message, url });
      const tile = this.tiles.get(message.frame);
      if (tile) this.dress(tile, message.frame);
    }
    if (message.kind === "large") {
      if (this.big) URL.revokeObjectURL(this.big.url);
      this.big = { ...message, url };
      this.showLarge();
      // After the labeller has gone, keys belong to the gallery again.
      if (document.activeElement === document.body) this.page.focus({ preventScroll: true });
    }
  }

  show() {
    const view = (this.view = this.model.get("view"));
    this.options(
      this.only,
      view.choices.map(({ key, words, count }) => [key, `${words} · ${count}`]),
      view.only,
    );
    this.video.hidden = view.videos.length < 2;
    this.options(this.video, [["", "All videos"], ...view.videos.map((v) => [v, v])], view.video ?? "");
    this.summary.textContent =
      view.doubtful === 0
        ? `${view.total} frames, none of them doubtful`
        : `${view.doubtful} of ${view.total} frames doubtful`;
    if (view.right) this.summary.textContent += `, ${view.right} found right`;
    this.fault.textContent = view.fault;
    const wanted = new Set(view.frames.map(({ n }) => n));
    for (const [n, tile] of this.tiles) {
      if (wanted.has(n)) continue;
      this.observer.unobserve(tile);
      tile.remove();
      this.tiles.delete(n);
    }
    view.frames.forEach((told, place) => {
      if (!this.tiles.has(told.n)) this.tiles.set(told.n, this.tile(told.n));
      const tile = this.tiles.get(told.n);
      this.describe(tile, told);
      if (this.grid.children[place] !== tile) {
        this.grid.insertBefore(tile, this.grid.children[place] ?? null);
      }
    });
    this.empty.textContent = view.frames.length
      ? ""
      : view.only === "right"
        ? "Nothing is left here. Choose “All frames” to look through the rest."
        : "Nothing here is doubtful any more. Choose “All frames” to look through the rest.";
    this.wall.hidden = Boolean(view.opened);
    this.page.hidden = !view.opened;
    if (view.opened) this.showFacts(view.opened);
  }

  options(select, pairs, value) {
    const told = JSON.stringify(pairs);
    if (select.dataset.told !== told) {
      select.dataset.told = told;
      select.replaceChildren(...pairs.map(([key, words]) => make("option", "", words, { value: key })));
    }
    select.value = value;
  }

  tile(n) {
    const tile = make("button", "pnb-gallery-tile", "", { type: "button" });
    tile.dataset.frame = n;
    tile.append(make("span", "pnb-gallery-look"), make("span", "pnb-gallery-words"));
    tile.addEventListener("click", () => {
      this.last = n;
      this.say("open", { frame: n });
    });
    this.dress(tile, n);
    this.observer.observe(tile);
    return tile;
  }

  describe(tile, { video, image, doubts, right, remark }) {
    const name = video ? `${video}/${image}` : image;
    const told = JSON.stringify([name, doubts, right, remark]);
    if (tile.dataset.told === told) return;
    tile.dataset.told = told;
    tile.title = [name, ...doubts, ...right.map(approved), remark].filter(Boolean).join("\n");
    const words = [make("b", "", image)];
    if (doubts.length) words.push(make("span", "pnb-warn", doubts.join(" ")));
    if (right.length) words.push(make("span", "pnb-muted", approved(right.join(" "))));
    if (remark) words.push(make("span", "pnb-muted", remark));
    tile.lastChild.replaceChildren(...words);
  }

  dress(tile, n) {
    const told = this.drawings.get(n);
    if (!told) return;
    const unit = told.box[2] / 220;
    tile.firstChild.replaceChildren(labelled(told.url, told.box, told.box, told, { unit }));
  }

  showFacts({ n, video, image, doubts, right, remark }) {
    const name = video ? `${video}/${image}` : image;
    const { position, frames } = this.view;
    this.where.replaceChildren(
      make("b", "", name),
      make("span", "pnb-muted", position ? ` ${position} of ${frames.length}` : ""),
    );
    this.where.title = name;
    const lines = doubts.map((words) => make("div", "pnb-warn", words));
    for (const words of right) lines.push(make("div", "pnb-muted", approved(words)));
    if (remark) lines.push(make("div", "pnb-muted", remark));
    if (!lines.length) lines.push(make("div", "pnb-muted", "Nothing is doubtful here."));
    this.reasons.replaceChildren(...lines);
    const back = !doubts.length && right.length > 0;
    this.right.disabled = !doubts.length && !back;
    this.right.dataset.do = back ? "doubt" : "right";
    this.right.lastChild.textContent = back ? "Doubt it again" : "It is right";
    this.right.title = back
      ? "Take back that the labels are right (R)"
      : "The labels are right as they are (R)";
    this.right.setAttribute("aria-label", this.right.title);
    this.showLarge();
    if (!this.page.contains(document.activeElement) && this.opened !== n) {
      this.page.focus({ preventScroll: true });
    }
    this.opened = n;
  }

  showLarge() {
    const big = this.big;
    this.fit.lastChild.textContent = this.close_up ? "Whole frame" : "Close up";
    this.named.classList.toggle("pnb-on", this.names);
    if (!big || !this.view.opened || big.frame !== this.view.opened.n) {
      this.stage.replaceChildren();
      return;
    }
    if (big.fault) {
      this.stage.replaceChildren(make("div", "pnb-bad", big.fault));
      return;
    }
    const whole = [-0.5, -0.5, ...big.size];
    const box = this.close_up ? big.box : whole;
    const room = this.stage.getBoundingClientRect();
    const unit = Math.max(box[2] / (room.width || 800), box[3] / (room.height || 400));
    this.stage.replaceChildren(
      labelled(big.url, whole, box, big, { names: this.names, unit: 1.15 * unit }),
    );
  }

  // What the hand does

  seen(entries) {
    const frames = entries
      .filter((entry) => entry.isIntersecting)
      .map((entry) => Number(entry.target.dataset.frame))
      .filter((n) => !this.asked.has(n));
    if (!frames.length) return;
    for (const n of frames) this.asked.add(n);
    this.say("tiles", { frames });
  }

  toggle(what) {
    this[what] = !this[what];
    this.showLarge();
  }

  settle() {
    if (!this.view.opened || this.right.disabled) return;
    this.say(this.right.dataset.do, { frame: this.view.opened.n });
  }

  correct() {
    if (!this.view.opened) return;
    this.fix.textContent = "Opening …";
    this.say("fix", { frame: this.view.opened.n });
    setTimeout(() => (this.fix.textContent = "Fix"), 1500);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.view.opened) return;
    if (["INPUT", "SELECT"].includes(event.target.tagName)) return;
    const acts = {
      ArrowLeft: () => this.say("move", { by: -1 }),
      ArrowRight: () => this.say("move", { by: 1 }),
      Escape: () => this.say("open", { frame: null }),
      r: () => event.repeat || this.settle(),
      e: () => this.correct(),
      f: () => this.toggle("close_up"),
      l: () => this.toggle("names"),
    };
    const act = acts[keyOf(event)];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }
}

export default {
  render({ model, el }) {
    const gallery = new Gallery(model, el);
    return () => gallery.close();
  },
};
