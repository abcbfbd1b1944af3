// A video along a line: where one is, what is marked, and below it how much moves. It is a
// slider for mouse, finger and keys.

const SVG = "http://www.w3.org/2000/svg";

class Strip {
  constructor(go) {
    this.go = go;
    this.count = 1;
    this.element = make("div", "pnb-pick-strip", "", {
      role: "slider",
      tabindex: 0,
      "aria-label": "Frame",
      "aria-valuemin": 0,
    });
    this.marks = make("div", "pnb-pick-marks");
    this.curve = document.createElementNS(SVG, "svg");
    this.curve.setAttribute("viewBox", "0 0 1000 100");
    this.curve.setAttribute("preserveAspectRatio", "none");
    this.curve.classList.add("pnb-pick-curve");
    this.head = make("div", "pnb-pick-head");
    this.hover = make("div", "pnb-pick-hover");
    this.element.append(this.marks, this.curve, this.head, this.hover);
    const at = (event) => {
      const box = this.element.getBoundingClientRect();
      const share = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
      return Math.round(share * (this.count - 1));
    };
    this.element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.element.setPointerCapture(event.pointerId);
      this.go(at(event));
    });
    this.element.addEventListener("pointermove", (event) => {
      this.hover.style.left = `${this.share(at(event))}%`;
      if (this.element.hasPointerCapture(event.pointerId)) this.go(at(event));
    });
  }

  share(frame) {
    return this.count > 1 ? (100 * frame) / (this.count - 1) : 0;
  }

  show(view) {
    this.count = Math.max(1, view.count);
    this.element.setAttribute("aria-valuemax", this.count - 1);
    const told = JSON.stringify([view.current, view.count, view.there, view.taken, view.suggested]);
    if (told === this.told) return;
    this.told = told;
    this.marks.replaceChildren(
      ...["there", "suggested", "taken"].flatMap((kind) =>
        view[kind].map((frame) => {
          const mark = make("i", `pnb-pick-${kind}`);
          mark.style.left = `${this.share(frame)}%`;
          return mark;
        }),
      ),
    );
  }

  showCurve(motion) {
    this.curve.replaceChildren();
    if (!motion || !motion.frames.length) return;
    const steps = motion.frames.map(
      (frame, n) => `${(10 * this.share(frame)).toFixed(1)} ${(100 - 96 * motion.values[n]).toFixed(1)}`,
    );
    const first = (10 * this.share(motion.frames[0])).toFixed(1);
    const last = (10 * this.share(motion.frames.at(-1))).toFixed(1);
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", `M${first} 100 L${steps.join(" L")} L${last} 100 Z`);
    this.curve.append(path);
  }

  showFrame(frame, text) {
    this.head.style.left = `${this.share(frame)}%`;
    this.element.setAttribute("aria-valuenow", frame);
    this.element.setAttribute("aria-valuetext", text);
  }
}
