// Learn: lessons that can be touched. The address says everything: #learn/mlp?points=spirals&hide=noise

import { el } from "../dom.js";
import { t, currentLanguage } from "../words.js";
import { store, isActive } from "../store.js";
import { api } from "../api.js";
import { left, run, stop } from "../runner.js";
import { makeLabel } from "../parts/label.js";
import { openCopy } from "../dialogs/copy.js";
import { orderOf } from "../runner.js";
import { railChoice, trainButton } from "./choices.js";
import { MlpLesson } from "../learn/mlp.js";
import { GanLesson } from "../learn/gan.js";
import { DigitLesson } from "../learn/digit.js";
import { DrawnLesson } from "../learn/drawn.js";
import { optionOf } from "../options.js";
import "../parts/panel.js";

const drawn = (name) => ({ engine: `lesson_${name}`, make: DrawnLesson, options: {} });

const LESSONS = {
  threshold: drawn("neuron"),
  perceptron: drawn("perceptron"),
  neuron: { engine: "lesson_mlp", make: MlpLesson, options: { hidden: [], points: "blobs" } },
  mlp: { engine: "lesson_mlp", make: MlpLesson, options: {} },
  backprop: drawn("backprop"),
  approximation: drawn("approximation"),
  depth: drawn("depth"),
  digit: { engine: "lesson_digit", make: DigitLesson, options: {} },
  complexity: drawn("complexity"),
  classifier: drawn("classifier"),
  gan: { engine: "lesson_gan", make: GanLesson, options: {} },
};

export const learn = () => new LearnRoom();

class LearnRoom {
  constructor() {
    this.name = store.place[0] in LESSONS ? store.place[0] : "mlp";
    this.lesson = LESSONS[this.name];
    const { here } = store;
    if (here.engine !== this.lesson.engine || here.lesson !== this.name) {
      here.options = { ...this.lesson.options };
      here.preset = null;
    }
    here.engine = this.lesson.engine;
    here.lesson = this.name;
    if (optionOf(here.engine, "language")) here.options.language = currentLanguage();
    this.readAddress();
    this.hidden = new Set((store.query.get("hide") ?? "").split(",").filter(Boolean));
    this.area = el("section", { class: "stage-area lesson-area", id: "stage", tabindex: "0", "aria-label": t("rooms.learn") });
    this.label = makeLabel([{ name: "copy", icon: "copy", press: () => openCopy(orderOf("learn")) }]);
    this.rail = el("nav", { class: "rail", "aria-label": t("learn.rail") }, el("h2", {}, t("learn.rail")),
      railChoice(t("learn.rail"), Object.keys(LESSONS).map((value) => ({
        value, title: t(`learn.${value}`), note: t(`learn.${value}_note`),
      })), () => this.name, (value) => { location.hash = `#learn/${value}`; }), trainButton());
    this.panel = this.name === "digit" || this.hidden.has("panel") ? null : document.createElement("bl-panel").setUp({
      slots: () => [], ways: this.name === "mlp" ? undefined : false, grid: false, start: () => this.play(),
    });
    for (const { row, node } of this.panel?.rows ?? []) if (this.hidden.has(row.name)) node.classList.add("hidden-by-address");
    this.nodes = [this.area, this.label.node, this.hidden.has("rail") ? null : this.rail, this.panel].filter(Boolean);
  }

  get classes() {
    return ["learn", this.panel ? "" : "no-panel", this.hidden.has("rail") ? "no-rail" : ""].filter(Boolean);
  }

  /** Options out of the address, as the engine's schema has them. */
  readAddress() {
    for (const [name, text] of store.query) {
      const option = optionOf(this.lesson.engine, name);
      if (!option) continue;
      const numbers = text.split(",").filter(Boolean).map(Number);
      if (option.type === "list") store.here.options[name] = numbers.filter((one) => one > 0);
      else if (option.type === "integer" || option.type === "number") {
        if (Number.isFinite(Number(text))) store.here.options[name] = Number(text);
      } else if (!option.choices.length || option.choices.includes(text)) store.here.options[name] = text;
    }
  }

  writeAddress() {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(store.here.options)) {
      if (name !== "language" && JSON.stringify(value) !== JSON.stringify(this.lesson.options[name])) query.set(name, [value].flat().join(","));
    }
    if (this.hidden.size) query.set("hide", [...this.hidden].join(","));
    const text = query.toString().replaceAll("%2C", ",");
    const hash = `#learn/${this.name}${text ? `?${text}` : ""}`;
    if (location.hash !== hash) history.replaceState(null, "", hash);
  }

  begin() {
    this.view = new this.lesson.make(this, this.name);
    this.area.append(this.view.node);
    this.label.show(t(`learn.title_${this.name}`), this.view.readyLine);
    this.key = this.settingsKey;
    this.refresh("all");
    this.view.begin?.();
    addEventListener("pagehide", this.leave);
  }

  end() {
    const { job } = this;
    if (job) stop(job.id);
    removeEventListener("pagehide", this.leave);
    this.view?.end?.();
  }

  /** A lesson without anybody watching would keep others waiting. */
  leave = () => {
    if (this.job) fetch(`/api/jobs/${this.job.id}/stop`, { method: "POST", keepalive: true });
  };

  get settingsKey() {
    return JSON.stringify(store.here.options);
  }

  /** What is learnt now; one that is being stopped, or of another lesson, is over. */
  get job() {
    const job = store.jobOf("learn");
    return job && job.engine === this.lesson.engine && job.state !== "stopping" ? job : null;
  }

  get playing() {
    return Boolean(this.job) && !this.paused;
  }

  /** Play, or go on. */
  async play() {
    if (this.job) await this.pause(false);
    else {
      this.paused = false;
      await run();
    }
    this.refresh("jobs");
  }

  async pause(on = true) {
    const { job } = this;
    if (!job) return;
    this.paused = on;
    this.refresh("jobs");
    await api.control(job.id, { action: on ? "pause" : "play" }).catch(() => {});
  }

  /** One epoch, then a pause; a game that has not begun begins paused. */
  async step() {
    if (!this.job) {
      this.stepFirst = true;
      await run();
      this.paused = true;
    }
    const { job } = this;
    if (!job) return;
    this.paused = true;
    this.refresh("jobs");
    await api.control(job.id, { action: "step" }).catch(() => {});
  }

  async speed(value) {
    this.pace = value;
    if (this.job) await api.control(this.job.id, { action: "speed", speed: value }).catch(() => {});
  }

  async reset() {
    const { job } = this;
    if (job) await stop(job.id);
    this.paused = false;
    this.view.clear();
    this.label.show(t(`learn.title_${this.name}`), this.view.readyLine);
  }

  onFrame({ head, bitmap }) {
    return head.job === store.follow.learn && Boolean(this.view.takeFrame?.(bitmap));
  }

  onLesson(message) {
    const { job } = this;
    if (message.job !== store.follow.learn) return;
    if (this.stepFirst && job) {
      this.stepFirst = false;
      api.control(job.id, { action: "pause" }).catch(() => {});
    }
    this.view.take(message);
    this.label.show(t(`learn.title_${this.name}`), this.view.line(message), message.epochs ? message.epoch / message.epochs : null);
  }

  async refresh(what) {
    this.panel?.refresh();
    this.view?.refresh?.(what);
    if (what?.startsWith?.("option") || what === "preset" || what === "restored") {
      this.writeAddress();
      if (this.key !== this.settingsKey) {
        this.key = this.settingsKey;
        const was = this.playing;
        await this.reset();
        if (was || this.view.again) {
          await new Promise((resolve) => setTimeout(resolve, 150));
          await run();
        }
      }
    }
    if (what === "jobs" && this.job && this.job.state !== "working") {
      this.label.show(t(`learn.title_${this.name}`), left(this.job) || this.view.readyLine);
    }
    if (what === "address") this.readAddress();
    if (what === "ended" && !isActive(this.job)) {
      this.paused = false;
      this.label.show(t(`learn.title_${this.name}`), this.view.lastLine ?? this.view.readyLine);
    }
  }
}
