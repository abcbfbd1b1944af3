// The picture of a frame with its points over it. Follows recording.js, drawing.js and elements.js.

const DOT = 4.5; // radius of a point, pixels of CSS
const CLOSEST = 24; // pixels of CSS for a pixel of the picture, at most

class Stage {
  constructor(recording, size) {
    this.recording = recording;
    this.size = size ?? this.room();
    this.canvas = make("canvas", "pnb-br-stage", "", { tabindex: 0, role: "application" });
    this.picture = null;
    this.row = 0;
    this.names = false;
    this.skeleton = true;
    this.spot = null;
    this.fit();
  }

  // Without a video, as much paper as the points need.
  room() {
    const [x, y] = ["x", "y"].map((name) => this.recording.range(name) ?? [0, 640]);
    return [Math.max(x[1] * 1.04, 64), Math.max(y[1] * 1.04, 48)].map(Math.ceil);
  }

  fit() {
    this.zoom = 1;
    this.middle = this.size.map((side) => side / 2 - 0.5);
  }

  resize(width, height) {
    [this.width, this.height] = [width, height];
    this.context = fit(this.canvas, width, height, window.devicePixelRatio || 1);
    this.draw();
  }

  get scale() {
    return Math.min(this.width / this.size[0], this.height / this.size[1]) * this.zoom;
  }

  toCanvas(x, y) {
    const { scale } = this;
    return [(x - this.middle[0]) * scale + this.width / 2, (y - this.middle[1]) * scale + this.height / 2];
  }

  toImage(u, v) {
    return [(u - this.width / 2) / this.scale + this.middle[0], (v - this.height / 2) / this.scale + this.middle[1]];
  }

  zoomAt(factor, u = this.width / 2, v = this.height / 2) {
    const before = this.toImage(u, v);
    const most = (CLOSEST * this.zoom) / this.scale;
    this.zoom = Math.max(1, Math.min(most, this.zoom * factor));
    const after = this.toImage(u, v);
    this.pan(before[0] - after[0], before[1] - after[1]);
  }

  // The middle of the points that are shown, or of the canvas.
  centre() {
    const shown = Array.from({ length: this.recording.lines }, (_, line) => line)
      .filter((line) => this.shown(line))
      .map((line) => this.place(line));
    if (!shown.length) return [this.width / 2, this.height / 2];
    return [0, 1].map((n) => shown.reduce((sum, place) => sum + place[n], 0) / shown.length);
  }

  // In pixels of the picture; never farther than its borders.
  pan(dx, dy) {
    [dx, dy].forEach((way, n) => {
      const half = [this.width, this.height][n] / this.scale / 2;
      const [low, high] = [half - 0.5, this.size[n] - half - 0.5];
      const to = this.middle[n] + way;
      this.middle[n] = low < high ? Math.max(low, Math.min(high, to)) : this.size[n] / 2 - 0.5;
    });
    this.draw();
  }

  // Where the view is zoomed, move it to a point that lies outside.
  reveal(line, row) {
    const { values, count } = this.recording;
    const at = [values.x[line * count + row], values.y[line * count + row]];
    const [u, v] = this.toCanvas(...at);
    if (u >= 0 && v >= 0 && u <= this.width && v <= this.height) return;
    if (!Number.isNaN(u)) this.pan(at[0] - this.middle[0], at[1] - this.middle[1]);
  }

  // `picture` is null where there is none, or none yet; `says` tells why.
  show(row, picture, says = "") {
    if (this.picture !== picture) this.picture?.close();
    [this.row, this.picture, this.says] = [row, picture, says];
    // Tells who looks on, such as a test, which frame it is that is seen.
    this.canvas.dataset.frame = picture ? this.recording.frames[row] : "";
    this.draw();
  }

  draw() {
    if (!this.context) return;
    const { context, width, height } = this;
    context.clearRect(0, 0, width, height);
    const [left, top] = this.toCanvas(-0.5, -0.5);
    const [across, down] = this.size.map((side) => side * this.scale);
    context.fillStyle = this.look.raised;
    context.fillRect(left, top, across, down);
    if (this.picture) {
      context.imageSmoothingEnabled = this.scale < 3;
      context.drawImage(this.picture, left, top, across, down);
    }
    this.drawPoints();
    if (this.says) this.drawText(this.says);
  }

  place(line) {
    const { values, count } = this.recording;
    const n = line * count + this.row;
    return this.toCanvas(values.x[n], values.y[n]);
  }

  shown(line) {
    return this.recording.visible[line] && !Number.isNaN(this.recording.at("x", line, this.row));
  }

  drawPoints() {
    const { context, recording } = this;
    const lines = Array.from({ length: recording.lines }, (_, line) => line);
    if (this.skeleton) this.drawEdges();
    for (const line of lines.filter((each) => this.shown(each))) {
      context.beginPath();
      context.arc(...this.place(line), DOT, 0, 2 * Math.PI);
      context.fillStyle = this.look.colour(line);
      context.fill();
      context.strokeStyle = "#FFFFFF";
      context.lineWidth = 1.5;
      context.stroke();
    }
    const spot = this.spot?.row === this.row ? this.spot.line : null;
    if (spot !== null && !Number.isNaN(this.place(spot)[0])) this.drawRing(spot);
    for (const line of lines) {
      if ((this.names && this.shown(line)) || line === spot) this.drawName(line);
    }
  }

  drawEdges() {
    const { context, recording } = this;
    context.beginPath();
    for (let from = 0; from < recording.lines; from += recording.keypoints) {
      for (const [a, b] of recording.facts.edges) {
        if (!this.shown(from + a) || !this.shown(from + b)) continue;
        context.moveTo(...this.place(from + a));
        context.lineTo(...this.place(from + b));
      }
    }
    for (const [colour, width] of [["#00000088", 3.5], ["#FFFFFF", 1.5]]) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.stroke();
    }
  }

  // What makes the frame worth a look, seen even where it is less likely than asked for.
  drawRing(line) {
    const { context } = this;
    for (const [colour, width] of [["#000000AA", 4.5], [this.look.colour(line), 2.5]]) {
      context.beginPath();
      context.arc(...this.place(line), DOT + 6, 0, 2 * Math.PI);
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.stroke();
    }
  }

  drawName(line) {
    const { context } = this;
    const [x, y] = this.place(line);
    if (x < 0 || y < 0 || x > this.width || y > this.height) return;
    context.font = `600 12px ${getComputedStyle(this.canvas).fontFamily}`;
    context.textBaseline = "middle";
    const name = this.look.name(line);
    const right = x + DOT + 8 + context.measureText(name).width < this.width;
    context.textAlign = right ? "left" : "right";
    const at = [x + (right ? 1 : -1) * (DOT + 8), y];
    context.lineWidth = 3;
    context.strokeStyle = "#000000CC";
    context.lineJoin = "round";
    context.strokeText(name, ...at);
    context.fillStyle = "#FFFFFF";
    context.fillText(name, ...at);
  }

  drawText(text) {
    const { context } = this;
    context.font = `13px ${getComputedStyle(this.canvas).fontFamily}`;
    context.textAlign = "center";
    context.textBaseline = "top";
    const half = context.measureText(text).width / 2 + 10;
    context.fillStyle = this.look.paper;
    context.globalAlpha = 0.85;
    context.fillRect(this.width / 2 - half, 8, 2 * half, 24);
    context.globalAlpha = 1;
    context.fillStyle = this.look.muted;
    context.fillText(text, this.width / 2, 13);
  }

  // The wheel zooms at the cursor and a drag moves, as in the labeller.
  listen() {
    const { canvas } = this;
    let held = null;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const notch = Math.max(-400, Math.min(400, event.deltaY));
      this.zoomAt(Math.exp(-0.0016 * notch), event.offsetX, event.offsetY);
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => {
      held = [event.offsetX, event.offsetY];
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!held) return;
      this.pan((held[0] - event.offsetX) / this.scale, (held[1] - event.offsetY) / this.scale);
      held = [event.offsetX, event.offsetY];
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (held = null));
    canvas.addEventListener("dblclick", () => {
      this.fit();
      this.draw();
    });
  }
}
