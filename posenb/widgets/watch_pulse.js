// Asks the kernel to look again every few seconds, as only an answer to the page arrives in
// Colab, and a page that is closed then asks no more. It waits for each answer before it asks
// again: a kernel that is busy is not flooded, and `data-silent` says that none has come.
function render({ model, el }) {
  const every = 1000 * model.get("every");
  const patience = every + 8000;
  let asked = 0, heard = performance.now(), waiting = false;

  const ask = () => {
    waiting = true;
    asked = performance.now();
    model.send({ kind: "pulse" });
  };
  const show = () => {
    const silent = waiting && performance.now() - asked > patience;
    el.closest(".pnb-watch")?.classList.toggle("pnb-silent", silent);
  };
  const onAnswer = () => {
    waiting = false;
    heard = performance.now();
    show();
  };
  model.on("change:answers", onAnswer);
  const timer = setInterval(() => {
    show();
    if (!el.isConnected || document.hidden || !model.get("going")) return;
    // An answer may be lost with the connection; after a while it is asked for again.
    const lost = waiting && performance.now() - asked > 4 * patience;
    if (lost || (!waiting && performance.now() - heard >= every)) ask();
  }, 500);
  return () => {
    clearInterval(timer);
    model.off("change:answers", onAnswer);
  };
}
export default { render };
