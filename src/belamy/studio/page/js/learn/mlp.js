// The lesson of a small network: data, the net with lines as thick as its weights, the plane.

import { el } from "../dom.js";
import { t, number } from "../words.js";
import { store } from "../store.js";
import { colours, dots, heat, sharp, square } from "./drawing.js";
import { planes, points, untrained } from "./net.js";
import { Player } from "./player.js";

const DATA = ["moons", "circles", "spirals", "xor", "blobs"];
const REACH = 1.25;
const FINE = 72; // positions each way of the large plane
const COARSE = 26; // the same, of a neuron's
const NEURON = 46; // pixels

/** What hardly differs yet, stretched so that an untrained guess can be seen. */
function spread(values) {
  const largest = values.reduce((most, one) => Math.max(most, Math.abs(one)), 1e-9);
  return values.map((one) => (0.62 * one) / largest);
}

export class MlpLesson {
  constructor(room, name) {
    this.room = room;
    this.data = el("div", { class: "data", role: "group", "aria-label": t("learn.data") });
    this.net = el("canvas", { role: "img", "aria-label": t("learn.net") });
    this.netBox = el("div", { class: "fit" }, this.net);
    this.plane = el("canvas", { role: "img", "aria-label": t("learn.plane") });
    this.invitation = el("p", { class: "invitation" }, t("learn.untrained"));
    this.planeTitle = el("h2", {}, t("learn.plane"));
    this.player = new Player(room, [["epoch", t("learn.epoch")], ["loss", t("learn.loss")], ["right", t("learn.right")]]);
    const shows = (part) => !room.hidden.has(part);
    this.node = el("div", { class: `lesson mlp ${name}` },
      shows("data") ? this.data : null,
      el("div", { class: "block net" }, el("h2", {}, t("learn.net")), this.netBox),
      el("div", { class: "block plane" }, this.planeTitle, el("div", { class: "fit" }, this.plane, this.invitation)),
      shows("player") ? this.player.node : null);
    for (const one of DATA) this.data.append(this.dataButton(one));
    this.watcher = new ResizeObserver(() => this.draw());
    this.watcher.observe(this.netBox);
    this.clear();
  }

  get settings() {
    const { points: data = "moons", hidden = [8, 8], activation = "tanh", noise = 0.08, count = 300, seed = 0 } = store.here.options;
    return { data, hidden, activation, noise, count, seed };
  }

  get readyLine() {
    return t("learn.ready");
  }

  dataButton(name) {
    const canvas = el("canvas", { width: 96, height: 96, "aria-hidden": "true" });
    const context = canvas.getContext("2d");
    const { oneText, twoText } = colours();
    dots(context, points(name, 90, 0.05), { left: 4, top: 4, side: 88 }, 1.15, 3, (label) => (label ? oneText : twoText));
    return el("button", {
      type: "button", "data-name": name, "aria-pressed": "false",
      onclick: () => store.setOption("points", name === "moons" && this.room.name === "mlp" ? undefined : name),
    }, el("span", { class: "frame" }, canvas), t(`learn.${name}`));
  }

  clear() {
    const { data, hidden, noise, count, seed } = this.settings;
    this.list = points(data, Math.min(count, 300), noise, seed + 3);
    this.layers = untrained(hidden, seed + 1);
    this.activation = this.settings.activation;
    this.lastLine = null;
    this.begun = false;
    this.player.clear();
    this.makeNeurons();
    this.draw();
  }

  /** A button for each neuron: hover or focus shows its plane. */
  makeNeurons() {
    for (const old of this.netBox.querySelectorAll(".neuron")) old.remove();
    this.neurons = this.layers.flatMap((layer, depth) => layer.biases.map((_, at) => {
      const last = depth === this.layers.length - 1;
      const words = last ? t("learn.output") : t("learn.neuron_plane", { n: at + 1, layer: depth + 1 });
      const show = () => this.look(depth + 1, at, words);
      const button = el("button", {
        class: "neuron", type: "button", "aria-label": words, tabindex: depth === 0 && at === 0 ? "0" : "-1",
        onpointerenter: show, onfocus: show, onpointerleave: () => this.look(), onblur: () => this.look(),
        onkeydown: (event) => this.onKey(event),
      });
      this.netBox.append(button);
      return { button, depth: depth + 1, at };
    }));
  }

  onKey(event) {
    const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const at = this.neurons.findIndex((one) => one.button === document.activeElement);
    this.neurons[Math.min(this.neurons.length - 1, Math.max(0, at + by))].button.focus();
    event.preventDefault();
    event.stopPropagation();
  }

  look(depth = null, at = null, words = t("learn.plane")) {
    this.looked = depth === null ? null : { depth, at };
    this.planeTitle.textContent = words;
    this.drawPlane();
  }

  take(message) {
    if (message.points) this.list = message.points;
    this.begun ||= message.epoch > 0;
    if (message.layers) {
      const other = message.layers.map((one) => one.biases.length).join() !== this.layers.map((one) => one.biases.length).join();
      this.layers = message.layers;
      this.activation = message.activation ?? this.activation;
      if (other) this.makeNeurons();
    }
    if (message.epoch > 0 || !this.player.losses.length) this.player.add(message.loss);
    this.player.set("epoch", String(message.epoch ?? 0));
    this.player.set("loss", number(message.loss, 3));
    if (message.accuracy !== undefined) this.player.set("right", `${number(Math.round(100 * message.accuracy))} %`);
    this.update();
  }

  line(message) {
    this.lastLine = t("learn.runs", { n: message.epoch, all: message.epochs ?? "", loss: number(message.loss, 3) });
    return this.lastLine;
  }

  update() {
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => {
      this.due = false;
      if (this.node.isConnected) this.draw();
    });
  }

  draw() {
    if (!this.node.isConnected) return;
    this.palette = colours();
    this.drawNet();
    this.drawPlane();
    this.player.draw();
    this.refresh();
  }

  /** Where the neurons stand: columns of layers, inputs on the left. */
  places(width, height) {
    const sizes = [2, ...this.layers.map((layer) => layer.biases.length)];
    const room = Math.max(...sizes);
    const side = Math.max(10, Math.min(NEURON, (height - 8) / room - 6));
    return { side, columns: sizes.map((size, depth) => {
      const x = side / 2 + 2 + ((width - side - 4) * depth) / (sizes.length - 1);
      const step = Math.min((height - side) / Math.max(1, size - 1), side + 34);
      return Array.from({ length: size }, (_, at) => ({ x, y: height / 2 + (at - (size - 1) / 2) * step }));
    }) };
  }

  drawNet() {
    const { context, width, height } = sharp(this.net);
    const { palette } = this;
    const { side, columns } = this.places(width, height);
    const all = planes(this.layers, this.activation, COARSE, REACH);
    if (!this.begun) all[all.length - 1] = all.at(-1).map(spread);
    context.lineCap = "round";
    this.layers.forEach(({ weights }, depth) => {
      weights.forEach((row, input) => row.forEach((weight, neuron) => {
        const from = columns[depth][input];
        const to = columns[depth + 1][neuron];
        const middle = (from.x + to.x) / 2;
        context.strokeStyle = weight > 0 ? palette.oneText : palette.twoText;
        context.globalAlpha = Math.min(0.95, 0.12 + Math.abs(weight) * 0.5);
        context.lineWidth = Math.min(7, 0.4 + Math.abs(weight) * 2.2);
        context.beginPath();
        context.moveTo(from.x + side / 2, from.y);
        context.bezierCurveTo(middle, from.y, middle, to.y, to.x - side / 2, to.y);
        context.stroke();
      }));
    });
    context.globalAlpha = 1;
    context.imageSmoothingEnabled = true;
    all.forEach((layer, depth) => layer.forEach((values, at) => {
      const { x, y } = columns[depth][at];
      context.drawImage(heat(values, COARSE, palette), x - side / 2, y - side / 2, side, side);
    }));
    for (const { button, depth, at } of this.neurons) {
      const { x, y } = columns[depth][at];
      const reach = Math.max(24, side);
      Object.assign(button.style, { left: `${x}px`, top: `${y}px`, width: `${reach}px`, height: `${reach}px`, margin: `${-reach / 2}px` });
    }
  }

  drawPlane() {
    if (!this.node.isConnected) return;
    const { context, width, height } = sharp(this.plane);
    const palette = (this.palette ??= colours());
    const box = square(width, height);
    const all = planes(this.layers, this.activation, FINE, REACH);
    const { depth, at } = this.looked ?? { depth: this.layers.length, at: 0 };
    const values = all[depth]?.[at] ?? all.at(-1)[0];
    context.imageSmoothingEnabled = true;
    context.drawImage(heat(this.begun ? values : spread(values), FINE, palette), box.left, box.top, box.side, box.side);
    dots(context, this.list, box, REACH, 3.6, (label) => (label ? palette.oneText : palette.twoText), palette.panel);
  }

  refresh() {
    this.player.refresh();
    this.invitation.hidden = this.begun || this.room.playing || Boolean(this.looked);
    for (const button of this.data.children) {
      button.setAttribute("aria-pressed", String(button.dataset.name === this.settings.data));
    }
  }

  end() {
    this.watcher.disconnect();
  }
}
