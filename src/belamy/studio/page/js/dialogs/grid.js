// A grid of two settings: each cell is a picture, and fills as it comes.

import { el } from "../dom.js";
import { t, number, readNumber } from "../words.js";
import { api } from "../api.js";
import { store, isActive } from "../store.js";
import { SPECS, usualOf } from "../specs.js";
import { engineOf, orderOf, stop } from "../runner.js";
import { wordsOf, optionOf } from "../options.js";
import { layerTitle } from "../parts/layers.js";
import { titleOf } from "../titles.js";
import { openDialog } from "./dialog.js";

const MOST = 5;

/** The layer that somebody names, by its title or as the network has it. */
const layerOf = (text) => (store.layers ?? []).find(
  (one) => layerTitle(one.layer).toLowerCase() === text.toLowerCase())?.layer ?? text;

/** Three values of a row, around the present one. */
function threeOf(row, room) {
  if (row.name === "layer") return (store.layers ?? []).slice(-5).filter((_, at) => at % 2 === 0).map((one) => one.layer);
  const now = room.options[row.name] ?? usualOf(row, room);
  const values = [row.min + (now - row.min) / 2, now, now + (row.max - now) / 2].map(
    (one) => (row.whole ? Math.round(one) : Number(one.toFixed(3))));
  if (now >= row.max) values.splice(0, 3, ...[1, 2, 3].map((n) => Number((row.min + ((row.max - row.min) * n) / 3).toFixed(row.whole ? 0 : 2))));
  return [...new Set(values)];
}

export function openGrid() {
  const engine = engineOf();
  const room = store.here;
  const rows = (SPECS[engine]?.rows ?? []).filter((one) => one.kind === "slider" && (!one.when || one.when(room)));
  if (store.room === "dream") rows.push({ name: "layer" });
  const dialog = openDialog(t("grid.title"), { large: true });
  const label = (name) => (name === "layer" ? t("grid.layer") : wordsOf(engine, name).label);
  const axis = (at, key) => {
    const select = el("select", { id: `grid-${key}` }, rows.map((row, n) => el("option", { value: String(n), selected: n === at }, label(row.name))));
    const field = el("input", { type: "text", class: "values", autocomplete: "off", "aria-label": t("grid.values", { label: t(`grid.${key}`) }) });
    const fill = () => { field.value = threeOf(rows[select.value], room).map((one) => (typeof one === "number" ? number(one) : layerTitle(one))).join("; "); };
    select.addEventListener("change", fill);
    fill();
    return { select, field, node: el("label", { for: `grid-${key}` }, t(`grid.${key}`), select), row: () => rows[select.value] };
  };
  const across = axis(0, "across");
  const down = axis(rows.length - 1, "down");
  const cells = el("div", { class: "cells", role: "grid", "aria-label": t("grid.title") });
  const halt = el("button", { class: "quiet", type: "button", hidden: true }, t("queue.stop_all"));
  const trouble = el("p", { class: "refused", role: "alert", hidden: true });

  const read = ({ row, field }) => field.value.split(";").map((text) => text.trim()).filter(Boolean).slice(0, MOST).map((text) => {
    if (row().name === "layer") return layerOf(text);
    const value = readNumber(text);
    const { minimum, maximum } = optionOf(engine, row().name) ?? {};
    return Math.min(maximum ?? value, Math.max(minimum ?? value, value));
  }).filter((value) => typeof value === "string" || Number.isFinite(value));

  const words = (row, value) => (row.name === "layer" ? layerTitle(value) : `${label(row.name)} ${number(value)}`);

  async function start(event) {
    event.preventDefault();
    trouble.hidden = true;
    const [xs, ys] = [read(across), read(down)];
    const order = orderOf();
    const waiting = new Map();
    cells.replaceChildren(
      el("div", { role: "row" }, el("span", { role: "columnheader", class: "axis" }), xs.map((x) => el("span", { role: "columnheader", class: "axis" }, words(across.row(), x)))),
      ...ys.map((y) => el("div", { role: "row" }, el("span", { role: "rowheader", class: "axis" }, words(down.row(), y)),
        xs.map((x) => {
          const cell = el("div", { class: "cell", role: "gridcell" }, t("grid.waiting"));
          waiting.set(cell, [x, y]);
          return cell;
        }))));
    const jobs = new Map();
    let halted = false;
    halt.hidden = false;
    halt.onclick = () => {
      halted = true;
      [...jobs.keys()].forEach((id) => stop(id));
    };
    const watch = () => {
      halt.hidden = ![...jobs.keys()].some((id) => isActive(store.jobs.get(id)));
      for (const [id, cell] of jobs) {
        const job = store.jobs.get(id);
        if (isActive(job)) {
          if (job.state === "working") cell.textContent = `${Math.round((job.done ?? 0) * 100)} %`;
          continue;
        }
        jobs.delete(id);
        const result = store.result(job?.result ?? job?.results?.at(-1));
        if (result) cell.replaceChildren(open(result));
        else cell.textContent = job?.message || t(job?.state === "stopped" ? "job.stopped" : "job.failed");
      }
    };
    store.addEventListener("change", watch);
    dialog.addEventListener("close", () => store.removeEventListener("change", watch));
    for (const [cell, [x, y]] of waiting) {
      const value = (row, one) => (row.name === "layer" ? [one] : one);
      const options = { ...order.options, [across.row().name]: value(across.row(), x), [down.row().name]: value(down.row(), y) };
      if (halted) {
        cell.textContent = t("job.stopped");
        continue;
      }
      try {
        const job = await api.run(engine, order.inputs, options, titleOf(engine, options, room.inputs));
        jobs.set(job.id, cell);
        if (!store.jobs.has(job.id)) store.setJob(job);
        if (halted) stop(job.id);
      } catch (error) {
        cell.textContent = "";
        trouble.textContent = error.message;
        trouble.hidden = false;
      }
    }
    watch();
  }

  const open = (result) => el("button", {
    type: "button", "aria-label": result.title || result.name,
    onclick: () => {
      store.chosen[store.room] = result.id;
      dialog.close();
      store.say("chosen");
    },
  }, el("img", { src: result.url, alt: "" }));

  dialog.body.append(
    el("form", { class: "grid-form", onsubmit: start }, across.node, across.field, down.node, down.field,
      el("button", { class: "strong", type: "submit" }, t("grid.make")), halt),
    el("p", { class: "note" }, t("grid.about")), trouble, cells);
}
