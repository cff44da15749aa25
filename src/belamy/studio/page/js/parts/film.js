// A film on the stage: it goes round by itself, unless somebody wants no motion.

import { el } from "../dom.js";

const still = matchMedia("(prefers-reduced-motion: reduce)");

/** Whether a result moves. */
export const isFilm = (result) => /\.(mp4|webm|mov|gif)$/i.test(result?.name ?? "");

/** The film of a result, with its controls. */
export function filmOf(result, title) {
  if (/\.gif$/i.test(result.name)) return el("div", { class: "empty film" }, el("img", { src: result.url, alt: title }));
  return el("div", { class: "empty film" }, el("video", {
    src: result.url, controls: true, loop: true, muted: true, autoplay: !still.matches, playsinline: true, "aria-label": title,
    width: result.width, height: result.height,
  }));
}
