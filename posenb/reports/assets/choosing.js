// Of several recordings one is shown: the first, or the one that the address names.
"use strict";

(() => {
  const recordings = [...document.querySelectorAll("template.recording")];
  if (recordings.length === 0) return;
  const wanted = Number(location.hash.replace("#video-", "")) || 1;
  const shown = Math.min(Math.max(1, wanted), recordings.length);
  document.getElementById("recording").append(recordings[shown - 1].content);
  const chooser = document.getElementById("video");
  chooser.value = String(shown);
  chooser.addEventListener("change", () => {
    location.hash = `video-${chooser.value}`;
    location.reload();
  });
  document.documentElement.dataset.recording = String(shown);
  for (const each of document.querySelectorAll("[data-recording]")) {
    if (each !== document.documentElement) each.hidden = each.dataset.recording !== String(shown);
  }
})();
