// Panels: plotly gives axes, zooming and moving; what they show lies on canvases around it.
"use strict";

const MARGIN = { l: 58, r: 10, t: 8, b: 42 };
const LAYERS = ["ground", "data", "marks"];
const GAP = 16; // between panels, pixels
const CONFIG = { displayModeBar: false, doubleClick: false, showTips: false, responsive: false };
const TRACES = [
  { channel: "x", axis: "yaxis", share: 2, title: "x (px)" },
  { channel: "y", axis: "yaxis2", share: 2, title: "y (px, down)" },
  { channel: "likelihood", axis: "yaxis3", share: 1.1, title: "likelihood" },
];

function axisLook(theme, more) {
  const line = { showline: true, linecolor: theme.muted, tickcolor: theme.muted, ticks: "outside" };
  return { ...line, ticklen: 4, gridcolor: theme.faint, zeroline: false, ...more };
}

// Names of axes in one line below each other, however long the numbers are.
function sideTitle(text, middle) {
  const place = { xref: "paper", x: 0, xanchor: "center", xshift: -46, textangle: -90 };
  return { text, ...place, yref: "paper", y: middle, yanchor: "middle", showarrow: false };
}

function bottomTitle(text) {
  return { text, standoff: 6 };
}

// Ranges in an event of plotly, which spells them in two ways.
function rangeIn(event, axis) {
  if (event[`${axis}.range`]) return [...event[`${axis}.range`]];
  const [low, high] = [event[`${axis}.range[0]`], event[`${axis}.range[1]`]];
  return low === undefined || high === undefined ? null : [low, high];
}

function padded([low, high]) {
  const pad = Math.max((high - low) * 0.06, 0.5);
  return [low - pad, high + pad];
}

class Panel {
  constructor(root) {
    this.root = root;
    this.axes = root.querySelector(".axes");
    this.canvases = LAYERS.map((name) => root.querySelector(`.${name}`));
    this.painter = new Painter();
    this.mode = "zoom";
  }

  listen(moved) {
    // While a box is drawn nothing moves yet, though plotly tells where it would lead.
    this.axes.on("plotly_relayouting", (event) => this.slides && this.follow(event) && moved(true));
    this.axes.on("plotly_relayout", (event) => this.follow(event) && moved(false));
    this.axes.on("plotly_doubleclick", () => {
      this.reset();
      moved(false);
    });
    this.root.addEventListener("pointerdown", (event) => this.grip(event), { capture: true });
  }

  // What a drag that begins here does: plotly moves with Shift, and at the axes.
  grip(event) {
    const { left, top } = this.root.getBoundingClientRect();
    const [x, y] = [event.clientX - left - this.box.left, event.clientY - top - this.box.top];
    const inside = x > 0 && y > 0 && x < this.box.width && y < this.box.height;
    this.slides = !inside || (this.mode === "pan") !== event.shiftKey;
  }

  measure() {
    const { width, height } = this.root.getBoundingClientRect();
    this.width = Math.max(160, Math.floor(width));
    this.height = Math.max(120, Math.floor(height));
    this.box = {
      left: MARGIN.l,
      top: MARGIN.t,
      width: this.width - MARGIN.l - MARGIN.r,
      height: this.height - MARGIN.t - MARGIN.b,
    };
  }

  dress(theme, sharpness) {
    this.theme = theme;
    this.measure();
    // What says that there is nothing to see lies where it would be seen.
    const note = this.root.querySelector(".empty");
    for (const [side, pixels] of Object.entries(this.box)) note.style[side] = `${pixels}px`;
    this.contexts = this.canvases.map((each) => fit(each, this.width, this.height, sharpness));
    this.fresh = new Set(LAYERS);
    Plotly.react(this.axes, this.holders(), this.layout(), CONFIG);
  }

  // Plotly draws an axis only where it has something to draw on it.
  holders() {
    return this.subplots.map((yaxis) => ({ type: "scatter", x: [null], y: [null], yaxis }));
  }

  common() {
    return {
      width: this.width,
      height: this.height,
      margin: { ...MARGIN, pad: 0 },
      font: { family: this.theme.font, size: 12, color: this.theme.ink },
      annotations: [],
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      hovermode: false,
      showlegend: false,
      dragmode: this.mode,
    };
  }

  // A fresh canvas is clear; in print, clearing it would paint it white.
  clear(name) {
    if (!this.fresh.delete(name)) this.context(name).clearRect(0, 0, this.width, this.height);
  }

  context(name) {
    return this.contexts[LAYERS.indexOf(name)];
  }
}

// What the poses are compared with lies broad and pale below them.
function broad(looks) {
  return looks.map(({ colour }) => ({ colour, width: 6, alpha: 0.3 }));
}

// x, y and likelihood against time.
class TracePanel extends Panel {
  constructor(root, recording, reference) {
    super(root);
    this.recording = recording;
    this.reference = reference;
    this.rowsShown = recording.unsure ? TRACES : TRACES.slice(0, 2);
    this.subplots = ["y", "y2", "y3"].slice(0, this.rowsShown.length);
    this.reset();
  }

  reset() {
    this.times = [...this.recording.span];
    this.chosen = {};
    this.hold(false);
  }

  // First frame in view and the one after the last. While a hand moves the view, the scale
  // stays as it was.
  inView() {
    const { recording } = this;
    const [from, until] = this.held ?? this.times;
    const frames = [recording.after(from), recording.after(until + 1e-9)];
    return frames[1] > frames[0] ? frames : [0, recording.count];
  }

  hold(hasty) {
    if (!hasty) this.held = null;
    else this.held ??= this.before;
    if (!hasty) this.before = [...this.times];
  }

  values(row) {
    const { channel, axis } = this.rowsShown[row];
    if (this.chosen[axis]) return this.chosen[axis];
    if (channel === "likelihood") return [-0.04, 1.04];
    const range = padded(this.recording.range(channel, this.inView()) ?? [0, 1]);
    return channel === "y" ? range.reverse() : range;
  }

  rows() {
    const total = this.rowsShown.reduce((sum, { share }) => sum + share, 0);
    const room = this.box.height - GAP * (this.rowsShown.length - 1);
    let top = this.box.top;
    return this.rowsShown.map(({ share }) => {
      const row = { ...this.box, top, height: (room * share) / total };
      top += row.height + GAP;
      return row;
    });
  }

  layout() {
    const layout = this.common();
    const unit = this.recording.facts.fps ? "time (s)" : "frame";
    layout.xaxis = axisLook(this.theme, {
      anchor: this.subplots.at(-1),
      range: [...this.times],
      title: bottomTitle(unit),
      showgrid: false,
    });
    this.rows().forEach((row, n) => {
      const { axis, title } = this.rowsShown[n];
      const bottom = Math.max(0, 1 - (row.top + row.height - this.box.top) / this.box.height);
      const top = Math.min(1, bottom + row.height / this.box.height);
      const domain = [bottom, top];
      const nticks = row.height < 100 ? 3 : 6;
      layout[axis] = axisLook(this.theme, { domain, range: [...this.values(n)], nticks });
      layout.annotations.push(sideTitle(title, (bottom + top) / 2));
    });
    return layout;
  }

  follow(event) {
    const times = rangeIn(event, "xaxis");
    if (times) this.times = times[1] > times[0] ? times : [...this.recording.span];
    let changed = Boolean(times);
    for (const { axis } of this.rowsShown) {
      const range = rangeIn(event, axis);
      if (range && range[0] !== range[1]) this.chosen[axis] = range;
      changed ||= Boolean(range);
    }
    return changed;
  }

  draw(looks, cutoff, hasty) {
    this.clear("data");
    const columns = this.box.width / (hasty ? 3 : 1);
    const context = this.context("data");
    this.rows().forEach((row, n) => {
      context.save();
      clipTo(context, row);
      const values = this.values(n);
      if (this.rowsShown[n].channel === "likelihood") this.drawCutoff(context, row, cutoff);
      const { channel } = this.rowsShown[n];
      const draw = (recording, dressed) => {
        for (let line = 0; line < recording.lines; line++) {
          if (!recording.visible[line]) continue;
          drawCurve(
            context, recording, channel, line, dressed[line], row, this.times, values, columns,
          );
        }
      };
      if (this.reference && channel !== "likelihood") draw(this.reference, broad(looks));
      draw(this.recording, looks);
      context.restore();
    });
  }

  drawCutoff(context, row, cutoff) {
    const y = scale(this.values(2), row.top + row.height, -row.height)(cutoff);
    context.strokeStyle = this.theme.muted;
    context.lineWidth = 1;
    context.setLineDash([4, 3]);
    context.beginPath();
    context.moveTo(row.left, y);
    context.lineTo(row.left + row.width, y);
    context.stroke();
    context.setLineDash([]);
  }

  mark(looks, i, chosen) {
    this.clear("marks");
    const context = this.context("marks");
    const across = scale(this.times, this.box.left, this.box.width)(this.recording.time(i));
    if (across < this.box.left - 1 || across > this.box.left + this.box.width + 1) return;
    context.strokeStyle = this.theme.muted;
    context.lineWidth = 1;
    this.rows().forEach((row, n) => {
      context.beginPath();
      context.moveTo(across, row.top);
      context.lineTo(across, row.top + row.height);
      context.stroke();
      context.save();
      clipTo(context, { ...row, left: row.left - 5, width: row.width + 10 });
      const y = scale(this.values(n), row.top + row.height, -row.height);
      for (let line = 0; line < this.recording.lines; line++) {
        const value = this.recording.at(this.rowsShown[n].channel, line, i);
        if (this.recording.visible[line] && !Number.isNaN(value)) {
          spot(context, across, y(value), looks[line].colour, this.theme, line === chosen);
        }
      }
      context.restore();
    });
  }

  // The shown value nearest to the pointer, among the frames under it.
  find(px, py) {
    const { box, recording } = this;
    if (px < box.left - 4 || px > box.left + box.width + 4 || recording.count === 0) return null;
    const row = this.rows().findIndex((r) => py >= r.top - GAP / 2 && py < r.top + r.height + GAP / 2);
    if (row < 0) return null;
    const time = (pixels) =>
      this.times[0] + ((pixels - box.left) / box.width) * (this.times[1] - this.times[0]);
    const best = { i: recording.nearest(time(px)), line: null, distance: 40 };
    const { top, height } = this.rows()[row];
    const y = scale(this.values(row), top + height, -height);
    const first = Math.min(recording.after(time(px - 1)), best.i);
    const last = Math.max(recording.after(time(px + 1)), best.i + 1);
    for (let line = 0; line < recording.lines; line++) {
      if (!recording.visible[line]) continue;
      for (let i = first; i < last; i++) {
        const distance = Math.abs(y(recording.at(this.rowsShown[row].channel, line, i)) - py);
        if (distance < best.distance) Object.assign(best, { i, line, distance });
      }
    }
    return best;
  }

  zoom(factor) {
    const middle = (this.times[0] + this.times[1]) / 2;
    const half = ((this.times[1] - this.times[0]) / 2) * factor;
    const [first, last] = this.recording.span;
    if (half * 2 >= last - first) this.times = [first, last];
    else if (half * 2 * (this.recording.facts.fps ?? 1) >= 2) this.times = [middle - half, middle + half];
  }

  // Move so that frame `i` is in view.
  reveal(i) {
    const [low, high] = this.times;
    const time = this.recording.time(i);
    if (time >= low && time <= high) return false;
    const half = (high - low) / 2;
    this.times = [time - half, time + half];
    return true;
  }
}

// The way of each keypoint over a frame of the video.
class PathPanel extends Panel {
  subplots = ["y"];

  constructor(root, recording, image, reference) {
    super(root);
    this.recording = recording;
    this.reference = reference;
    this.image = image;
    this.reset();
  }

  reset() {
    this.view = null;
  }

  // As much of the room as an image fills; without one, all of it.
  measure() {
    super.measure();
    const size = this.recording.facts.image;
    if (!size) return;
    const per = Math.max(size.width / this.box.width, size.height / this.box.height);
    this.box.width = Math.round(size.width / per);
    this.box.height = Math.round(size.height / per);
    this.width = this.box.width + MARGIN.l + MARGIN.r;
    this.height = this.box.height + MARGIN.t + MARGIN.b;
  }

  whole() {
    const size = this.recording.facts.image;
    if (size) return { x: [-0.5, size.width - 0.5], y: [-0.5, size.height - 0.5] };
    const [x, y] = ["x", "y"].map((name) => padded(this.recording.range(name) ?? [0, 1]));
    return { x, y };
  }

  // The view with the ranges widened until pixels are square.
  square() {
    const { x, y } = this.view ?? this.whole();
    const [across, down] = [x[1] - x[0], y[1] - y[0]];
    const per = Math.max(across / this.box.width, down / this.box.height);
    const widen = ([low, high], length) => {
      const pad = (per * length - (high - low)) / 2;
      return [low - pad, high + pad];
    };
    return { x: widen(x, this.box.width), y: widen(y, this.box.height) };
  }

  layout() {
    const { x, y } = this.square();
    const layout = this.common();
    const plain = { showgrid: false, nticks: 6 };
    layout.xaxis = axisLook(this.theme, { ...plain, range: x, title: bottomTitle("x (px)") });
    layout.yaxis = axisLook(this.theme, { ...plain, range: [y[1], y[0]] });
    layout.annotations = [sideTitle("y (px, down)", 0.5)];
    return layout;
  }

  follow(event) {
    const { x, y } = this.square();
    const [across, down] = [rangeIn(event, "xaxis"), rangeIn(event, "yaxis")];
    if (!across && !down) return false;
    const view = { x: across ?? x, y: down ? [down[1], down[0]] : y };
    if (view.x[1] > view.x[0] && view.y[1] > view.y[0]) this.view = view;
    return true;
  }

  draw(looks, times, hasty, whole) {
    const view = { ...this.square(), times };
    this.drawImage(view);
    const { recording } = this;
    const frames = recording.after(times[1] + 1e-9) - recording.after(times[0]);
    const shown = recording.visible.reduce((sum, each) => sum + each, 0);
    const stride = Math.max(1, Math.ceil((frames * shown) / (hasty ? 10000 : 30000)));
    const { box, reference } = this;
    const paint = function* (context, step) {
      context.save();
      clipTo(context, box);
      if (reference) yield* drawPaths(context, reference, broad(looks), box, view, step);
      yield* drawPaths(context, recording, looks, box, view, step);
    };
    if (hasty || (stride > 1 && !whole)) {
      this.clear("data");
      const context = this.context("data");
      for (const _ of paint(context, stride)) continue;
      context.restore();
      this.painter.current = null;
      if (hasty) return;
    }
    // The whole is drawn beside and shown when it is done, so that nothing flickers.
    const sheet = document.createElement("canvas");
    const data = this.canvases[1];
    const context = fit(sheet, this.width, this.height, data.width / this.width);
    this.painter.start(paint(context, 1), whole, () => {
      this.clear("data");
      this.context("data").drawImage(sheet, 0, 0, this.width, this.height);
    });
  }

  drawImage(view) {
    this.clear("ground");
    if (!this.image) return;
    const { width, height } = this.recording.facts.image;
    const x = scale(view.x, this.box.left, this.box.width);
    const y = scale(view.y, this.box.top, this.box.height);
    const context = this.context("ground");
    context.save();
    clipTo(context, this.box);
    const [left, top] = [x(-0.5), y(-0.5)];
    context.drawImage(this.image, left, top, x(width - 0.5) - left, y(height - 0.5) - top);
    context.restore();
  }

  mark(looks, i, chosen) {
    this.clear("marks");
    const { recording } = this;
    const view = this.square();
    const context = this.context("marks");
    context.save();
    clipTo(context, this.box);
    const x = scale(view.x, this.box.left, this.box.width);
    const y = scale(view.y, this.box.top, this.box.height);
    const spots = Array.from({ length: recording.lines }, (_, line) =>
      recording.visible[line] ? [x(recording.at("x", line, i)), y(recording.at("y", line, i))] : [NaN, NaN],
    );
    this.drawEdges(context, spots);
    spots.forEach(([px, py], line) => {
      if (!Number.isNaN(px)) spot(context, px, py, looks[line].colour, this.theme, line === chosen);
    });
    context.restore();
  }

  drawEdges(context, spots) {
    const { recording } = this;
    context.beginPath();
    for (let from = 0; from < recording.lines; from += recording.keypoints) {
      for (const [a, b] of recording.facts.edges) {
        const [start, end] = [spots[from + a], spots[from + b]];
        if (Number.isNaN(start[0]) || Number.isNaN(end[0])) continue;
        context.moveTo(...start);
        context.lineTo(...end);
      }
    }
    for (const [colour, width] of [[this.theme.paper, 4], [this.theme.ink, 1.5]]) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.stroke();
    }
  }

  // The shown point nearest to the pointer, among the frames of the time in view.
  find(px, py, times) {
    const { box, recording } = this;
    if (px < box.left || px > box.left + box.width) return null;
    if (py < box.top || py > box.top + box.height) return null;
    const view = this.square();
    const x = view.x[0] + ((px - box.left) / box.width) * (view.x[1] - view.x[0]);
    const y = view.y[0] + ((py - box.top) / box.height) * (view.y[1] - view.y[0]);
    const reach = (14 * (view.x[1] - view.x[0])) / box.width;
    const best = { i: null, line: null, distance: reach ** 2 };
    const [first, last] = [recording.after(times[0]), recording.after(times[1] + 1e-9)];
    const { x: xs, y: ys } = recording.values;
    for (let line = 0; line < recording.lines; line++) {
      if (!recording.visible[line]) continue;
      const start = line * recording.count;
      for (let n = start + first; n < start + last; n++) {
        const distance = (xs[n] - x) ** 2 + (ys[n] - y) ** 2;
        if (distance < best.distance && recording.shown[n]) {
          Object.assign(best, { i: n - start, line, distance });
        }
      }
    }
    return best.i === null ? null : best;
  }
}

function spot(context, x, y, colour, theme, large) {
  context.beginPath();
  context.arc(x, y, large ? 5.5 : 3.5, 0, 2 * Math.PI);
  context.fillStyle = colour;
  context.fill();
  context.strokeStyle = large ? theme.ink : theme.paper;
  context.lineWidth = 1.5;
  context.stroke();
}
