// Paint: a wall of people who never lived; pick one, and see who lives next door.

import { el, thumb } from "../dom.js";
import { t } from "../words.js";
import { store } from "../store.js";
import { orderOf, progressLine, run } from "../runner.js";
import { factsOf, madeWord } from "../titles.js";
import { bitmapOf } from "../pictures.js";
import { makeLabel } from "../parts/label.js";
import { openCopy } from "../dialogs/copy.js";
import { save, useSettings, differs } from "../actions.js";
import { trainButton } from "./choices.js";
import { Sitters } from "./sitters.js";
import { FaceWall } from "./wall.js";
import { filmOf, isFilm } from "../parts/film.js";
import "../parts/stage.js";
import "../parts/panel.js";

const TABS = ["wall", "neighbours", "walk", "edit", "find"];
const ENGINES = { wall: "gan_paint", neighbours: "gan_edit", walk: "gan_mix", edit: "gan_edit", find: "gan_project" };
const BETWEEN = 9; // pictures on the way from A to B
const FACE = 64; // pixels of a face as the painter inside makes it
const MARGIN = 1 / 14; // of a contact sheet, of its cell

export const paint = () => new PaintRoom();

class PaintRoom {
  constructor() {
    const given = store.place[0];
    this.tab = TABS.includes(given) ? given : "wall";
    store.here.engine = ENGINES[this.tab];
    store.here.tab = this.tab;
    this.area = el("section", { class: "stage-area tabbed", id: "stage", tabindex: "0", "aria-label": t("stage.name") });
    this.label = makeLabel([
      { name: "again", icon: "settings_back", press: () => useSettings(this.result) },
      { name: "pin_a", press: () => this.pin("a"), keep: true },
      { name: "pin_b", press: () => this.pin("b"), keep: true },
      "-",
      { name: "copy", icon: "copy", wide: true, press: () => openCopy(this.copied()) },
      { name: "save", icon: "save", press: () => save(this.result) },
    ]);
    for (const letter of ["a", "b"]) {
      const button = this.label.buttons[`pin_${letter}`];
      button.title = "";
      button.querySelector(".word").textContent = t("paint.pin", { letter: letter.toUpperCase() });
    }
    this.sitters = new Sitters(() => this.refresh("sitters"));
    this.rail = el("section", { class: "rail", "aria-label": t("paint.rail") }, el("h2", {}, t("paint.rail")), this.sitters.node, trainButton());
    this.panel = document.createElement("bl-panel").setUp({
      slots: () => (this.tab === "find" ? [["picture", { kind: "portrait" }]] : []),
      ways: this.tab === "wall" ? undefined : false,
      grid: false,
      bare: () => ["neighbours", "walk"].includes(this.tab), // as A was painted
      about: () => t(`paint.about_${this.tab}`),
      start: () => this.start(),
    });
    this.nodes = [this.area, this.label.node, this.rail, this.panel];
  }

  get classes() {
    return this.tab === "wall" ? ["tall-stage"] : [];
  }

  begin() {
    this.tabs = el("div", { class: "face-tabs", role: "tablist", "aria-label": t("paint.tabs") }, TABS.map((name) => el("button", {
      type: "button", role: "tab", "aria-selected": String(name === this.tab), tabindex: name === this.tab ? "0" : "-1",
      onclick: () => { location.hash = `#paint/${name}`; },
      onkeydown: (event) => {
        const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (by) location.hash = `#paint/${TABS[(TABS.indexOf(name) + by + TABS.length) % TABS.length]}`;
      },
    }, t(`paint.${name}`))));
    this.wall = new FaceWall(this);
    this.stage = document.createElement("bl-stage");
    this.below = el("div", { class: "below" }, this.stage);
    this.area.append(this.tabs, this.tab === "wall" ? this.wall.node : this.below);
    if (this.tab === "walk") this.addSlider();
    const chosen = this.tabs.querySelector("[aria-selected=true]");
    requestAnimationFrame(() => { this.tabs.scrollLeft = chosen.offsetLeft - (this.tabs.clientWidth - chosen.clientWidth) / 2; });
    this.refresh("all");
  }

  addSlider() {
    this.slider = el("input", {
      type: "range", min: "0", max: "1", step: "0.01", value: "0.5", "aria-label": t("paint.position"),
      oninput: () => this.showBetween(),
    });
    this.ends = [el("span"), el("span")];
    this.asFilm = el("button", { class: "quiet", type: "button", onclick: () => this.film() }, t("journey.faces"));
    this.bar = el("div", { class: "walk" }, this.ends[0], this.slider, this.ends[1], this.asFilm);
    this.area.append(this.bar);
  }

  /** The walk as a film: between A and B where both are kept, else among new faces. */
  async film() {
    const pinned = ["a", "b"].map((letter) => this.sitters.get(letter));
    const kept = pinned.map((one) => store.result(one?.id)).filter((one) => one?.latents).map((one) => one.id);
    const inputs = kept.length === 2 ? { latents: kept } : {};
    const { seed = 0 } = store.here.options;
    await run({ engine: "gan_walk", only: { seconds: 6, fps: 15, upscale: 3, seed, ...this.likeA(pinned[0]) }, inputs });
  }

  get job() {
    return store.jobOf("paint");
  }

  get result() {
    return store.result(store.chosen.paint);
  }

  /** Network, daring and rejection must be those that the face was painted with. */
  likeA(sitter) {
    const { truncation, network, rejection } = sitter?.options ?? {};
    return {
      ...(truncation !== undefined && truncation !== null ? { truncation } : {}),
      ...(network ? { network } : {}),
      ...(rejection ? { rejection } : {}),
    };
  }

  async start() {
    const [a, b] = [this.sitters.get("a"), this.sitters.get("b")];
    const refuse = (text) => {
      store.trouble = { room: "paint", text };
      store.say("trouble");
    };
    if (this.tab === "wall") await run();
    else if (this.tab === "find") await (store.here.inputs.picture ? run() : refuse(t("paint.needs_picture")));
    else if (!a) refuse(t("paint.needs_a"));
    else if (this.tab === "walk") {
      if (!b) refuse(t("paint.needs_b"));
      else {
        await run({ only: { first: a.number, second: b.number, by: "latents", count: BETWEEN, upscale: 3, ...this.likeA(a) }, inputs: {} });
      }
    } else if (this.tab === "neighbours") {
      await run({ only: { picture: a.number, amount: 0.8, count: 5, upscale: 3, ...this.likeA(a) }, inputs: {} });
    } else await run({ options: { picture: a.number, count: 5, ...this.likeA(a) }, inputs: {} });
  }

  copied() {
    const { result } = this;
    return result ? { engine: result.engine, inputs: result.inputs, options: result.options } : orderOf();
  }

  pin(letter) {
    const face = this.wall.selected;
    if (face) this.sitters.pin(letter, face);
  }

  refresh(what) {
    if (what === "address") return;
    this.sitters.refresh();
    this.panel.refresh();
    const { result, job } = this;
    this.label.buttons.again.hidden = !(result && result.engine === "gan_paint" && differs(result));
    this.label.setOff("save", result ? "" : t("tools.save_not_yet"));
    this.wall.refresh();
    const face = this.tab === "wall" ? this.wall.selected : null;
    for (const letter of ["a", "b"]) this.label.buttons[`pin_${letter}`].hidden = !face;
    if (job) this.label.show(t(`paint.${this.tab}`), progressLine(job), job.done ?? 0);
    else if (face) this.label.show(t("paint.face", { n: face.number }), result ? factsOf(result) : t("paint.example"));
    else if (this.tab === "find" && result?.engine === "gan_project") this.label.show(result.title || result.name, factsOf(result));
    else this.label.show(this.tab === "wall" ? t("paint.title") : t(`paint.${this.tab}`), this.hint());
    if (this.tab !== "wall") this.showBelow();
  }

  hint() {
    const [a, b] = [this.sitters.get("a"), this.sitters.get("b")];
    if (this.tab === "wall") return t("paint.example");
    if (this.tab === "find") return t("paint.needs_picture");
    if (this.tab === "walk" && !(a && b)) return t("paint.needs_b");
    return a ? t("paint.face", { n: a.number }) : t("paint.needs_a");
  }

  /** The newest picture of this tab, or what goes in. */
  async showBelow() {
    const own = this.result?.engine === ENGINES[this.tab] ? this.result : null;
    const isTab = (one) => one.engine === ENGINES[this.tab] && (this.tab === "neighbours") === (one.options?.amount === 0.8);
    const found = own && (this.tab !== "edit" && this.tab !== "neighbours" || isTab(own)) ? own : store.results.find((one) => (["edit", "neighbours"].includes(this.tab) ? isTab(one) : one.engine === ENGINES[this.tab]));
    const ticket = (this.ticket = {});
    this.reel?.remove();
    this.reel = null;
    if (isFilm(this.result) && !this.job) {
      this.stage.clear();
      this.reel = filmOf(this.result, this.result.title);
      this.stage.extras.replaceChildren(this.reel);
      this.hung = null;
      return;
    }
    if (this.slider) this.showEnds();
    const url = found?.url ?? this.input?.url;
    if (!url || (this.job && !found)) {
      if (!this.job) await this.showInput(ticket);
      return;
    }
    if (this.hung === found?.id) return;
    const after = await bitmapOf(url).catch(() => null);
    const input = this.tab === "find" && found.inputs?.picture
      ? await bitmapOf(`/api/pictures/${[found.inputs.picture].flat()[0]?.id ?? [found.inputs.picture].flat()[0]}`).catch(() => null) : null;
    if (!after || ticket !== this.ticket || !this.stage.isConnected) return;
    this.hung = found.id;
    this.sheet = after;
    if (this.tab === "walk") this.showBetween();
    else if (this.tab !== "find") this.showSheet(found, after);
    else this.stage.show({ width: after.width, height: after.height, before: input && !found.options?.frame ? squared(input) : null, after, title: found.title, now: madeWord(found.engine) });
  }

  /** The faces of a sheet without its paper, hung beside each other. */
  showSheet(result, sheet) {
    const columns = result.options?.count ?? 5;
    const [side, margin] = cellOf(sheet, columns);
    const rows = result.options?.direction ? 1 : Math.max(1, Math.round((sheet.height - margin) / (side + margin + 20)));
    const pitch = (sheet.height - margin) / rows;
    const gap = Math.round(side / 18);
    const canvas = el("canvas", { width: columns * (side + gap) - gap, height: rows * (side + gap) - gap });
    const context = canvas.getContext("2d");
    for (let at = 0; at < rows * columns; at++) {
      const [column, row] = [at % columns, Math.floor(at / columns)];
      context.drawImage(sheet, margin + column * (side + margin), margin + row * pitch, side, side, column * (side + gap), row * (side + gap), side, side);
    }
    this.stage.show({ width: canvas.width, height: canvas.height, before: null, after: canvas, title: result.title });
    this.stage.classList.add("several");
  }

  async showInput(ticket) {
    const picture = store.here.inputs.picture;
    if (this.tab === "find" && picture) {
      const before = await bitmapOf(picture.url).catch(() => null);
      if (before && ticket === this.ticket) this.stage.show({ width: before.width, height: before.height, before, after: null, title: picture.name });
      return;
    }
    const a = this.sitters.get("a");
    if (!a) {
      this.stage.clear();
      return;
    }
    this.stage.show({ width: FACE * 3, height: FACE * 3, before: await this.sitters.drawing("a"), after: null, title: t("paint.face", { n: a.number }) });
  }

  showEnds() {
    for (const [at, letter] of ["a", "b"].entries()) {
      const sitter = this.sitters.get(letter);
      const url = sitter?.thumb;
      if (this.ends[at].dataset.url === (url ?? "")) continue;
      this.ends[at].dataset.url = url ?? "";
      this.ends[at].replaceChildren(url ? thumb(url, 48, 48, t(`paint.${letter}`)) : el("b", {}, letter.toUpperCase()));
    }
  }

  /** The face at the slider's place, out of the sheet of those on the way. */
  showBetween() {
    const { sheet } = this;
    if (!sheet || this.tab !== "walk") return;
    const [side, margin] = cellOf(sheet, BETWEEN);
    const place = Number(this.slider.value) * (BETWEEN - 1);
    const [low, share] = [Math.min(BETWEEN - 2, Math.floor(place)), place - Math.min(BETWEEN - 2, Math.floor(place))];
    const canvas = el("canvas", { width: side, height: side });
    const context = canvas.getContext("2d");
    for (const [n, alpha] of [[low, 1], [low + 1, share]]) {
      context.globalAlpha = alpha;
      context.drawImage(sheet, margin + n * (side + margin), margin, side, side, 0, 0, side, side);
    }
    this.slider.style.setProperty("--p", `${Number(this.slider.value) * 100}%`);
    this.stage.show({ width: side, height: side, before: null, after: canvas, title: t("paint.position") });
  }

  async onFrame({ head, bitmap }) {
    if (this.job?.id !== head.job) return false;
    if (this.tab === "wall") return this.wall.takeFrame(bitmap);
    if (this.tab !== "find") return false;
    this.hung = null;
    const picture = store.here.inputs.picture;
    const before = picture ? await bitmapOf(picture.url).catch(() => null) : null;
    this.stage.show({ width: head.full_width ?? head.width, height: head.full_height ?? head.height, before: before && squared(before), after: bitmap, title: t("stage.working"), now: t("made.painted") });
    return true;
  }
}

/** The middle square, which is what the painter looks for. */
function squared(picture) {
  const side = Math.min(picture.width, picture.height);
  const canvas = el("canvas", { width: side, height: side });
  canvas.getContext("2d").drawImage(picture, (side - picture.width) / 2, (side - picture.height) / 2);
  return canvas;
}

/** Side and margin of the cells of a contact sheet, whatever painter made it. */
function cellOf(sheet, columns) {
  const marginOf = (side) => Math.max(2, Math.round(side * MARGIN));
  const about = Math.round(sheet.width / (columns + (columns + 1) * MARGIN));
  const widthOf = (side) => columns * side + (columns + 1) * marginOf(side);
  const off = (side) => Math.abs(widthOf(side) - sheet.width);
  const side = [0, -1, 1, -2, 2].map((by) => about + by).reduce((best, one) => (off(one) < off(best) ? one : best));
  return [side, marginOf(side)];
}
