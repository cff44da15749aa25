// Defog: three ways, and a lens that shows how much light comes through.

import { el, thumb } from "../dom.js";
import { t, number } from "../words.js";
import { store } from "../store.js";
import { wayOf } from "../runner.js";
import { PictureRoom } from "./picture.js";
import { finisher } from "./finishing.js";
import { railChoice } from "./choices.js";

const SIDE = 160; // of the lens, and of the small pictures that it reads

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
    room.lens = new Lens(room.stage);
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
  constructor(stage) {
    this.stage = stage;
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
    this.before = before;
    this.after = after;
    this.map = null;
  }

  measure() {
    const darkest = (picture) => {
      const small = el("canvas", { width: SIDE, height: SIDE });
      const context = small.getContext("2d", { willReadFrequently: true });
      context.filter = "blur(1.5px)";
      context.drawImage(picture, 0, 0, SIDE, SIDE);
      const { data } = context.getImageData(0, 0, SIDE, SIDE);
      return Float32Array.from({ length: SIDE * SIDE }, (_, at) => Math.min(data[4 * at], data[4 * at + 1], data[4 * at + 2]));
    };
    const [hazy, clear] = [darkest(this.before), darkest(this.after)];
    const light = Math.max(1, [...hazy].sort((a, b) => b - a)[Math.floor(SIDE * SIDE * 0.001)]) + 4;
    this.map = hazy.map((value, at) => Math.min(1, Math.max(0, (light - value) / Math.max(8, light - clear[at]))));
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
    this.draw((x / view.width) * SIDE, (y / view.height) * SIDE);
  }

  draw(x, y) {
    const context = this.canvas.getContext("2d");
    const image = context.createImageData(SIDE, SIDE);
    const step = 0.25; // four screen pixels for each of the map's
    for (let row = 0; row < SIDE; row++) {
      for (let column = 0; column < SIDE; column++) {
        const u = Math.round(x + (column - SIDE / 2) * step);
        const v = Math.round(y + (row - SIDE / 2) * step);
        const inside = u >= 0 && v >= 0 && u < SIDE && v < SIDE;
        const value = inside ? 255 * this.map[v * SIDE + u] : 0;
        image.data.set([value, value, value, 255], 4 * (row * SIDE + column));
      }
    }
    context.putImageData(image, 0, 0);
    const at = this.map[Math.min(SIDE - 1, Math.round(y)) * SIDE + Math.min(SIDE - 1, Math.round(x))];
    this.words.textContent = t("defog.through", { n: number(Math.round(at * 100)) });
  }
}
