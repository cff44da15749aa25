// <bl-mask> and the brush: paint where the new picture is to be. White is new, black stays.

import { el, icon, thumb } from "../dom.js";
import { t } from "../words.js";
import { store } from "../store.js";
import { addFile } from "../pictures.js";
import { finish } from "../actions.js";

const LARGEST = 1024; // side of the mask while it is painted
const STROKES = 40; // that can be undone
const COLOURS = ["#e0b35a", "#5b93d6", "#8fce9f", "#ff9d8c", "#c39be0", "#7fd1d1", "#d8d36a", "#e08bb5"];

export class Masking {
  constructor(stage, room) {
    this.stage = stage;
    this.room = room;
    this.size = 48;
    this.erases = false;
    this.past = [];
    this.over = el("canvas", { class: "over", hidden: true, "aria-hidden": "true" });
    stage.canvas.after(this.over);
    stage.addEventListener("drawn", () => this.drawOver());
    document.addEventListener("undo-stroke", (event) => { if (this.on && this.undo()) event.preventDefault(); });
    document.addEventListener("leave", (event) => {
      if (!this.on) return;
      event.preventDefault();
      this.toggle(false);
      if (!this.past.length && !this.regions.length) this.leave();
    });
    addEventListener("keydown", (event) => this.onKey(event));
  }

  get key() {
    const { result } = this.room;
    return result?.id ?? `picture-${store.here.inputs.picture?.id}`;
  }

  /** The mask that belongs to this result, while it is painted. */
  canvasFor(result) {
    return this.canvas && this.regions.length < 2 && this.of === result.id ? this.canvas : null;
  }

  /** Paintings that have a region each: from two on. */
  get regions() {
    const found = this.room.spec.regions?.() ?? [];
    return found.length > 1 ? found : [];
  }

  get canvas() {
    return this.canvases?.[this.active];
  }

  toggle(on = !this.on) {
    const { view } = this.stage;
    if (on && !view.width) return;
    this.on = on;
    this.stage.classList.toggle("masking", on);
    this.room.label.buttons.mask.setAttribute("aria-pressed", String(on));
    this.over.hidden = !on;
    this.stage.view.painting = on;
    this.stage.painting = on ? (event, kind) => this.onPointer(event, kind) : null;
    if (on) this.open();
    else for (const one of [this.bar, this.hint]) one?.remove();
    this.stage.update();
  }

  open() {
    const { view } = this.stage;
    const count = Math.max(1, this.regions.length);
    if (!this.canvas || this.of !== this.key || this.canvases.length !== count) {
      const scale = Math.min(1, LARGEST / Math.max(view.width, view.height));
      this.canvases = Array.from({ length: count }, () => el("canvas", { width: Math.round(view.width * scale), height: Math.round(view.height * scale) }));
      for (const one of this.canvases) one.getContext("2d", { willReadFrequently: true });
      this.active = 0;
      this.of = this.key;
      this.past = [];
      if (count > 1) this.share();
      else this.shape("clear");
      this.past = [];
    }
    view.mask = count === 1 && view.before && view.after ? this.canvas : null;
    this.showBar();
  }

  showBar() {
    const tool = (name, press, pressed, drawing) => el("button", {
      type: "button", "aria-pressed": pressed === null ? null : String(pressed), onclick: press, title: t(`mask.${name}`),
      "aria-label": t(`mask.${name}`),
    }, drawing ? icon(drawing) : t(`mask.${name}`));
    const size = el("input", {
      type: "range", min: "4", max: "240", value: String(this.size), "aria-label": t("mask.size"),
      oninput: () => { this.size = Number(size.value); this.stage.update(true); },
    });
    this.sizeInput = size;
    this.bar?.remove();
    this.bar = el("bl-mask", { role: "toolbar", "aria-label": t("tools.mask"), class: "extras" },
      this.swatches(),
      tool("brush", () => this.setEraser(false), !this.erases, "mask"),
      tool("eraser", () => this.setEraser(true), this.erases, "eraser"),
      el("label", {}, t("mask.size"), size),
      tool("invert", () => this.shape("invert"), null, "invert"),
      tool("left", () => this.shape("left"), null), tool("middle", () => this.shape("middle"), null),
      tool("all", () => this.shape("all"), null), tool("clear", () => this.shape("clear"), null),
      el("button", { type: "button", class: "finish", onclick: () => this.finish(true) }, t("mask.done")));
    this.hint?.remove();
    this.hint = this.past.length || this.regions.length ? null : el("p", { class: "mask-hint extras" }, t("mask.hint"));
    this.stage.append(this.bar, this.hint ?? "");
  }

  /** To begin with, each painting has its stripe. */
  share() {
    this.canvases.forEach((one, at) => {
      const width = one.width / this.canvases.length;
      const context = one.getContext("2d");
      context.fillStyle = "#fff";
      context.fillRect(Math.round(at * width), 0, Math.ceil(width), one.height);
    });
  }

  /** What one painting has, the others have not. */
  takeFromOthers(draw) {
    this.canvases.forEach((one, at) => {
      if (at === this.active) return;
      const context = one.getContext("2d");
      context.globalCompositeOperation = "destination-out";
      draw(context);
      context.globalCompositeOperation = "source-over";
    });
  }

  swatches() {
    return this.regions.map((painting, at) => {
      const picture = thumb(painting.thumb, 44, 30);
      const button = el("button", {
        class: "swatch", type: "button", "aria-pressed": String(at === this.active), "aria-label": t("mask.region", { name: painting.name }),
        title: painting.name,
        onclick: () => {
          this.active = at;
          this.erases = false;
          this.showBar();
          this.stage.update(true);
        },
      }, picture);
      button.style.setProperty("--region", COLOURS[at % COLOURS.length]);
      return button;
    });
  }

  setEraser(on) {
    this.erases = on;
    this.showBar();
  }

  remember() {
    this.past.push(this.canvases.map((one) => one.getContext("2d").getImageData(0, 0, one.width, one.height)));
    if (this.past.length > STROKES) this.past.shift();
  }

  undo() {
    const last = this.past.pop();
    if (!last) return false;
    last.forEach((data, at) => this.canvases[at].getContext("2d").putImageData(data, 0, 0));
    this.stage.update(true);
    return true;
  }

  /** Halves, the middle, all, nothing: no pointer is needed. Alpha 1 is where the picture is new. */
  shape(name) {
    const { canvas } = this;
    const context = canvas.getContext("2d");
    const { width, height } = canvas;
    if (this.past) this.remember();
    this.hint?.remove();
    context.globalCompositeOperation = "source-over";
    context.fillStyle = "#fff";
    if (name === "invert") {
      context.globalCompositeOperation = "xor";
      context.fillRect(0, 0, width, height);
    } else {
      context.clearRect(0, 0, width, height);
      if (name === "all") context.fillRect(0, 0, width, height);
      if (name === "left") context.fillRect(0, 0, width / 2, height);
      if (name === "middle") {
        context.beginPath();
        context.ellipse(width / 2, height / 2, width * 0.32, height * 0.36, 0, 0, 7);
        context.fill();
      }
    }
    context.globalCompositeOperation = "source-over";
    this.takeFromOthers((other) => other.drawImage(canvas, 0, 0));
    this.stage.update(true);
  }

  onPointer(event, kind) {
    if (event.target.closest("bl-mask, .knob, button")) return false;
    const { left, top } = this.stage.getBoundingClientRect();
    const at = [event.clientX - left, event.clientY - top];
    this.at = at;
    if (kind === "down" && event.button === 0) {
      this.hint?.remove();
      this.remember();
      this.stage.setPointerCapture(event.pointerId);
      this.last = null;
      this.draws = true;
    }
    if (kind === "up") this.draws = false;
    if (this.draws) this.stroke(at);
    this.stage.update(true);
    return true;
  }

  stroke(at) {
    const { view } = this.stage;
    const scale = this.canvas.width / view.width;
    const [x, y] = view.toPicture(...at).map((one) => one * scale);
    const radius = Math.max(0.5, (this.size / 2 / view.shown) * scale);
    const context = this.canvas.getContext("2d");
    context.globalCompositeOperation = this.erases ? "destination-out" : "source-over";
    this.line(context, x, y, radius);
    context.globalCompositeOperation = "source-over";
    if (!this.erases) this.takeFromOthers((other) => this.line(other, x, y, radius));
    this.last = [x, y];
  }

  line(context, x, y, radius) {
    context.strokeStyle = context.fillStyle = "#fff";
    context.lineWidth = radius * 2;
    context.lineCap = "round";
    context.beginPath();
    context.moveTo(...(this.last ?? [x, y]));
    context.lineTo(x + 0.01, y);
    context.stroke();
  }

  /** Hatching where the picture stays, and a ring of two tones for the brush. */
  drawOver() {
    if (!this.on || this.over.hidden) return;
    const { view } = this.stage;
    const { over } = this;
    if (over.width !== view.canvas.width || over.height !== view.canvas.height) {
      over.width = view.canvas.width;
      over.height = view.canvas.height;
    }
    const context = over.getContext("2d");
    context.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
    context.clearRect(0, 0, view.stageWidth, view.stageHeight);
    if (this.canvases.length > 1) this.tint(context, view.box);
    else this.hatchOver(context, view.box);
    this.ring(context);
  }

  /** Each painting's region in its colour. */
  tint(context, { left, top, width, height }) {
    const { width: w, height: h } = this.canvas;
    const layer = (this.layer ??= el("canvas"));
    Object.assign(layer, { width: w, height: h });
    const paint = layer.getContext("2d");
    context.globalAlpha = 0.5;
    this.canvases.forEach((one, at) => {
      paint.globalCompositeOperation = "copy";
      paint.drawImage(one, 0, 0);
      paint.globalCompositeOperation = "source-in";
      paint.fillStyle = COLOURS[at % COLOURS.length];
      paint.fillRect(0, 0, w, h);
      context.drawImage(layer, left, top, width, height);
    });
    context.globalAlpha = 1;
  }

  hatchOver(context, { left, top, width, height }) {
    context.globalAlpha = 0.4;
    context.fillStyle = context.createPattern(this.hatch(), "repeat");
    context.fillRect(left, top, width, height);
    context.globalAlpha = 1;
    context.globalCompositeOperation = "destination-out";
    context.drawImage(this.canvas, left, top, width, height);
    context.globalCompositeOperation = "source-over";
  }

  ring(context) {
    if (!this.at) return;
    for (const [colour, line] of [["#000", 3], ["#fff", 1.25]]) {
      context.strokeStyle = colour;
      context.lineWidth = line;
      context.beginPath();
      context.arc(...this.at, this.size / 2, 0, 7);
      context.stroke();
    }
  }

  hatch() {
    if (this.pattern) return this.pattern;
    this.pattern = el("canvas", { width: 10, height: 10 });
    const context = this.pattern.getContext("2d");
    context.fillStyle = "#000";
    context.fillRect(0, 0, 10, 10);
    context.strokeStyle = "#fff";
    context.lineWidth = 1.5;
    for (const by of [-10, 0, 10]) {
      context.beginPath();
      context.moveTo(by, 10);
      context.lineTo(by + 10, 0);
      context.stroke();
    }
    return this.pattern;
  }

  onKey(event) {
    if (!this.on || event.ctrlKey || event.target.closest?.("input, select, textarea, dialog")) return;
    const grow = (factor) => {
      this.size = Math.min(240, Math.max(4, Math.round(this.size * factor)));
      this.sizeInput.value = String(this.size);
      this.stage.update(true);
    };
    const actions = {
      b: () => this.setEraser(false), e: () => this.setEraser(true), x: () => this.shape("invert"),
      "[": () => grow(0.8), "]": () => grow(1.25),
    };
    actions[event.key.toLowerCase()]?.();
  }

  /** The mask as a picture: white on black. */
  async blob(canvas) {
    const flat = el("canvas", { width: canvas.width, height: canvas.height });
    const context = flat.getContext("2d");
    context.fillRect(0, 0, flat.width, flat.height);
    context.drawImage(canvas, 0, 0);
    return new Promise((resolve) => flat.toBlob(resolve, "image/png"));
  }

  isEmpty(canvas) {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    for (let at = 3; at < data.length; at += 64) if (data[at] > 0) return false;
    return true;
  }

  /** Without a mask, as before. */
  leave() {
    this.canvases = null;
    this.stage.view.mask = null;
    this.stage.update();
  }

  /** Ends the painting. Of a result the exact picture is made; before one, the mask goes with the next. */
  async finish(exact = false) {
    if (!this.on) return;
    this.toggle(false);
    if (!this.past.length && !this.regions.length) { // nothing was painted: all stays as it is
      this.leave();
      return;
    }
    const bare = this.canvases.findIndex((one) => this.isEmpty(one));
    if (bare >= 0) {
      const { name } = this.regions[bare] ?? {};
      store.trouble = { room: store.room, text: name ? t("errors.black_of", { name }) : t("errors.black") };
      store.say("trouble");
      return;
    }
    const masks = [];
    for (const canvas of this.canvases) {
      const blob = await this.blob(canvas);
      masks.push(await addFile(new File([blob], `${t("tools.mask")}.png`, { type: "image/png" })));
    }
    const [mask] = masks;
    const { result } = this.room;
    store.change((room) => { room.inputs.mask = masks.length > 1 ? masks : mask; }, "inputs");
    if (exact && result && masks.length === 1) {
      try {
        const job = await finish(result, { strength: store.here.options.strength ?? 1 }, mask.id);
        store.follow[store.room] = job.id;
        store.setJob(job);
      } catch (error) {
        if (error.status !== 404 && error.status !== 409) throw error;
      }
    }
  }

  refresh() {
    if (this.on && this.of !== this.key) this.open();
  }
}
