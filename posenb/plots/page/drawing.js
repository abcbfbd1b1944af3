// Curves on canvases: as many points as the screen can show, and no peak lost.
"use strict";

const LINE = 1.3; // pixels of CSS
const PATIENCE = 10; // milliseconds of drawing before the page may answer

function fit(canvas, width, height, sharpness) {
  canvas.width = Math.round(width * sharpness);
  canvas.height = Math.round(height * sharpness);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.setTransform(sharpness, 0, 0, sharpness, 0, 0);
  return context;
}

function clipTo(context, box) {
  context.beginPath();
  context.rect(box.left, box.top, box.width, box.height);
  context.clip();
}

function scale(range, from, length) {
  const factor = length / (range[1] - range[0]);
  return (value) => from + (value - range[0]) * factor;
}

function dot(path, x, y, radius) {
  path.moveTo(x + radius, y);
  path.arc(x, y, radius, 0, 2 * Math.PI);
}

// One line of a panel against time.
function drawCurve(context, recording, channel, line, look, box, times, values, columns) {
  const x = scale(times, box.left, box.width);
  const y = scale(values, box.top + box.height, -box.height);
  const first = Math.max(0, recording.after(times[0]) - 1);
  const last = Math.min(recording.count, recording.after(times[1]) + 1);
  let size = 1;
  while ((last - first) / size > columns) size *= 2;
  context.strokeStyle = context.fillStyle = look.colour;
  context.lineWidth = look.width ?? LINE;
  context.globalAlpha = look.alpha ?? 1;
  context.lineJoin = "bevel";
  const [curve, dots] = [new Path2D(), new Path2D()];
  if (size === 1) {
    traceSamples(curve, dots, recording, channel, line, [first, last], x, y, box.width);
  } else {
    traceExtremes(curve, recording, channel, line, [first, last], size, x, y);
  }
  context.stroke(curve);
  context.fill(dots);
}

function traceSamples(curve, dots, recording, channel, line, [first, last], x, y, width) {
  const spread = width / Math.max(1, last - first) > 7;
  let open = false;
  for (let i = first; i < last; i++) {
    const value = recording.at(channel, line, i);
    if (Number.isNaN(value)) {
      open = false;
      continue;
    }
    const [across, down] = [x(recording.time(i)), y(value)];
    const alone = !open && Number.isNaN(recording.at(channel, line, i + 1));
    if (open) curve.lineTo(across, down);
    else curve.moveTo(across, down);
    if (spread || alone) dot(dots, across, down, spread ? 2 : 1.3);
    open = true;
  }
}

function traceExtremes(curve, recording, channel, line, [first, last], size, x, y) {
  const { from, low, high } = recording.extremes(channel, line, size, first, last);
  let open = false;
  for (let b = 0; b < low.length; b++) {
    if (Number.isNaN(low[b])) {
      open = false;
      continue;
    }
    const middle = Math.min((from + b) * size + (size >> 1), recording.count - 1);
    const across = x(recording.time(middle));
    const [bottom, top] = [y(low[b]), y(high[b])];
    if (open) curve.lineTo(across, bottom);
    else curve.moveTo(across, bottom);
    curve.lineTo(across, Math.abs(top - bottom) < 1 ? bottom - 1 : top); // a flat one is seen too
    open = true;
  }
}

// Draw paths in slices; `stride` leaves out frames where haste matters more than shape.
function* drawPaths(context, recording, looks, box, view, stride) {
  const x = scale(view.x, box.left, box.width);
  const y = scale(view.y, box.top, box.height);
  const [first, last] = [recording.after(view.times[0]), recording.after(view.times[1] + 1e-9)];
  const few = last - first <= 300;
  context.lineJoin = "bevel";
  for (let line = 0; line < recording.lines; line++) {
    if (!recording.visible[line]) continue;
    context.strokeStyle = context.fillStyle = looks[line].colour;
    context.lineWidth = looks[line].width ?? LINE;
    context.globalAlpha = looks[line].alpha ?? 0.8;
    for (let from = first; from < last; from += 20000) {
      const until = Math.min(from + 20000, last - 1);
      const [curve, dots] = [new Path2D(), new Path2D()];
      tracePath(curve, dots, recording, line, [from, until], x, y, stride, few);
      context.stroke(curve);
      context.fill(dots);
      yield;
    }
  }
  context.globalAlpha = 1;
}

function tracePath(curve, dots, recording, line, [from, until], x, y, stride, few) {
  const { x: xs, y: ys } = recording.values;
  const start = line * recording.count;
  let [open, alone] = [false, false];
  let [across, down] = [0, 0];
  const close = () => {
    if (alone) dot(dots, across, down, 1.3);
    alone = false;
  };
  for (let i = from; i <= until; i += stride) {
    const n = start + i;
    if (!recording.shown[n] || xs[n] !== xs[n]) {
      close();
      open = false;
      continue;
    }
    const [px, py] = [x(xs[n]), y(ys[n])];
    if (open && Math.abs(px - across) < 0.5 && Math.abs(py - down) < 0.5) continue;
    if (open) curve.lineTo(px, py);
    else curve.moveTo(px, py);
    if (few) dot(dots, px, py, 1.8);
    alone = !open;
    [across, down, open] = [px, py, true];
  }
  close();
}

// Run a generator without keeping the page from answering; a later one takes its place.
class Painter {
  start(work, whole, done) {
    this.current = work;
    const go = () => {
      if (this.current !== work) return;
      const begun = performance.now();
      do {
        if (work.next().done) {
          this.current = null;
          done();
          return;
        }
      } while (whole || performance.now() - begun < PATIENCE);
      requestAnimationFrame(go);
    };
    go();
  }

  get busy() {
    return Boolean(this.current);
  }
}
