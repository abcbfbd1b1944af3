// What the benchmark of the labeller measures in the page: from an event to the first frame
// of the screen in which the canvas shows what came of it.
() => {
  const canvas = document.querySelector(".pnb-stage canvas");
  const context = canvas.getContext("2d");
  const rest = (ms) => new Promise((go) => setTimeout(go, ms));
  const beat = () => new Promise((go) => requestAnimationFrame(go));
  const box = () => canvas.getBoundingClientRect();
  const ratio = () => canvas.width / box().width;
  const send = (kind, u, v, buttons = 0) => canvas.dispatchEvent(new MouseEvent(kind, {
    clientX: Math.round(box().left + u), clientY: Math.round(box().top + v),
    bubbles: true, cancelable: true, button: 0, buttons,
  }));
  const patch = (u, v, n) => context.getImageData(
    (u - n) * ratio(), (v - n) * ratio(), 2 * n * ratio(), 2 * n * ratio()).data.join();
  const until = async (changed, limit = 5000) => {
    const start = performance.now();
    while (performance.now() - start < limit) {
      await beat();
      if (changed()) break;
    }
    return performance.now() - start;
  };
  // Where along a row the point lies: its colour is the one colour in a grey image.
  const coloured = (v) => {
    const data = context.getImageData(0, Math.round(v * ratio()), canvas.width, 1).data;
    let sum = 0, count = 0;
    for (let i = 0; i < canvas.width; i++) {
      const [r, g, b] = data.subarray(4 * i, 4 * i + 3);
      if (Math.max(r, g, b) - Math.min(r, g, b) > 90) { sum += i; count++; }
    }
    return count ? sum / count / ratio() : NaN;
  };
  window.measured = {
    async clicks(count) {
      const times = [];
      for (let i = 0; i < count; i++) {
        const u = Math.round(box().width * (0.35 + 0.3 * ((i * 7) % 11) / 11));
        const v = Math.round(box().height * (0.2 + 0.6 * ((i * 5) % 13) / 13));
        send("mousemove", u, v);
        await rest(400);
        const before = patch(u, v, 3);
        send("mousedown", u, v, 1);
        send("mouseup", u, v);
        times.push(await until(() => patch(u, v, 3) !== before));
      }
      return times;
    },
    async frames(count, pause) {
      const times = [], u = box().width / 2, v = box().height / 2;
      for (let i = 0; i < count; i++) {
        await rest(pause / 2);
        send("mousemove", u, v);
        await rest(pause / 2);
        const before = patch(u, v, 20);
        canvas.dispatchEvent(new KeyboardEvent("keydown", { key: "d", bubbles: true }));
        times.push(await until(() => patch(u, v, 20) !== before));
      }
      return times;
    },
    async drag(ms) {
      const v = Math.round(box().height / 2), [low, high] = [0.3, 0.7].map((x) => x * box().width);
      let u = Math.round(low);
      send("mousemove", u, v);
      send("mousedown", u, v, 1);
      send("mouseup", u, v);
      await rest(800);
      send("mousedown", u, v, 1);
      const start = performance.now();
      let drawn = 0, sent = 0, last = NaN;
      while (performance.now() - start < ms) {
        await beat();
        u = u + 2 > high ? Math.round(low) : u + 2;
        send("mousemove", u, v, 1);
        const at = coloured(v);
        if (Math.abs(at - last) > 0.5) drawn++;
        last = at;
        sent++;
      }
      send("mouseup", u, v);
      return { sent: sent / (ms / 1000), drawn: drawn / (ms / 1000) };
    },
  };
}
