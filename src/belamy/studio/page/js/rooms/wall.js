// The wall: as many faces as one press makes; the one that is picked has a frame.

import { el, thumb } from "../dom.js";
import { t } from "../words.js";
import { store } from "../store.js";

const SPRITE = "/images/first/wall.webp"; // sixteen faces of seed 0, in four rows
const SIDE = 192;
const ROW = 4;

let sprite = null; // read once

function readSprite() {
  if (!sprite) {
    sprite = new Image();
    sprite.src = SPRITE;
  }
  return sprite.decode().then(() => sprite);
}

/** Draws one of the first faces, by its place from 0 on. */
async function drawFirst(at) {
  const cell = el("canvas", { width: SIDE, height: SIDE });
  const image = await readSprite();
  cell.getContext("2d").drawImage(image, (at % ROW) * SIDE, Math.floor(at / ROW) * SIDE, SIDE, SIDE, 0, 0, SIDE, SIDE);
  return cell;
}

/** A face of the first wall, as one that is pinned. */
export async function firstFace(at) {
  const cell = await drawFirst(at);
  return { id: `first-${at}`, thumb: cell.toDataURL("image/jpeg", 0.9), options: {}, number: `0:${at + 1}` };
}

export class FaceWall {
  constructor(room) {
    this.room = room;
    this.node = el("div", { class: "wall-of-faces", role: "listbox", "aria-label": t("paint.wall"), onkeydown: (event) => this.onKey(event) });
    this.watcher = new ResizeObserver(() => this.arrange());
    this.watcher.observe(this.node);
    this.key = "";
  }

  /** The faces of the newest press: results of one job, in their order. */
  get faces() {
    const chosen = store.result(store.chosen.paint);
    const job = chosen?.engine === "gan_paint" ? chosen.job : store.results.find((one) => one.engine === "gan_paint")?.job;
    if (!job) return [];
    const order = store.jobs.get(job)?.results;
    const own = store.results.filter((one) => one.job === job);
    const sorted = order ? order.map((id) => own.find((one) => one.id === id)).filter(Boolean) : [...own].reverse();
    return sorted.map((result, at) => ({
      id: result.id, thumb: result.thumb, url: result.url, options: result.options,
      number: `${result.options?.seed ?? 0}:${at + 1}`, result,
    }));
  }

  get selected() {
    const id = store.chosen.paint;
    return this.faces.find((one) => one.id === id) ?? (this.example !== undefined && !this.faces.length ? this.exampleFace(this.example) : null);
  }

  exampleFace(at) {
    return { id: `first-${at}`, thumb: this.cells?.[at]?.toDataURL("image/png"), options: {}, number: `0:${at + 1}` };
  }

  refresh() {
    const { faces } = this;
    const key = faces.length ? faces.map((one) => one.id).join() : "first";
    if (this.room.job && !faces.length) return;
    if (key !== this.key) this.build(faces, key);
    const chosen = store.chosen.paint ?? (this.example === undefined ? null : `first-${this.example}`);
    for (const [at, node] of [...this.node.children].entries()) {
      const on = node.dataset.id === chosen;
      node.setAttribute("aria-selected", String(on));
      node.tabIndex = on || (at === 0 && !chosen) ? 0 : -1;
      const letter = this.room.sitters.letterOf(node.dataset.number);
      node.querySelector(".letter").hidden = !letter;
      node.querySelector(".letter").textContent = letter ?? "";
    }
  }

  build(faces, key) {
    this.key = key;
    if (faces.length) this.node.replaceChildren(...faces.map((face) => this.face(face, thumb(face.url, SIDE, SIDE))));
    else this.buildFirst();
    this.arrange();
  }

  async buildFirst() {
    this.cells = Array.from({ length: 16 }, () => el("canvas", { width: SIDE, height: SIDE }));
    this.node.replaceChildren(...this.cells.map((cell, at) => this.face(
      { id: `first-${at}`, number: `0:${at + 1}` }, cell, () => { this.example = at; this.room.refresh("face"); })));
    const { cells } = this;
    await Promise.all(cells.map(async (cell, at) => cell.getContext("2d").drawImage(await drawFirst(at), 0, 0))).catch(() => null);
  }

  face({ id, number }, picture, press) {
    return el("div", {
      class: "face", role: "option", "data-id": id, "data-number": number, "aria-label": t("paint.face", { n: number }), "aria-selected": "false",
      onclick: press ?? (() => {
        store.chosen.paint = id;
        store.keep();
        store.say("chosen");
      }),
    }, el("span", { class: "frame" }, picture), el("span", { class: "letter", hidden: true }));
  }

  /** As square as the stage allows, in whole columns. */
  arrange() {
    const count = this.node.children.length;
    const { clientWidth, clientHeight } = this.node;
    if (!count || !clientWidth) return;
    const phone = innerWidth <= 700;
    const gap = 10;
    const width = clientWidth - (phone ? 32 : 56);
    const height = clientHeight - (phone ? 32 : 56);
    let best = [1, 0, 1];
    for (let columns = 1; columns <= count; columns++) {
      const rows = Math.ceil(count / columns);
      const side = Math.min((width - gap * (columns - 1)) / columns, phone ? 999 : (height - gap * (rows - 1)) / rows);
      const even = count % columns === 0 ? 1.45 : 1; // a full last row is worth smaller faces
      const fits = phone ? columns === Math.min(count, 4) : side * even > best[1] * best[2];
      if (fits) best = [columns, side, even];
    }
    const largest = first(this.node)?.naturalWidth > 400 ? 480 : 220;
    const side = Math.floor(Math.min(best[1], largest));
    this.node.style.gridTemplateColumns = `repeat(${best[0]}, ${side}px)`;
    this.node.style.gridAutoRows = `${side}px`;
  }

  onKey(event) {
    const items = [...this.node.children];
    const at = items.indexOf(document.activeElement);
    const columns = getComputedStyle(this.node).gridTemplateColumns.split(" ").length;
    const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
    if (event.key in moves && at >= 0) {
      const next = items[Math.min(items.length - 1, Math.max(0, at + moves[event.key]))];
      next.focus();
      next.click();
    } else if ((event.key === "a" || event.key === "b") && this.selected) this.room.pin(event.key);
    else if ((event.key === "Enter" && !event.ctrlKey) || event.key === " ") items[at]?.click();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  takeFrame(bitmap) {
    if (this.faces.length) return false;
    const cell = this.node.querySelector("canvas");
    cell?.getContext("2d").drawImage(bitmap, 0, 0, SIDE, SIDE);
    bitmap.close();
    return true;
  }
}

const first = (node) => node.querySelector("img");
