// The lesson of two networks: what the forger makes, and what the critic believes.

import { el } from "../dom.js";
import { t, number } from "../words.js";
import { bytes, colours, dots, heat, sharp, square } from "./drawing.js";
import { random } from "./net.js";
import { Player } from "./player.js";

const CLOUDS = 8;

export class GanLesson {
  constructor(room) {
    this.room = room;
    this.forger = el("canvas", { role: "img", "aria-label": t("learn.forger") });
    this.critic = el("canvas", { role: "img", "aria-label": t("learn.critic") });
    this.blank = el("p", { class: "invitation" }, t("learn.forger_begins"));
    this.unseen = el("p", { class: "invitation" }, t("learn.critic_begins"));
    this.player = new Player(room, [
      ["step", t("learn.game_step")], ["covered", t("learn.covered")], ["good", t("learn.good")]], { speeds: true });
    this.node = el("div", { class: "lesson gan" },
      el("div", { class: "block forger" }, el("h2", {}, t("learn.forger")), el("div", { class: "fit" }, this.forger, this.blank)),
      el("div", { class: "block critic" }, el("h2", {}, t("learn.critic")), el("div", { class: "fit" }, this.critic, this.unseen)),
      room.hidden.has("player") ? null : this.player.node);
    this.watcher = new ResizeObserver(() => this.draw());
    this.watcher.observe(this.node);
    this.clear();
  }

  get readyLine() {
    return t("learn.ready_gan");
  }

  clear() {
    const { uniform, normal } = random(5);
    this.reach = 3;
    this.real = Array.from({ length: 240 }, () => {
      const angle = (Math.floor(uniform() * CLOUDS) * 2 * Math.PI) / CLOUDS;
      return [2 * Math.cos(angle) + 0.05 * normal(), 2 * Math.sin(angle) + 0.05 * normal()];
    });
    this.fake = [];
    this.field = null;
    this.lastLine = null;
    this.player.clear();
    this.draw();
  }

  take(message) {
    if (message.real) this.real = message.real;
    if (message.reach) this.reach = message.reach;
    if (message.fake) this.fake = message.fake;
    if (message.field) {
      const { side, data } = message.field;
      this.field = { side, values: Float32Array.from(bytes(data), (one) => one / 127.5 - 1) };
    }
    if (message.losses) this.player.add(message.losses.generator, message.losses.discriminator);
    this.player.set("step", String(message.step ?? message.epoch ?? 0));
    if (message.covered !== undefined) this.player.set("covered", `${message.covered} / ${CLOUDS}`);
    if (message.good !== undefined) this.player.set("good", `${number(Math.round(100 * message.good))} %`);
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => {
      this.due = false;
      this.draw();
    });
  }

  line(message) {
    this.lastLine = t("learn.runs_gan", { n: message.step ?? message.epoch ?? 0, all: message.steps ?? message.epochs ?? "" });
    return this.lastLine;
  }

  draw() {
    if (!this.node.isConnected) return;
    const palette = colours();
    const forger = sharp(this.forger);
    const box = square(forger.width, forger.height);
    forger.context.fillStyle = palette.panel;
    forger.context.fillRect(box.left, box.top, box.side, box.side);
    dots(forger.context, this.real, box, this.reach, 2.6, () => palette.twoText);
    dots(forger.context, this.fake, box, this.reach, 2.6, () => palette.oneText);
    const critic = sharp(this.critic);
    const other = square(critic.width, critic.height);
    if (this.field) {
      const values = this.field.values.map((one) => -one);
      critic.context.drawImage(heat(values, this.field.side, palette), other.left, other.top, other.side, other.side);
    } else {
      critic.context.fillStyle = palette.panel;
      critic.context.fillRect(other.left, other.top, other.side, other.side);
    }
    dots(critic.context, this.real.slice(0, 120), other, this.reach, 1.8, () => palette.text);
    this.player.draw();
    this.refresh();
  }

  refresh() {
    this.blank.hidden = this.fake.length > 0;
    this.unseen.hidden = Boolean(this.field);
    this.player.refresh();
  }

  end() {
    this.watcher.disconnect();
  }
}
