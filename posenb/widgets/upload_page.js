// What the uploader shows: rows of files, told by the kernel. It follows upload_agent.js and
// elements.js in the same module.

const SAYS = {
  picked: () => "Waits for the kernel.",
  waiting: () => "Waits for the others.",
  checking: () => "Reading again what was sent before the break …",
  comparing: () => "A video has this name: comparing …",
  sending: (row) => [row.amount, row.pace, row.direct ? "straight to the bucket" : ""],
  paused: (row) => ["Paused", row.amount],
  finishing: () => "All is here. Looking at the video …",
  missing: (row) => `${row.amount} are here. Choose the same file again and it goes on.`,
};
const SIGNS = { refused: "absent", failed: "absent" };
const WITH_BAR = ["checking", "sending", "paused", "finishing", "missing"];

class Row {
  constructor(agent, choose) {
    this.agent = agent;
    this.choose = choose;
    this.element = make("li", "pnb-up-row");
    this.made = "";
  }

  show(row, picture) {
    const { position, amount, pace, ...rest } = row;
    const made = JSON.stringify([rest, Boolean(picture)]);
    if (made !== this.made) this.build(row, picture);
    this.made = made;
    const sent = this.agent.sent.get(row.key) ?? 0;
    const share = row.size ? Math.max(position, sent) / row.size : 1;
    if (this.bar) {
      this.bar.firstChild.style.width = `${100 * share}%`;
      this.bar.setAttribute("aria-valuenow", Math.floor(100 * share));
    }
    if (SAYS[row.phase]) {
      const says = [SAYS[row.phase](row)].flat().filter(Boolean).join(" · ");
      if (this.text.textContent !== says) this.text.textContent = says;
    }
  }

  build(row, picture) {
    const had = this.element.contains(document.activeElement);
    const focus = had ? document.activeElement.getAttribute("data-is") : null;
    this.element.className = `pnb-up-row pnb-up-${row.phase}`;
    this.element.dataset.phase = row.phase;
    const image = picture
      ? make("img", "pnb-up-picture", "", { src: picture, alt: `First frame of ${row.name}` })
      : make("span", `pnb-up-picture pnb-icon pnb-icon-${SIGNS[row.phase] ?? "video"}`);
    const words = make("div", "pnb-up-words");
    const name = make("div", "pnb-up-name", row.name, { title: row.name });
    words.append(name);
    if (row.original) words.append(make("div", "pnb-up-original", `from “${row.original}”`));
    this.text = make("div", "pnb-up-text", row.facts);
    words.append(this.text);
    if (row.message) words.append(make("div", "pnb-up-message", row.message));
    this.bar = null;
    if (WITH_BAR.includes(row.phase)) {
      this.bar = make("div", "pnb-bar pnb-up-bar", "", {
        role: "progressbar",
        "aria-label": row.name,
        "aria-valuemin": 0,
        "aria-valuemax": 100,
      });
      this.bar.append(make("i"));
      words.append(this.bar);
    }
    if (row.phase === "clash") words.append(this.rename(row));
    this.element.replaceChildren(image, words, this.buttons(row));
    if (!had) return;
    const same = this.element.querySelector(`[data-is="${focus}"]`);
    (same ?? this.element.querySelector("button"))?.focus();
  }

  rename(row) {
    const form = make("form", "pnb-up-rename");
    const field = make("input", "", "", { type: "text", "aria-label": `New name of ${row.name}` });
    field.value = row.offer;
    field.setAttribute("data-is", "name");
    const use = make("button", "jupyter-button pnb-primary", "Use this name", { type: "submit" });
    form.append(field, use);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.agent.say({ do: "rename", key: row.key, name: field.value });
    });
    // Notebooks take letters for their own shortcuts.
    field.addEventListener("keydown", (event) => event.stopPropagation());
    return form;
  }

  buttons(row) {
    const { key, phase } = row;
    const act = (what) => () => this.agent.say({ do: what, key });
    const made = make("div", "pnb-up-buttons");
    const add = (is, one) => {
      one.setAttribute("data-is", is);
      made.append(one);
    };
    if (["sending", "waiting", "checking"].includes(phase)) {
      add("go", button("pause", `Pause ${row.name}`, act("pause")));
    } else if (phase === "paused") {
      add("go", button("play", `Go on with ${row.name}`, act("resume")));
    } else if (phase === "failed") {
      add("go", button("again", `Try ${row.name} again`, act("resume"), { text: "Try again" }));
    } else if (phase === "missing") {
      add("go", button("upload", `Choose ${row.name} again`, this.choose, { text: "Choose it" }));
    }
    if (["finishing", "comparing", "picked"].includes(phase)) return made;
    const over = ["done", "refused", "clash"].includes(phase) || !row.position;
    const label = over ? `Take ${row.name} off this list` : `Give up ${row.name}`;
    const close = button("close", label, () => {
      // What has arrived goes with it: only at a second click.
      if (over || close.classList.contains("pnb-up-sure")) {
        this.agent.held.delete(key);
        this.agent.say({ do: "remove", key });
        return;
      }
      close.classList.add("pnb-up-sure");
      close.classList.remove("pnb-bare");
      close.textContent = "Discard it";
      setTimeout(() => {
        close.classList.remove("pnb-up-sure");
        close.classList.add("pnb-bare");
        close.textContent = "";
      }, 4000);
    });
    add("close", close);
    return made;
  }
}

class Page {
  constructor(model, agent, el) {
    this.model = model;
    this.agent = agent;
    this.rows = new Map();
    el.classList.add("pnb", "pnb-up");
    el.dataset.lmSuppressShortcuts = "true"; // JupyterLab keeps its letters to itself
    this.input = make("input", "", "", { type: "file", multiple: "", hidden: "" });
    this.input.accept = "video/*,.avi,.mkv,.mov,.mp4,.mpg,.mts,.m2ts,.wmv,.flv,.h264,.ts,.y4m";
    this.input.addEventListener("change", () => {
      agent.pick(this.input.files);
      this.input.value = "";
    });
    this.choose = () => this.input.click();
    this.list = make("ul", "pnb-up-rows");
    this.note = make("div", "pnb-up-note", "", { role: "status" });
    el.append(this.dropArea(el), this.finder(), this.note, this.list, this.input);
    this.draw = () => this.show();
    model.on("change:view", this.draw);
    model.on("change:pictures", this.draw);
    agent.watchers.add(this.draw);
    this.show();
  }

  close() {
    this.model.off("change:view", this.draw);
    this.model.off("change:pictures", this.draw);
    this.agent.watchers.delete(this.draw);
  }

  dropArea(el) {
    const area = make("div", "pnb-up-drop");
    const icon = make("span", "pnb-up-arrow pnb-icon pnb-icon-upload");
    const words = make("div", "pnb-up-invite");
    words.append(make("div", "pnb-up-lead", "Drop videos here"));
    this.place = make("div", "pnb-muted pnb-up-place");
    words.append(this.place);
    const pick = button("upload", "Choose videos on this computer", this.choose, {
      text: "Choose videos",
      classes: "pnb-primary pnb-up-choose",
    });
    pick.classList.remove("pnb-icon", "pnb-icon-upload");
    area.append(icon, words, pick);
    let depth = 0;
    const lit = (on) => area.classList.toggle("pnb-up-over", on);
    el.addEventListener("dragenter", (event) => {
      event.preventDefault();
      depth += 1;
      lit(true);
    });
    el.addEventListener("dragleave", () => {
      depth -= 1;
      lit(depth > 0);
    });
    el.addEventListener("dragover", (event) => {
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
    });
    el.addEventListener("drop", (event) => {
      event.preventDefault();
      event.stopPropagation();
      depth = 0;
      lit(false);
      if (event.dataTransfer.files.length) this.agent.pick(event.dataTransfer.files);
    });
    return area;
  }

  finder() {
    const box = make("div", "pnb-up-find");
    const form = make("form", "pnb-up-form");
    const label = make("label", "pnb-up-label", "Or add videos where they lie");
    const field = make("input", "pnb-up-field", "", {
      type: "text",
      placeholder: "Folder, path, pattern or URL: /content/drive/MyDrive/raw/*.mp4, gs://lab/raw",
      spellcheck: "false",
      "aria-label": "Folder, path, pattern or URL of videos",
    });
    label.append(field);
    const look = make("button", "jupyter-button pnb-icon pnb-icon-find", "Find", { type: "submit" });
    form.append(label, look);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.agent.say({ do: "find", text: field.value });
    });
    field.addEventListener("keydown", (event) => event.stopPropagation());
    this.found = make("div", "pnb-up-found");
    box.append(form, this.found);
    this.foundMade = "null";
    return box;
  }

  showFound(found) {
    const made = JSON.stringify(found);
    if (made === this.foundMade) return;
    this.foundMade = made;
    this.found.replaceChildren();
    if (!found) return;
    if (found.message) {
      this.found.append(make("div", "pnb-up-message", found.message));
      return;
    }
    const items = make("div", "pnb-up-items", "", { role: "group", "aria-label": "Videos found" });
    const boxes = found.items.map((item) => {
      const line = make("label", "pnb-up-item", "", { title: item.url });
      const box = make("input", "", "", { type: "checkbox" });
      box.checked = box.disabled = item.known;
      if (!item.known) box.checked = true;
      line.append(box, make("span", "", item.name));
      if (item.known) line.append(make("span", "pnb-muted", "in the project"));
      items.append(line);
      box.addEventListener("change", () => count());
      return [box, item];
    });
    const chosen = () => boxes.filter(([box]) => box.checked && !box.disabled).map(([, item]) => item);
    const add = make("button", "jupyter-button pnb-primary", "", { type: "button" });
    const count = () => {
      const n = chosen().length;
      add.textContent = n === 1 ? "Add 1 video" : `Add ${n} videos`;
      add.disabled = n === 0;
    };
    add.addEventListener("click", () => {
      add.disabled = true;
      add.textContent = "Adding …";
      chosen().forEach((item) => this.agent.say({ do: "add", url: item.url }));
    });
    count();
    const all = make("button", "jupyter-button", "All or none", { type: "button" });
    all.addEventListener("click", () => {
      const on = chosen().length === 0;
      boxes.forEach(([box]) => (box.checked = box.disabled || on));
      count();
    });
    const foot = make("div", "pnb-up-foot");
    const rest = found.more ? `${found.more} more are not shown; narrow the pattern.` : "";
    foot.append(add, all, make("span", "pnb-muted", rest));
    this.found.append(items, foot);
  }

  show() {
    const view = this.model.get("view");
    const pictures = this.model.get("pictures");
    this.place.textContent = `Any size, several at once. They go to ${view.place}.`;
    this.place.title = view.folder;
    this.showFound(view.found);
    const known = new Set(view.rows.map((row) => row.key));
    const picked = [...this.agent.picked.values()].map(({ row }) => row);
    const rows = [...view.rows, ...picked.filter((row) => !known.has(row.key))];
    const keys = new Set(rows.map((row) => row.key));
    for (const [key, row] of this.rows) {
      if (!keys.has(key)) {
        row.element.remove();
        this.rows.delete(key);
      }
    }
    rows.forEach((told, n) => {
      if (!this.rows.has(told.key)) this.rows.set(told.key, new Row(this.agent, this.choose));
      const row = this.rows.get(told.key);
      row.show(told, pictures[told.key]);
      if (this.list.children[n] !== row.element) {
        this.list.insertBefore(row.element, this.list.children[n] ?? null);
      }
    });
    const direct = view.rows.some((row) => row.phase === "sending" && row.direct);
    const note = !this.agent.busy
      ? ""
      : `The notebook’s kernel does not answer. ${
          direct ? "The upload to the bucket goes on meanwhile." : "While a cell runs, the upload waits."
        } If the kernel was restarted, run this cell again and choose the same file: it goes on where it was.`;
    if (this.note.textContent !== note) this.note.textContent = note;
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
      const page = new Page(model, agent, el);
      return () => page.close();
    },
  };
};
