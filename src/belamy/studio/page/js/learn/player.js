// Play, pause, step, speed, reset, and the curve of the loss: the same for each lesson.

import { el, icon } from "../dom.js";
import { t } from "../words.js";
import { colours, curves } from "./drawing.js";

const KEPT = 600; // losses of a curve

export class Player {
  /** @param room of the lesson; @param counts [[key, words]…] shown beside the curve. */
  constructor(room, counts, { speeds = true, curve = true } = {}) {
    this.curve = curve;
    this.room = room;
    this.losses = [];
    this.main = el("button", { class: "main", type: "button", onclick: () => (room.playing ? room.pause() : room.play()) });
    this.step = el("button", { type: "button", onclick: () => room.step() }, icon("step"), t("learn.step"));
    this.again = el("button", { type: "button", onclick: () => room.reset() }, icon("usual"), t("learn.reset"));
    this.pace = el("input", {
      type: "range", min: "0", max: "5", step: "1", value: "0", "aria-label": t("learn.speed"),
      oninput: () => {
        this.pace.style.setProperty("--p", `${this.pace.value * 20}%`);
        room.speed(2 ** Number(this.pace.value));
      },
    });
    this.values = new Map(counts.map(([key]) => [key, el("dd", {}, "–")]));
    this.canvas = el("canvas", { role: "img", "aria-label": t("learn.loss") });
    this.node = el("div", { class: "play" },
      el("div", { class: "player" }, this.main, this.step, this.again,
        speeds ? el("label", {}, t("learn.speed"), this.pace) : null),
      curve ? el("div", { class: "loss" }, this.canvas) : null,
      el("dl", { class: "counts" }, counts.flatMap(([key, words]) => [el("dt", {}, words), this.values.get(key)])));
    this.refresh();
  }

  set(key, text) {
    this.values.get(key).textContent = text;
  }

  add(...losses) {
    losses.forEach((loss, at) => {
      const list = (this.losses[at] ??= []);
      if (Number.isFinite(loss)) list.push(loss);
      if (list.length > KEPT) this.losses[at] = list.filter((_, n) => n % 2 === 0);
    });
  }

  clear() {
    this.losses = [];
    for (const value of this.values.values()) value.textContent = "–";
    this.draw();
  }

  draw() {
    if (!this.curve) return;
    const palette = colours();
    const lines = this.losses.length > 1 ? [palette.oneText, palette.twoText] : [palette.gilt];
    const begun = this.losses.some((list) => list.length > 1);
    curves(this.canvas, this.losses.map((list, at) => [list, lines[at]]), palette.text, t(begun ? "learn.loss" : "learn.loss_begin"));
  }

  refresh() {
    const { playing } = this.room;
    if (this.shown === playing) return;
    this.shown = playing;
    this.main.replaceChildren(icon(playing ? "pause" : "play"), t(playing ? "learn.pause" : "learn.play"));
  }
}
