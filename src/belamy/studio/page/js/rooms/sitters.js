// The sitters A and B: faces that are kept while others come and go.

import { el, icon, thumb } from "../dom.js";
import { t } from "../words.js";
import { store } from "../store.js";
import { bitmapOf } from "../pictures.js";
import { firstFace } from "./wall.js";

const FIRST = { a: 5, b: 12 }; // places on the first wall of who sits while nobody has been pinned

export class Sitters {
  constructor(changed) {
    this.changed = changed;
    this.node = el("div", { class: "well loose" });
    this.build();
    if (store.here.sitters === undefined) this.furnish().catch(() => null);
  }

  /** Two faces of the first wall sit here, until somebody pins others or takes them away. */
  async furnish() {
    const room = store.here;
    const [a, b] = await Promise.all([firstFace(FIRST.a), firstFace(FIRST.b)]);
    if (room.sitters !== undefined) return;
    room.sitters = { a, b };
    store.keep();
    this.build();
    this.changed();
  }

  get kept() {
    return store.here.sitters ?? {};
  }

  get(letter) {
    return this.kept[letter] ?? null;
  }

  letterOf(number) {
    const found = ["a", "b"].find((one) => this.kept[one]?.number === number);
    return found?.toUpperCase() ?? null;
  }

  pin(letter, face) {
    const { id, number, thumb: url, options } = face;
    store.here.sitters = { ...this.kept, [letter]: { id, number, thumb: url, options } };
    store.keep();
    this.build();
    this.changed();
  }

  drop(letter) {
    const { [letter]: _, ...rest } = this.kept;
    store.here.sitters = rest;
    store.keep();
    this.build();
    this.changed();
  }

  async drawing(letter) {
    const url = this.kept[letter]?.thumb;
    return url ? bitmapOf(url).catch(() => null) : null;
  }

  build() {
    this.node.replaceChildren(...["a", "b"].map((letter) => {
      const sitter = this.get(letter);
      const name = letter.toUpperCase();
      return el("div", { class: sitter ? "sitter chosen" : "sitter" },
        el("span", { class: "frame" }, sitter ? thumb(sitter.thumb, 92, 92, t("paint.face", { n: sitter.number })) : el("span", { class: "blank" }, name)),
        sitter ? el("button", {
          class: "unpin", type: "button", "aria-label": t("paint.unpin", { letter: name }), title: t("paint.unpin", { letter: name }),
          onclick: () => this.drop(letter),
        }, icon("close")) : null,
        sitter ? el("span", { class: "about" }, el("b", {}, name), ` ${sitter.number}`) : null);
    }), el("p", { class: "sitter-hint" }, t("paint.hint")));
  }

  refresh() {
    // they change only when somebody pins
  }
}
