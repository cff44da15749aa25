// The lesson of a digit: drawn by hand, it goes through LeNet, layer by layer.

import { el } from "../dom.js";
import { t, number } from "../words.js";
import { store } from "../store.js";
import { addFile } from "../pictures.js";
import { run } from "../runner.js";
import { bytes } from "./drawing.js";

const SIDE = 280;

/* A seven, as a hand writes it: to begin with. */
const STROKES = [[[70, 70], [210, 66], [196, 96], [160, 150], [130, 232]], [[112, 150], [196, 150]]];

export class DigitLesson {
  constructor(room) {
    this.room = room;
    this.pad = el("canvas", {
      width: SIDE, height: SIDE, role: "img", tabindex: "0", "aria-label": t("learn.draw"),
      onpointerdown: (event) => this.down(event), onpointermove: (event) => this.move(event),
      onpointerup: () => this.up(), onpointercancel: () => this.up(),
    });
    this.maps = el("div", { class: "maps" }, el("h2", {}, t("learn.maps")));
    this.bars = Array.from({ length: 10 }, (_, digit) => {
      const fill = el("i");
      return { fill, node: el("li", {}, el("span", {}, String(digit)), el("span", { class: "bar" }, fill)) };
    });
    this.read = el("button", { class: "strong", type: "button", onclick: () => this.send() }, t("learn.read"));
    this.node = el("div", { class: "lesson digit" },
      el("div", { class: "pad" }, el("h2", {}, t("learn.draw")), this.pad,
        el("div", { class: "player" }, this.read,
          el("button", { type: "button", onclick: () => this.wipe() }, t("learn.clear")),
          el("button", { type: "button", onclick: () => this.example() }, t("learn.example")))),
      this.maps,
      el("div", { class: "scores" }, el("h2", {}, t("learn.scores")), el("ol", {}, this.bars.map((one) => one.node))));
    this.example();
  }

  /** What the network made of the seven once, until it reads something here. */
  async begin() {
    const found = await fetch("/images/first/digit.json").then((answer) => answer.json());
    if (!this.maps.querySelector("canvas")) this.take(found);
  }

  get readyLine() {
    return t("learn.ready_digit");
  }

  get context() {
    const context = this.pad.getContext("2d");
    Object.assign(context, { lineWidth: 24, lineCap: "round", lineJoin: "round", strokeStyle: "#fff", fillStyle: "#000" });
    return context;
  }

  wipe() {
    this.context.fillRect(0, 0, SIDE, SIDE);
    this.drawn = this.shown = false;
  }

  example() {
    this.wipe();
    const { context } = this;
    for (const stroke of STROKES) {
      context.beginPath();
      context.moveTo(...stroke[0]);
      for (let at = 1; at < stroke.length - 1; at++) {
        const [x, y] = stroke[at];
        context.quadraticCurveTo(x, y, (x + stroke[at + 1][0]) / 2, (y + stroke[at + 1][1]) / 2);
      }
      context.lineTo(...stroke.at(-1));
      context.stroke();
    }
    this.drawn = this.shown = true;
  }

  at(event) {
    const { left, top, width } = this.pad.getBoundingClientRect();
    return [((event.clientX - left) / width) * SIDE, ((event.clientY - top) / width) * SIDE];
  }

  down(event) {
    if (this.shown) this.wipe(); // one's own begins on an empty sheet
    this.pad.setPointerCapture(event.pointerId);
    this.last = this.at(event);
    this.move(event);
  }

  move(event) {
    if (!this.last) return;
    const next = this.at(event);
    const { context } = this;
    context.beginPath();
    context.moveTo(...this.last);
    context.lineTo(next[0] + 0.01, next[1]);
    context.stroke();
    this.last = next;
    this.drawn = true;
  }

  up() {
    if (!this.last) return;
    this.last = null;
    this.send();
  }

  async send() {
    if (!this.drawn) return;
    const blob = await new Promise((resolve) => this.pad.toBlob(resolve, "image/png"));
    const picture = await addFile(new File([blob], "digit.png", { type: "image/png" }));
    store.here.inputs = { ...store.here.inputs, picture };
    this.clear();
    await run();
    this.room.label.show(t("learn.title_digit"), t("learn.wait"));
  }

  clear() {
    this.maps.classList.add("stale");
    for (const { fill } of this.bars) fill.style.transform = "scaleX(0)";
  }

  take(message) {
    if (message.scores) this.showScores(message.scores);
    if (!message.maps) return;
    this.maps.classList.remove("stale");
    this.showMaps(message);
  }

  line(message) {
    if (!message.scores) {
      this.lastLine = message.loss === undefined ? t("learn.wait")
        : `${t("learn.wait")} ${t("learn.loss")} ${number(message.loss, 3)}`;
      return this.lastLine;
    }
    const best = message.scores.indexOf(Math.max(...message.scores));
    this.lastLine = t("learn.reads", { n: best, p: number(Math.round(100 * message.scores[best])) });
    return this.lastLine;
  }

  showScores(scores) {
    const best = scores.indexOf(Math.max(...scores));
    this.bars.forEach(({ fill, node }, digit) => {
      fill.style.transform = `scaleX(${scores[digit]})`;
      node.classList.toggle("best", digit === best);
      node.setAttribute("aria-label", `${digit}: ${Math.round(100 * scores[digit])} %`);
    });
  }

  showMaps({ maps, seen }) {
    const row = (words, count, side, data) => {
      const all = bytes(data);
      const large = side >= 28 ? 72 : side >= 10 ? 56 : side > 1 ? 34 : 10;
      return el("div", {}, el("h3", {}, words), el("div", { class: "row" }, Array.from({ length: count }, (_, at) => {
        const canvas = el("canvas", { width: side, height: side, "aria-hidden": "true" });
        const context = canvas.getContext("2d");
        const image = context.createImageData(side, side);
        for (let n = 0; n < side * side; n++) {
          const value = all[at * side * side + n];
          image.data.set([value, value, value, 255], 4 * n);
        }
        context.putImageData(image, 0, 0);
        canvas.style.width = canvas.style.height = `${large}px`;
        return canvas;
      })));
    };
    this.maps.replaceChildren(el("h2", {}, t("learn.maps")),
      ...(seen ? [row(t("learn.given"), 1, seen.side, seen.data)] : []),
      ...maps.map(({ layer, count, side, data }) => row(t("learn.map_layer", { name: layer, n: count, side }), count, side, data)));
  }

  refresh() {
    this.read.disabled = this.room.playing;
  }

  end() {
    // nothing is left running but the job, which the room stops
  }
}
