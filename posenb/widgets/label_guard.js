// Tells the kernel how large the canvas may be and how dense the screen is, keeps from it
// what it cannot use, and wakes it after the last click, and again when it asks for it, so
// that it can say what came of the saving: in Colab, only an answer to the page arrives. Now
// and then it asks the kernel to look what others saved.
// The labeller also works without.
const FORGOTTEN = 15 * 60 * 1000; // milliseconds without a hand on the labeller

function render({ model, el }) {
  let frame = 0, observer = null, settled = 0, idle = 0, pause = 0, last = null, lastMove = 0;
  const controller = new AbortController();
  const capture = { capture: true, signal: controller.signal };

  const attach = () => {
    const root = el.closest(".pnb-labeller");
    if (!root || !root.isConnected) { frame = requestAnimationFrame(attach); return; }
    const box = root.querySelector(".pnb-stage");

    const report = () => {
      const width = Math.floor(box.clientWidth);
      if (width < 50) return;
      const room = [width, Math.floor(window.innerHeight)];
      const now = JSON.stringify([room, window.devicePixelRatio]);
      if (now === last) return;
      last = now;
      model.send({ kind: "room", width: room[0], height: room[1], ratio: window.devicePixelRatio });
    };
    observer = new ResizeObserver(() => { clearTimeout(settled); settled = setTimeout(report, 60); });
    observer.observe(box);
    report();

    const wake = () => {
      clearTimeout(idle);
      idle = setTimeout(() => model.send({ kind: "idle" }), 1200);
    };
    // A page that is left open must not keep a kernel awake for ever.
    let touched = Date.now();
    for (const kind of ["keyup", "pointermove", "wheel"]) {
      root.addEventListener(kind, () => { touched = Date.now(); }, { ...capture, passive: true });
    }
    const look = () => {
      clearTimeout(pause);
      if (!document.hidden && Date.now() - touched < FORGOTTEN) model.send({ kind: "look" });
      pause = setTimeout(look, model.get("pause"));
    };
    pause = setTimeout(look, model.get("pause"));
    document.addEventListener("visibilitychange", look, { signal: controller.signal });
    model.on("change:pause", look);
    model.on("msg:custom", (message) => { if (message.kind === "wake") wake(); });
    const onCanvas = (event) => event.target instanceof HTMLCanvasElement;
    for (const kind of ["mousedown", "mouseup"]) {
      root.addEventListener(kind, (event) => {
        if (onCanvas(event) && event.button !== 0) event.stopImmediatePropagation();
      }, capture);
    }
    root.addEventListener("mousemove", (event) => {
      if (!onCanvas(event) || event.buttons) return;
      // Where the cursor rests matters for the wheel alone; every way to it does not.
      const now = performance.now();
      if (now - lastMove < 40) event.stopImmediatePropagation();
      else lastMove = now;
    }, capture);
    root.addEventListener("wheel", (event) => {
      if (!onCanvas(event)) return;
      const { clientX, clientY } = event;
      lastMove = 0;
      event.target.dispatchEvent(new MouseEvent("mousemove", { clientX, clientY, bubbles: true }));
    }, capture);
    root.addEventListener("keydown", (event) => {
      if (onCanvas(event) && event.key === "Tab") event.stopImmediatePropagation();
    }, capture);
    // After a mouse click on a button the keys belong to the canvas again; who goes through
    // the buttons with the keyboard stays where they are.
    root.addEventListener("click", (event) => {
      const button = event.target.closest?.("button");
      if (button && event.detail > 0) box.querySelector("canvas")?.focus({ preventScroll: true });
    }, { signal: controller.signal });
    for (const kind of ["click", "keyup", "mouseup"]) root.addEventListener(kind, wake, capture);
  };
  attach();
  return () => {
    controller.abort();
    cancelAnimationFrame(frame);
    clearTimeout(settled);
    clearTimeout(idle);
    clearTimeout(pause);
    observer?.disconnect();
  };
}
export default { render };
