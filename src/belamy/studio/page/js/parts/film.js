// A film on the stage: it goes round by itself, unless somebody wants no motion.

import { el } from "../dom.js";

const still = matchMedia("(prefers-reduced-motion: reduce)");

/** Whether a result moves. */
export const isFilm = (result) => /\.(mp4|webm|mov|gif)$/i.test(result?.name ?? "");

/** The film of a result, with its controls. */
export function filmOf(result, title) {
  const film = /\.gif$/i.test(result.name) ? el("img", { src: result.url, alt: title }) : el("video", {
    src: result.url, controls: true, loop: true, muted: true, autoplay: !still.matches, playsinline: true, "aria-label": title,
    width: result.width, height: result.height,
  });
  film.style.setProperty("--ratio", result.width / result.height || 1); // it hangs as large as a picture does
  return el("div", { class: "empty film" }, film);
}
