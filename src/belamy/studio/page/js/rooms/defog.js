// Defog: three ways, and a lens that shows how much light comes through.

import { el, thumb } from "../dom.js";
import { t, number } from "../words.js";
import { store } from "../store.js";
import { wayOf } from "../runner.js";
import { PictureRoom } from "./picture.js";
import { finisher } from "./finishing.js";
import { railChoice } from "./choices.js";

const SIDE = 160; // of the lens, in pixels of the screen
const WIDE = 320; // of the small pictures that it reads
const EDGE = 24; // pixels that its words need below it

const METHODS = [
  { value: "network", engine: "defog", method: undefined, image: "clear" },
  { value: "dark", engine: "defog", method: "dcp", image: "dark" },
  { value: "fog", engine: "fog", method: undefined, image: "fog" },
];

const current = () => {
  if (wayOf() === "fog") return "fog";
  return store.here.options.method === "dcp" ? "dark" : "network";
};

export const defog = () => new PictureRoom({
  name: "defog",
  slots: () => [["picture", { kind: "hazy" }]],
  samples: "hazy",
  live: true,
  rail(rail) {
    rail.append(el("h2", {}, t("defog.rail")), railChoice(t("defog.rail"), METHODS.map(({ value, image }) => ({
      value, picture: thumb(`/images/presets/defog-${image}.webp`, 116, 82), title: t(`defog.${value}`), note: t(`defog.${value}_note`),
    })), current, (value) => {
      const { engine, method } = METHODS.find((one) => one.value === value);
      store.change((room) => {
        room.engine = engine;
        if (method) room.options.method = method;
        else delete room.options.method;
        room.preset = null;
      }, "preset");
    }));
  },
  begin(room) {
    room.lens = new Lens(room);
    room.finisher = finisher(room);
  },
  refresh(room, what) {
    room.finisher?.(what);
    room.rail.querySelector("[role=radiogroup]")?.refresh();
    const { view } = room.stage;
    room.lens?.setPictures(view.before, view.after);
  },
});

/** What comes through: (A − min I) / (A − min J), A the fog's own light, I before and J after. */
class Lens {
  constructor(room) {
    const { stage } = room;
    Object.assign(this, { room, stage });
    this.canvas = el("canvas", { width: SIDE, height: SIDE });
    this.words = el("span");
    this.node = el("div", { class: "lens", hidden: true }, this.canvas, this.words);
    stage.append(this.node);
    stage.addEventListener("pointermove", (event) => this.move(event));
    stage.addEventListener("pointerleave", () => { this.node.hidden = true; });
    stage.addEventListener("drawn", () => this.setPictures(stage.view.before, stage.view.after));
  }

  setPictures(before, after) {
    if (before === this.before && after === this.after) return;
    const gentle = (this.room.result?.options?.strength ?? 1) < 1; // it would see what was left
    if (gentle && this.map && before === this.before) return;
    this.before = before;
    this.after = after;
    this.map = null;
  }

  /** The whole map, small, as a picture that the lens shows a part of. */
  measure() {
    const high = Math.max(1, Math.round((WIDE * this.stage.view.height) / this.stage.view.width));
    const darkest = (picture) => {
      const small = el("canvas", { width: WIDE, height: high });
      const context = small.getContext("2d", { willReadFrequently: true });
      context.filter = "blur(1.5px)";
      context.drawImage(picture, 0, 0, WIDE, high);
      const { data } = context.getImageData(0, 0, WIDE, high);
      return Float32Array.from({ length: WIDE * high }, (_, at) => Math.min(data[4 * at], data[4 * at + 1], data[4 * at + 2]));
    };
    const [hazy, clear] = [darkest(this.before), darkest(this.after)];
    const light = Math.max(1, [...hazy].sort((a, b) => b - a)[Math.floor(WIDE * high * 0.001)]) + 4;
    this.map = hazy.map((value, at) => Math.min(1, Math.max(0, (light - value) / Math.max(8, light - clear[at]))));
    this.sheet = el("canvas", { width: WIDE, height: high });
    const context = this.sheet.getContext("2d");
    const image = context.createImageData(WIDE, high);
    this.map.forEach((value, at) => image.data.set([255 * value, 255 * value, 255 * value, 255], 4 * at));
    context.putImageData(image, 0, 0);
  }

  move(event) {
    const { view } = this.stage;
    const inside = !event.target.closest(".knob, button") && this.before && this.after && event.buttons === 0;
    const { left, top } = this.stage.getBoundingClientRect();
    const [x, y] = view.toPicture(event.clientX - left, event.clientY - top);
    this.node.hidden = !(inside && x >= 0 && y >= 0 && x < view.width && y < view.height);
    if (this.node.hidden) return;
    if (!this.map) this.measure();
    this.node.style.left = `${event.clientX - left}px`;
    this.node.style.top = `${event.clientY - top}px`;
    this.node.classList.toggle("above", event.clientY - top + SIDE / 2 + EDGE > this.stage.clientHeight);
    this.draw(x, y, view.toPicture(event.clientX - left + SIDE / 2, event.clientY - top)[0] - x);
  }

  /** What lies under the lens, as large as it hangs there. @param x, y, half in pixels of the picture. */
  draw(x, y, half) {
    const { sheet, map } = this;
    const by = WIDE / this.stage.view.width;
    const context = this.canvas.getContext("2d");
    context.fillRect(0, 0, SIDE, SIDE);
    context.imageSmoothingQuality = "high";
    context.drawImage(sheet, (x - half) * by, (y - half) * by, 2 * half * by, 2 * half * by, 0, 0, SIDE, SIDE);
    const [column, row] = [x * by, y * by].map(Math.floor);
    const at = map[Math.min(sheet.height - 1, row) * WIDE + Math.min(WIDE - 1, column)];
    this.words.textContent = t("defog.through", { n: number(Math.round(at * 100)) });
  }
}
