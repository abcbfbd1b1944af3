// Curves against time, and the whole recording in small below them. Follows recording.js,
// drawing.js and elements.js.

const EDGE = { left: 46, right: 8, top: 6, bottom: 24 };
const BETWEEN = 12; // between two rows, pixels of CSS
const STRIP = 34; // height of the whole in small
const SHORTEST = 10; // frames in view at least
const ROWS = [
  { channel: "x", share: 2, name: "x (px)" },
  { channel: "y", share: 2, name: "y (px)" },
  { channel: "likelihood", share: 1.1, name: "likelihood" },
];

// Round numbers within a range, at most `most` of them.
function roundNumbers([low, high], most) {
  const rough = (high - low) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((each) => each >= rough - 1e-12);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const found = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n++) {
    found.push([n * step, (n * step).toFixed(digits).replace("-", "−")]);
  }
  return found;
}

class Timeline {
  constructor(recording) {
    this.recording = recording;
    this.rows = recording.unsure ? ROWS : ROWS.slice(0, 2);
    this.root = make("div", "pnb-br-times");
    this.curves = make("canvas", "pnb-br-curves");
    this.cursor = make("canvas", "pnb-br-cursor", "", { tabindex: 0, role: "application" });
    this.cursor.setAttribute("aria-label", "x, y and likelihood against time. Arrows step through the frames.");
    this.strip = make("canvas", "pnb-br-strip");
    this.readout = make("span", "pnb-br-readout pnb-muted");
    const plot = make("div", "pnb-br-plot");
    plot.append(this.curves, this.cursor);
    this.root.append(plot, this.strip);
    this.row = 0;
    this.marks = [];
    this.spots = [];
    this.pointed = null;
    this.all();
  }

  get fps() {
    return this.recording.facts.fps ?? 1;
  }

  all() {
    this.times = [...this.recording.span];
  }

  resize(width, height) {
    [this.width, this.height] = [width, height - STRIP - 6];
    const sharp = window.devicePixelRatio || 1;
    this.paper = fit(this.curves, width, this.height, sharp);
    this.above = fit(this.cursor, width, this.height, sharp);
    this.small = fit(this.strip, width, STRIP, sharp);
    this.box = {
      left: EDGE.left,
      top: EDGE.top,
      width: width - EDGE.left - EDGE.right,
      height: this.height - EDGE.top - EDGE.bottom,
    };
    this.draw();
  }

  boxes() {
    const total = this.rows.reduce((sum, { share }) => sum + share, 0);
    const room = this.box.height - BETWEEN * (this.rows.length - 1);
    let { top } = this.box;
    return this.rows.map(({ share }) => {
      const row = { ...this.box, top, height: (room * share) / total };
      top += row.height + BETWEEN;
      return row;
    });
  }

  // y points down, as in the picture.
  range(n) {
    const { channel } = this.rows[n];
    if (channel === "likelihood") return [-0.04, 1.04];
    const { recording } = this;
    const first = recording.after(this.times[0]);
    const last = Math.max(first + 1, recording.after(this.times[1] + 1e-9));
    const [low, high] = recording.range(channel, [first, Math.min(last, recording.count)]) ?? [0, 1];
    const pad = Math.max((high - low) * 0.06, 0.5);
    return channel === "y" ? [high + pad, low - pad] : [low - pad, high + pad];
  }

  draw() {
    if (!this.paper) return;
    const { paper, recording, look } = this;
    paper.clearRect(0, 0, this.width, this.height);
    this.ranges = this.rows.map((_, n) => this.range(n));
    if (this.empty) {
      paper.font = `13px ${look.font}`;
      paper.textAlign = "center";
      paper.textBaseline = "middle";
      paper.fillStyle = look.muted;
      paper.fillText(this.empty, this.width / 2, this.height / 2);
    }
    this.boxes().forEach((box, n) => {
      if (this.empty) return;
      this.drawAxes(box, n);
      paper.save();
      clipTo(paper, box);
      for (let line = 0; line < recording.lines; line++) {
        if (!recording.visible[line]) continue;
        const colour = { colour: look.colour(line) };
        drawCurve(
          paper, recording, this.rows[n].channel, line, colour, box, this.times, this.ranges[n],
          2 * box.width, // with fewer, a slope is a stair
        );
      }
      paper.restore();
      paper.globalAlpha = 1;
    });
    this.drawTimes();
    this.drawStrip();
    this.drawCursor();
  }

  drawAxes(box, n) {
    const { paper, look } = this;
    const y = scale(this.ranges[n], box.top + box.height, -box.height);
    const [low, high] = [...this.ranges[n]].sort((a, b) => a - b);
    paper.font = `11px ${look.font}`;
    paper.textBaseline = "middle";
    paper.textAlign = "right";
    paper.lineWidth = 1;
    for (const [value, text] of roundNumbers([low, high], box.height < 80 ? 2 : 4)) {
      paper.strokeStyle = look.faint;
      this.line(paper, box.left, y(value), box.left + box.width, y(value));
      paper.fillStyle = look.muted;
      paper.fillText(text, box.left - 6, y(value));
    }
    if (this.rows[n].channel === "likelihood") {
      paper.setLineDash([4, 3]);
      paper.strokeStyle = look.muted;
      this.line(paper, box.left, y(this.cutoff), box.left + box.width, y(this.cutoff));
      paper.setLineDash([]);
    }
    paper.save();
    paper.translate(8, box.top + box.height / 2);
    paper.rotate(-Math.PI / 2);
    paper.textAlign = "center";
    paper.fillStyle = look.ink;
    paper.fillText(this.rows[n].name, 0, 0);
    paper.restore();
  }

  drawTimes() {
    const { paper, box, look } = this;
    const bottom = box.top + box.height;
    const x = scale(this.times, box.left, box.width);
    paper.textBaseline = "top";
    paper.textAlign = "center";
    paper.fillStyle = look.muted;
    paper.strokeStyle = look.muted;
    const { recording } = this;
    const [unit, first] = [recording.facts.fps ? " s" : "", recording.time(0)];
    for (const [time, text] of roundNumbers(this.times, box.width / 90)) {
      if (time < this.times[0] || time > this.times[1] || (recording.count === 1 && time !== first)) continue;
      this.line(paper, x(time), bottom, x(time), bottom + 4);
      const half = paper.measureText(text + unit).width / 2;
      paper.fillText(text + unit, Math.min(x(time), this.width - half), bottom + 7);
    }
    if (!unit) {
      paper.textAlign = "left";
      paper.fillText("frame", 0, bottom + 7);
    }
    this.line(paper, box.left, bottom, box.left + box.width, bottom);
  }

  line(context, x1, y1, x2, y2) {
    context.beginPath();
    context.moveTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
    context.lineTo(Math.round(x2) + 0.5, Math.round(y2) + 0.5);
    context.stroke();
  }

  // Where the frame, the marks and the pointer are: drawn anew without the curves.
  drawCursor() {
    if (!this.above) return;
    const { above, box, recording, look } = this;
    above.clearRect(0, 0, this.width, this.height);
    const x = scale(this.times, box.left, box.width);
    const inside = (across) => across >= box.left - 1 && across <= box.left + box.width + 1;
    for (const { frame } of this.marks) {
      const across = x(frame / this.fps);
      if (inside(across)) this.flag(above, across, box.top);
    }
    above.lineWidth = 1;
    if (this.pointed && inside(x(recording.time(this.pointed.i)))) {
      above.strokeStyle = look.muted;
      above.setLineDash([2, 3]);
      const across = x(recording.time(this.pointed.i));
      this.line(above, across, box.top, across, box.top + box.height);
      above.setLineDash([]);
    }
    const across = x(recording.time(this.row));
    if (inside(across)) {
      above.strokeStyle = look.ink;
      this.line(above, across, box.top, across, box.top + box.height);
      this.boxes().forEach((row, n) => this.drawValues(row, n, across));
    }
    this.drawStripMarks();
  }

  drawValues(box, n, across) {
    const { above, recording, look } = this;
    const y = scale(this.ranges[n], box.top + box.height, -box.height);
    above.save();
    clipTo(above, { ...box, left: box.left - 5, width: box.width + 10 });
    for (let line = 0; line < recording.lines; line++) {
      const value = recording.at(this.rows[n].channel, line, this.row);
      if (!recording.visible[line] || Number.isNaN(value)) continue;
      above.beginPath();
      above.arc(across, y(value), 3.5, 0, 2 * Math.PI);
      above.fillStyle = look.colour(line);
      above.fill();
      above.strokeStyle = look.paper;
      above.lineWidth = 1.5;
      above.stroke();
    }
    above.restore();
  }

  flag(context, across, top) {
    context.fillStyle = this.look.warn;
    context.beginPath();
    context.moveTo(across - 4, top);
    context.lineTo(across + 4, top);
    context.lineTo(across, top + 7);
    context.fill();
  }

  // The whole recording: the lowest likelihood of each moment, or x where none is known.
  drawStrip() {
    const { small, recording, look } = this;
    const channel = recording.unsure ? "likelihood" : "x";
    const sheet = make("canvas");
    const context = fit(sheet, this.width, STRIP, window.devicePixelRatio || 1);
    const box = { left: EDGE.left, top: 3, width: this.box.width, height: STRIP - 6 };
    context.fillStyle = look.raised;
    context.fillRect(box.left, 0, box.width, STRIP);
    const values = channel === "likelihood" ? [-0.04, 1.04] : (recording.range(channel) ?? [0, 1]);
    context.save();
    clipTo(context, box);
    for (let line = 0; line < recording.lines; line++) {
      if (!recording.visible[line]) continue;
      const pale = { colour: look.colour(line), alpha: 0.55, width: 1 };
      drawCurve(context, recording, channel, line, pale, box, recording.span, values, box.width);
    }
    context.restore();
    this.whole = sheet;
    small.clearRect(0, 0, this.width, STRIP);
  }

  drawStripMarks() {
    const { small, look, box, recording } = this;
    if (!this.whole) return;
    small.clearRect(0, 0, this.width, STRIP);
    small.drawImage(this.whole, 0, 0, this.width, STRIP);
    const x = scale(recording.span, box.left, box.width);
    small.fillStyle = look.paper;
    small.globalAlpha = 0.65;
    const [from, until] = this.times.map((time) => Math.max(box.left, Math.min(box.left + box.width, x(time))));
    small.fillRect(box.left, 0, from - box.left, STRIP);
    small.fillRect(until, 0, box.left + box.width - until, STRIP);
    small.globalAlpha = 1;
    small.strokeStyle = look.accent;
    small.lineWidth = 1.5;
    small.strokeRect(from + 0.75, 0.75, Math.max(3, until - from - 1.5), STRIP - 1.5);
    small.lineWidth = 1;
    small.fillStyle = look.muted;
    for (const { row } of this.spots) small.fillRect(x(recording.time(row)) - 1, STRIP - 6, 2, 4);
    for (const { frame } of this.marks) this.flag(small, x(frame / this.fps), 2);
    small.strokeStyle = look.ink;
    const across = x(recording.time(this.row));
    this.line(small, across, 0, across, STRIP);
  }

  show(row) {
    this.row = row;
    const time = this.recording.time(row);
    const [from, until] = this.times;
    if (time < from || time > until) {
      const half = (until - from) / 2;
      this.lookAt([time - half, time + half]);
    } else this.drawCursor();
  }

  // Change the time in view; never longer than the recording, nor beyond its ends.
  lookAt([from, until]) {
    const [first, last] = this.recording.span;
    const length = Math.min(last - first, Math.max(SHORTEST / this.fps, until - from));
    const start = Math.max(first, Math.min(last - length, (from + until - length) / 2));
    this.times = [start, start + length];
    this.draw();
  }

  zoom(factor, at = this.recording.time(this.row)) {
    const [from, until] = this.times;
    const middle = at >= from && at <= until ? at : (from + until) / 2;
    this.lookAt([middle - (middle - from) * factor, middle + (until - middle) * factor]);
  }

  timeAt(across) {
    const { box, times } = this;
    return times[0] + ((across - box.left) / box.width) * (times[1] - times[0]);
  }

  // The frame under the pointer, and the curve there if one is near.
  find(across, down) {
    const { box, recording } = this;
    const i = recording.nearest(this.timeAt(Math.max(box.left, Math.min(box.left + box.width, across))));
    const best = { i, line: null, distance: 24 };
    const n = this.boxes().findIndex((row) => down >= row.top - 6 && down < row.top + row.height + 6);
    if (n < 0) return best;
    const row = this.boxes()[n];
    const y = scale(this.ranges[n], row.top + row.height, -row.height);
    for (let line = 0; line < recording.lines; line++) {
      const distance = Math.abs(y(recording.at(this.rows[n].channel, line, i)) - down);
      if (recording.visible[line] && distance < best.distance) Object.assign(best, { line, distance });
    }
    return best;
  }

  words({ i, line }) {
    const { recording } = this;
    const time = recording.facts.fps ? ` · ${recording.time(i).toFixed(2)} s` : "";
    const said = `frame ${recording.frames[i]}${time}`;
    if (line === null) return said;
    const [x, y, p] = CHANNELS.map((channel) => recording.at(channel, line, i));
    const sure = Number.isNaN(p) ? "" : `, p ${p.toFixed(2)}`;
    return `${said} · ${this.look.name(line)} ${x.toFixed(1)}, ${y.toFixed(1)}${sure}`;
  }

  // Pressing in the curves goes to that frame, and dragging through them; in the whole, the
  // window follows.
  listen(go) {
    const { cursor, strip } = this;
    let held = false;
    const point = (event) => {
      this.pointed = this.find(event.offsetX, event.offsetY);
      this.readout.textContent = this.words(this.pointed);
      if (held) go(this.pointed.i);
      else this.drawCursor();
    };
    cursor.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      held = true;
      cursor.setPointerCapture(event.pointerId);
      point(event);
    });
    cursor.addEventListener("pointermove", point);
    for (const end of ["pointerup", "pointercancel"]) cursor.addEventListener(end, () => (held = false));
    cursor.addEventListener("pointerleave", () => {
      this.pointed = null;
      this.readout.textContent = "";
      this.drawCursor();
    });
    cursor.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
      event.preventDefault();
      this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.timeAt(event.offsetX));
    }, { passive: false });
    this.listenToStrip(strip, go);
  }

  listenToStrip(strip, go) {
    let held = false;
    const move = (event) => {
      const { recording, box } = this;
      const [first, last] = recording.span;
      const share = Math.max(0, Math.min(1, (event.offsetX - box.left) / box.width));
      const time = first + share * (last - first);
      const half = (this.times[1] - this.times[0]) / 2;
      this.lookAt([time - half, time + half]);
      go(recording.nearest(time));
    };
    strip.addEventListener("pointerdown", (event) => {
      held = true;
      strip.setPointerCapture(event.pointerId);
      move(event);
    });
    strip.addEventListener("pointermove", (event) => held && move(event));
    for (const end of ["pointerup", "pointercancel"]) strip.addEventListener(end, () => (held = false));
  }
}
