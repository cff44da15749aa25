// Style: paintings beside the picture; how they are painted, and how much each counts.

import { el, icon, thumb } from "../dom.js";
import { t, has, number } from "../words.js";
import { store } from "../store.js";
import { wayOf } from "../runner.js";
import { addFile, asPicture, pickSample, pictureName } from "../pictures.js";
import { PictureRoom } from "./picture.js";

const WAYS = ["any_style", "style", "apply_style"];
const byHeart = () => wayOf() === "apply_style";
const paintings = () => store.here.inputs.paintings ?? [];

export const style = () => new PictureRoom({
  name: "style",
  slots: () => [["picture", {}]],
  mask: true,
  regions: () => (byHeart() ? [] : paintings().map((one) => ({ name: pictureName(one), thumb: one.thumb }))),
  extra: () => [ways(), weights()].filter(Boolean),
  rail(rail, room) {
    room.railBox = el("div", {
      class: "well loose", role: "listbox", "aria-multiselectable": "true", "aria-label": t("style.rail"),
      onkeydown: (event) => onKey(event, room.railBox),
    });
    rail.append(el("h2", {}, t("style.rail")), room.railBox,
      el("button", { class: "rail-button", type: "button", onclick: () => add(), "aria-label": t("style.add") },
        icon("add"), el("span", {}, t("style.add"))));
  },
  refresh(room, what) {
    if (room.railBox && !["jobs", "chosen", "results"].includes(what)) fill(room.railBox);
    if (what === "inputs" || what === "restored") room.panel.build();
  },
});

/** At once, step by step, or by heart. */
function ways() {
  const name = "style-way";
  return el("div", { class: "way-choice row-extra" },
    el("span", { id: name }, t("style.way")),
    el("div", { class: "choice", role: "radiogroup", "aria-labelledby": name }, WAYS.map((engine) => el("label", {},
      el("input", {
        type: "radio", name, checked: wayOf() === engine,
        onchange: () => store.change((room) => {
          room.engine = engine;
          room.preset = null;
          delete room.options.network;
        }, "preset"),
      }), t(`style.${engine}`)))));
}

/** One slider a painting, from two on. */
function weights() {
  const chosen = paintings();
  if (chosen.length < 2 || byHeart()) return null;
  return el("div", { class: "weights row-extra" }, el("h2", {}, t("style.weights")), chosen.map((one, at) => {
    const words = el("span", { class: "value-words" }, number(one.weight ?? 1, 1));
    const range = el("input", {
      type: "range", min: "0.1", max: "3", step: "0.1", value: String(one.weight ?? 1),
      "aria-label": t("style.weight", { name: one.name }),
      oninput: () => {
        words.textContent = number(Number(range.value), 1);
        range.style.setProperty("--p", `${((range.value - 0.1) / 2.9) * 100}%`);
        store.change((room) => { room.inputs.paintings[at].weight = Number(range.value); }, "option:style_weight");
      },
    });
    range.style.setProperty("--p", `${(((one.weight ?? 1) - 0.1) / 2.9) * 100}%`);
    const picture = thumb(one.thumb, 40, 30);
    picture.className = "row-thumb";
    return el("div", { class: "setting" }, picture, range, words);
  }));
}

function fill(box) {
  const own = paintings().filter((one) => !store.samples.some((sample) => sample.id === one.id));
  const kept = (store.page.paintings ?? []).filter((one) => !own.some((other) => other.id === one.id));
  const samples = store.samples.filter((one) => one.kind === "style").map(asPicture);
  const shown = byHeart() ? [] : [...own, ...kept, ...samples];
  const key = JSON.stringify([shown.map((one) => one.id), byHeart(), learned(), document.documentElement.lang]);
  if (box.dataset.key !== key) {
    box.dataset.key = key;
    box.replaceChildren(...(byHeart() ? networks() : shown.map((one, at) => item(one, at))));
  }
  box.previousElementSibling.textContent = t(byHeart() ? "style.by_heart" : "style.rail");
  const chosen = byHeart() ? [chosenNetwork()] : paintings().map((one) => one.id);
  for (const node of box.children) {
    if (node.dataset.id) node.setAttribute("aria-selected", String(chosen.includes(node.dataset.id)));
  }
}

/** Networks that know one painting by heart, each with what it makes of the landscape. */
const PICTURES = { "starry-night": "starry", "great-wave": "wave", "the-scream": "scream", "composition-vii": "seven" };
const learned = () => (store.models ?? []).filter((one) => one.engine === "apply_style").map((one) => one.name);
const chosenNetwork = () => store.here.options.network ?? "starry-night";

function networks() {
  return learned().map((name, at) => el("div", {
    class: "layer tall", role: "option", "data-id": name, "aria-selected": "false", tabindex: at === 0 ? "0" : "-1",
    onclick: () => store.change((room) => { room.options.network = name; room.preset = null; }, "option:network"),
  }, el("span", { class: "frame" }, PICTURES[name] ? thumb(`/images/presets/style-${PICTURES[name]}.webp`, 116, 82) : el("span", { class: "blank" })),
  el("span", { class: "about" }, el("b", {}, has(`networks.${name}`) ? t(`networks.${name}`) : name),
    has(`networks.${name}_note`) ? el("small", {}, t(`networks.${name}_note`)) : null)));
}

function item(picture, at) {
  return el("div", {
    class: "layer tall", role: "option", "data-id": picture.id, tabindex: at === 0 ? "0" : "-1", "aria-selected": "false",
    onclick: (event) => choose(picture, event.ctrlKey || event.metaKey || event.shiftKey),
  }, el("span", { class: "frame" }, thumb(picture.thumb, 116, 82)),
  el("span", { class: "about" }, el("b", {}, pictureName(picture))));
}

function choose(picture, adds) {
  store.change((room) => {
    const now = room.inputs.paintings ?? [];
    const has = now.some((one) => one.id === picture.id);
    if (adds && has && now.length > 1) room.inputs.paintings = now.filter((one) => one.id !== picture.id);
    else if (adds && !has) room.inputs.paintings = [...now, { ...picture, weight: 1 }];
    else if (!adds) room.inputs.paintings = [{ ...picture, weight: 1 }];
  }, "inputs");
}

function onKey(event, box) {
  const items = [...box.querySelectorAll("[role=option]")];
  const at = items.indexOf(document.activeElement);
  const moves = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
  if (event.key in moves) {
    const next = items[Math.min(items.length - 1, Math.max(0, at + moves[event.key]))];
    items[at]?.setAttribute("tabindex", "-1");
    next?.setAttribute("tabindex", "0");
    next?.focus();
  } else if (event.key === " ") items[at]?.dispatchEvent(new MouseEvent("click", { bubbles: true, ctrlKey: true }));
  else if (event.key === "Enter" && !event.ctrlKey) items[at]?.click();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

async function add() {
  const choice = await pickSample("style", false);
  if (!choice) return;
  const picture = choice.picture ?? await addFile(choice.file);
  if (choice.file) {
    store.page.paintings = [picture, ...(store.page.paintings ?? [])].slice(0, 12);
    store.keepPage();
  }
  choose(picture, paintings().length > 0);
}
