// The marked frames as small pictures: what is suggested, what is to be written, what is there.

const KINDS = [
  ["suggested", "Suggested"],
  ["taken", "To be written"],
  ["there", "In the project"],
];

class Shelves {
  constructor(say, look) {
    this.say = say;
    this.look = look;
    this.clip = 0;
    this.thumbs = new Map(); // "clip/frame" -> URL of a picture
    this.asked = new Set();
    this.observer = new IntersectionObserver((seen) => this.seen(seen), { rootMargin: "200px" });
    const lists = make("div", "pnb-pick-lists");
    this.groups = {};
    for (const [kind, title] of KINDS) {
      const box = make("section", `pnb-pick-list pnb-pick-list-${kind}`);
      const bar = make("div", "pnb-pick-bar pnb-pick-title");
      const name = make("h4", "", title);
      const number = make("span", "pnb-muted");
      bar.append(name, number);
      if (kind === "suggested") {
        bar.append(
          button("accept", "Take all that is suggested", () => this.say("take_all"), {
            text: "Take all",
          }),
          button("close", "Drop all that is suggested", () => this.say("drop_all"), {
            text: "Drop all",
          }),
        );
      }
      const grid = make("div", "pnb-pick-grid");
      box.append(bar, grid);
      lists.append(box);
      this.groups[kind] = { box, grid, number, tiles: new Map() };
    }
    this.empty = make("p", "pnb-muted pnb-pick-empty");
    lists.append(this.empty);
    this.element = lists;
  }

  close() {
    this.observer.disconnect();
    for (const url of this.thumbs.values()) URL.revokeObjectURL(url);
  }

  show(view) {
    if (this.clip !== view.current) {
      this.clip = view.current;
      for (const { grid, tiles } of Object.values(this.groups)) {
        tiles.clear();
        grid.replaceChildren();
      }
    }
    for (const [kind] of KINDS) this.showGroup(kind, view[kind]);
    this.empty.textContent =
      view.there.length + view.taken.length + view.suggested.length
        ? ""
        : "Nothing is marked yet. Let frames be suggested, or look through the video and take those that show something new.";
  }

  showHere(frame) {
    for (const { tiles } of Object.values(this.groups)) {
      for (const [number, tile] of tiles) tile.classList.toggle("pnb-pick-here", number === frame);
    }
  }

  receive(clip, frame, url) {
    this.thumbs.set(`${clip}/${frame}`, url);
    if (clip !== this.clip) return;
    for (const { tiles } of Object.values(this.groups)) {
      if (tiles.has(frame)) this.dressTile(tiles.get(frame), frame);
    }
  }

  showGroup(kind, frames) {
    const { box, grid, number, tiles } = this.groups[kind];
    box.hidden = !frames.length;
    number.textContent = frames.length;
    const wanted = new Set(frames);
    for (const [frame, tile] of tiles) {
      if (wanted.has(frame)) continue;
      this.observer.unobserve(tile);
      tile.remove();
      tiles.delete(frame);
    }
    frames.forEach((frame, n) => {
      if (!tiles.has(frame)) tiles.set(frame, this.tile(kind, frame));
      const tile = tiles.get(frame);
      if (grid.children[n] !== tile) grid.insertBefore(tile, grid.children[n] ?? null);
    });
  }

  tile(kind, frame) {
    const tile = make("figure", `pnb-pick-tile pnb-pick-tile-${kind}`);
    tile.dataset.frame = frame;
    const look = make("button", "pnb-pick-look", "", {
      type: "button",
      title: `Look at frame ${frame}`,
    });
    look.addEventListener("click", () => this.look(frame));
    tile.append(look);
    const line = make("figcaption", "", String(frame));
    if (kind === "suggested") {
      line.append(button("accept", `Take frame ${frame}`, () => this.say("take", { frames: [frame] })));
    }
    if (kind !== "there") {
      line.append(button("close", `Drop frame ${frame}`, () => this.say("drop", { frames: [frame] })));
    }
    tile.append(line);
    this.dressTile(tile, frame);
    this.observer.observe(tile);
    return tile;
  }

  dressTile(tile, frame) {
    const url = this.thumbs.get(`${this.clip}/${frame}`);
    if (url) tile.firstChild.replaceChildren(make("img", "", "", { src: url, alt: `Frame ${frame}` }));
  }

  seen(entries) {
    const frames = entries
      .filter((entry) => entry.isIntersecting)
      .map((entry) => Number(entry.target.dataset.frame))
      .filter((frame) => !this.asked.has(`${this.clip}/${frame}`));
    if (!frames.length) return;
    for (const frame of frames) this.asked.add(`${this.clip}/${frame}`);
    this.say("thumbs", { frames });
  }
}
