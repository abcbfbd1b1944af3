// The clip, which goes together with the plots, and what else can be clicked.
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);

  function bytesOf(text) {
    const letters = atob(text);
    const bytes = new Uint8Array(letters.length);
    for (let n = 0; n < bytes.length; n++) bytes[n] = letters.charCodeAt(n);
    return bytes;
  }

  // First place in an ascending list whose value is not below `value`.
  function placeOf(values, value) {
    let [low, high] = [0, values.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[middle] < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  class Clip {
    constructor(video, facts, page) {
      Object.assign(this, { video, facts, page });
      this.leads = false; // whether the plots follow the clip just now
      this.sought = null; // picture that the plots asked for and that is not yet there
      this.calls = video.requestVideoFrameCallback !== undefined;
      document.addEventListener("posenb-keep", ({ detail }) => this.leads || this.jump(detail));
      if (this.calls) this.watch();
      else for (const name of ["timeupdate", "seeked"]) video.addEventListener(name, () => this.lead(video.currentTime));
      video.addEventListener("error", () => this.say("This browser cannot play the clip (H.264)."));
      window.addEventListener("beforeprint", () => this.print(true));
      window.addEventListener("afterprint", () => this.print(false));
    }

    open(bytes) {
      const url = URL.createObjectURL(new Blob([bytes], { type: "video/mp4" }));
      this.video.src = url;
      this.listen();
      byId("save").href = url;
      byId("save").hidden = false;
    }

    // The player's own controls would hide a part of the picture as long as it stands still.
    listen() {
      const { video } = this;
      const play = byId("play");
      play.hidden = false;
      play.addEventListener("click", () => (video.paused ? video.play() : video.pause()));
      for (const name of ["play", "pause"]) {
        video.addEventListener(name, () => { play.textContent = video.paused ? "Play" : "Pause"; });
      }
      for (const name of ["play", "pointerdown", "keydown"]) {
        video.addEventListener(name, () => { this.sought = null; });
      }
      video.controls = false;
      for (const name of ["pointerenter", "focus"]) video.addEventListener(name, () => { video.controls = true; });
      for (const name of ["pointerleave", "blur"]) video.addEventListener(name, () => { video.controls = false; });
    }

    watch() {
      this.video.requestVideoFrameCallback((_, { mediaTime }) => {
        this.lead(mediaTime);
        this.watch();
      });
    }

    // The clip shows another picture: the plots mark its frame. The first one, which is
    // shown before anybody asked for it, does not count.
    lead(time) {
      const { facts, page, video } = this;
      if (time === 0 && video.paused && page.kept === null) return;
      const n = Math.min(facts.frames.length - 1, Math.floor(time * facts.fps + 0.1));
      if (this.sought !== null && this.sought !== n) return; // an earlier one, come late
      this.sought = null;
      if (page.kept !== null && this.placeOf(page.kept) === n) return; // it was asked to
      const i = page.recording.nearest(facts.frames[n] / (page.facts.fps ?? 1));
      if (i === page.kept) return;
      this.leads = true;
      page.keep(i);
      this.leads = false;
    }

    // A frame was clicked in the plots: the clip shows it.
    jump(i) {
      this.say("");
      if (i === null) return;
      const { frames, fps } = this.facts;
      const frame = this.page.recording.frames[i];
      if (frame < frames[0] || frame > frames.at(-1)) {
        this.say("This moment is outside the clip.");
        return;
      }
      this.video.pause();
      this.sought = this.placeOf(i);
      this.video.currentTime = (this.sought + 0.5) / fps;
    }

    // Which picture of the clip shows a frame of the plots.
    placeOf(i) {
      return placeOf(this.facts.frames, this.page.recording.frames[i]);
    }

    say(text) {
      byId("clip-note").textContent = text;
      byId("clip-note").hidden = text === "";
    }

    // Players are not printed; the picture that is shown is.
    print(begins) {
      const { video } = this;
      const still = byId("still");
      if (video.readyState < 2) return;
      still.width = video.videoWidth;
      still.height = video.videoHeight;
      still.getContext("2d").drawImage(video, 0, 0);
      still.hidden = !begins;
      video.hidden = begins;
    }
  }

  // Pictures at large.
  const large = byId("large");
  for (const picture of document.querySelectorAll(".pictures button")) {
    picture.addEventListener("click", () => {
      const image = picture.querySelector("img");
      Object.assign(large.querySelector("img"), { src: image.src, alt: image.alt });
      large.showModal();
    });
  }
  large.addEventListener("click", () => large.close());

  const theme = byId("theme");
  theme.hidden = false;
  if (typeof opening === "undefined") {
    const root = document.documentElement;
    const name = () => { theme.textContent = root.dataset.theme === "light" ? "Dark" : "Light"; };
    theme.addEventListener("click", () => {
      root.dataset.theme = root.dataset.theme === "light" ? "dark" : "light";
      name();
    });
    name();
    root.dataset.ready = "true";
    return;
  }
  opening.then((page) => {
    for (const button of document.querySelectorAll("button[data-index]")) {
      button.addEventListener("click", () => page.keep(Number(button.dataset.index)));
    }
    if (!byId("clip")) return;
    window.clip = new Clip(byId("clip"), JSON.parse(byId("clip-facts").textContent), page);
    window.clip.open(bytesOf(byId("clip-data").textContent));
  });
})();
