// <bl-stage>: the picture, as it was and as it is; compare, zoom, pan, live frames.

import { el, icon } from "../dom.js";
import { t, number } from "../words.js";
import { View } from "./view.js";

const still = matchMedia("(prefers-reduced-motion: reduce)");

export class Stage extends HTMLElement {
  connectedCallback() {
    if (this.view) return;
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", t("stage.name"));
    this.tabIndex = 0;
    if (!document.getElementById("stage")) this.id = "stage";
    this.canvas = el("canvas", { class: "picture", role: "img" });
    this.hang = el("div", { class: "hang", hidden: true });
    this.left = el("span", { class: "side", hidden: true });
    this.right = el("span", { class: "side", hidden: true });
    this.line = el("div", { class: "cut", hidden: true });
    this.knob = el("div", {
      class: "knob", role: "slider", tabindex: "0", hidden: true, "aria-label": t("stage.compare"),
      "aria-valuemin": "0", "aria-valuemax": "100",
      onkeydown: (event) => this.onKnobKey(event),
    }, el("i", {}, icon("knob")));
    this.field = el("div", { class: "field", hidden: true }, el("span"));
    this.extras = el("div", { class: "extras" });
    this.append(this.hang, this.canvas, this.left, this.right, this.line, this.field, this.knob, this.extras);
    this.view = new View(this.canvas);
    this.pointers = new Map();
    this.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    this.addEventListener("pointerdown", (event) => this.onDown(event));
    this.addEventListener("pointermove", (event) => this.onMove(event));
    for (const name of ["pointerup", "pointercancel"]) this.addEventListener(name, (event) => this.onUp(event));
    this.addEventListener("dblclick", () => { this.view.scale === null ? this.trueSize() : this.fit(); });
    this.watcher = new ResizeObserver(() => this.measure());
    this.watcher.observe(this);
    this.measure();
  }

  disconnectedCallback() {
    this.watcher?.disconnect();
  }

  measure() {
    const { width, height } = this.getBoundingClientRect();
    if (!width) return;
    this.view.resize(width, height);
    this.update();
  }

  /** Hangs a picture: {width, height, before, after, title, was, now}; its box is known at once. */
  show(what) {
    const { view } = this;
    const other = view.width !== what.width || view.height !== what.height;
    view.width = what.width;
    view.height = what.height;
    if (other && !what.keepZoom) view.fitAgain();
    view.before = what.before ?? null;
    view.after = what.after ?? null;
    view.alpha = what.alpha ?? 1;
    view.mask = what.mask ?? null;
    this.title_ = what.title ?? "";
    this.was = what.was ?? t("stage.was");
    this.now = what.now ?? "";
    this.update();
  }

  /** The newest frame of a job; the box stays. */
  setAfter(bitmap) {
    const old = this.view.after;
    this.view.after = bitmap;
    this.update(true);
    if (old instanceof ImageBitmap && old !== bitmap) old.close();
  }

  clear() {
    Object.assign(this.view, { before: null, after: null, width: 0, height: 0, mask: null });
    this.title_ = "";
    this.update();
  }

  /** Draws in the next frame of the screen, once. */
  update(pictureOnly = false) {
    if (!pictureOnly) this.placed = false;
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => {
      this.due = false;
      this.view.draw();
      if (!this.placed) this.place();
      this.dispatchEvent(new CustomEvent("drawn"));
    });
  }

  place() {
    this.placed = true;
    const { view } = this;
    const hung = Boolean(view.width && (view.before || view.after));
    const box = hung ? view.box : { left: 0, top: 0, width: 0, height: 0 };
    const set = (node, style) => {
      for (const [name, value] of Object.entries(style)) node.style[name] = `${value}px`;
    };
    this.hang.hidden = !hung;
    set(this.hang, box);
    this.canvas.setAttribute("aria-label", hung ? this.title_ || t("stage.picture") : t("stage.nothing"));
    const both = hung && view.hasBoth && view.compare && !view.peek && !this.painting;
    const at = box.left + box.width * view.cut;
    this.knob.hidden = this.line.hidden = !both;
    if (both) {
      const top = Math.max(0, box.top);
      const bottom = Math.min(view.stageHeight, box.top + box.height);
      set(this.line, { left: at, top, height: bottom - top });
      set(this.knob, { left: at, top: (top + bottom) / 2 });
      const share = Math.round(view.cut * 100);
      this.knob.setAttribute("aria-valuenow", String(share));
      this.knob.setAttribute("aria-valuetext", t("stage.share", { n: share }));
    }
    this.placeSides(hung, box);
    this.canvas.classList.toggle("zoomed", view.scale !== null);
    this.classList.toggle("grab", view.scale !== null);
    this.dispatchEvent(new CustomEvent("zoomed", { detail: this.zoomWords }));
  }

  placeSides(hung, box) {
    const { view } = this;
    const fits = view.scale === null;
    const both = view.hasBoth && (view.compare || view.peek);
    this.left.hidden = !(hung && fits && both);
    this.right.hidden = !(hung && fits && view.hasBoth && !view.peek && this.now);
    this.left.textContent = this.was;
    this.right.textContent = this.now;
    const inset = view.phone ? 14 : 0;
    const top = view.phone ? box.top + box.height + 7 : box.top - 30;
    this.left.style.left = `${box.left + inset}px`;
    this.right.style.right = `${view.stageWidth - box.left - box.width + inset}px`;
    this.left.style.top = this.right.style.top = `${top}px`;
  }

  get zoomWords() {
    if (!this.view.width) return t("tools.fit");
    const percent = number(Math.round(this.view.shown * 100));
    return t(this.view.scale === null ? "stage.fits" : "stage.zoom", { n: percent });
  }

  fit() {
    this.view.fitAgain();
    this.update();
  }

  trueSize() {
    this.view.setScale(1);
    this.update();
  }

  zoom(factor, x, y) {
    this.view.zoom(factor, x, y);
    this.update();
  }

  setCompare(on) {
    this.view.compare = on;
    this.update();
  }

  setPeek(on) {
    if (this.view.peek === on) return;
    this.view.peek = on;
    this.update();
  }

  setCut(cut) {
    this.view.cut = Math.min(1, Math.max(0, cut));
    this.update();
  }

  /** A square as large as what a layer sees, true to scale; 0 takes it away. */
  showField(pixels, words = "") {
    const { view } = this;
    const shown = pixels > 0 && view.width > 0;
    this.field.hidden = !shown;
    if (!shown) return;
    const side = Math.max(2, pixels * view.shown);
    const { left, top, width, height } = view.box;
    Object.assign(this.field.style, {
      width: `${side}px`, height: `${side}px`,
      left: `${left + width * 0.66 - side / 2}px`, top: `${top + height / 2 - side / 2}px`,
    });
    this.field.firstChild.textContent = words;
  }

  /** The knob glides once, to show that it can be moved. */
  glide() {
    if (still.matches) return;
    const start = performance.now();
    const step = (now) => {
      const done = Math.min(1, (now - start) / 600);
      this.setCut(0.6 - 0.24 * (1 - (1 - done) ** 3));
      if (done < 1 && this.isConnected) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  onKnobKey(event) {
    const step = event.shiftKey ? 0.1 : 0.02;
    const moves = { ArrowLeft: -step, ArrowDown: -step, ArrowRight: step, ArrowUp: step };
    if (event.key in moves) this.setCut(this.view.cut + moves[event.key]);
    else if (event.key === "Home") this.setCut(0);
    else if (event.key === "End") this.setCut(1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  onWheel(event) {
    if (!this.view.width) return;
    if (this.view.phone && !event.ctrlKey) return;
    event.preventDefault();
    const { left, top } = this.getBoundingClientRect();
    const speed = event.ctrlKey ? 0.01 : 0.0015;
    this.zoom(Math.exp(-event.deltaY * speed), event.clientX - left, event.clientY - top);
  }

  onDown(event) {
    if (this.painting?.(event, "down")) return;
    if (event.button !== 0 || event.target.closest("button, input, .extras")) return;
    const knob = event.target.closest(".knob");
    const { left } = this.getBoundingClientRect();
    const { box, cut, hasBoth, compare } = this.view;
    const near = Math.abs(event.clientX - left - box.left - box.width * cut) < 14;
    const kind = knob || (near && hasBoth && compare) ? "knob" : "pan";
    this.pointers.set(event.pointerId, { kind, x: event.clientX, y: event.clientY });
    this.setPointerCapture(event.pointerId);
    if (kind === "knob") this.knob.focus({ preventScroll: true });
  }

  onMove(event) {
    if (this.painting?.(event, "move")) return;
    const from = this.pointers.get(event.pointerId);
    if (!from) return;
    const rect = this.getBoundingClientRect();
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other && from.kind === "pan") this.pinch(from, other, event, rect);
    else if (from.kind === "knob") {
      const { box } = this.view;
      this.setCut((event.clientX - rect.left - box.left) / box.width);
    } else {
      this.view.pan(event.clientX - from.x, event.clientY - from.y);
      this.update();
    }
    from.x = event.clientX;
    from.y = event.clientY;
  }

  pinch(from, other, event, rect) {
    const apart = (x, y) => Math.max(8, Math.hypot(x - other.x, y - other.y));
    const factor = apart(event.clientX, event.clientY) / apart(from.x, from.y);
    this.zoom(factor, (event.clientX + other.x) / 2 - rect.left, (event.clientY + other.y) / 2 - rect.top);
  }

  onUp(event) {
    if (this.painting?.(event, "up")) return;
    this.pointers.delete(event.pointerId);
  }
}

customElements.define("bl-stage", Stage);
