// <bl-layers>: what each layer looks for, as a picture; from grain to herds.

import { el, thumb } from "../dom.js";
import { t, either, has } from "../words.js";
import { store } from "../store.js";
import { api } from "../api.js";
import { openChannels } from "../dialogs/channels.js";

/** The words of a layer: a name where somebody gave it one. */
export function layerTitle(layer, rows = store.layers ?? []) {
  const [name, channel] = String(layer).replace(/\*.*$/, "").split(":");
  const row = rows.find((one) => one.layer === name);
  const title = either(row?.title) || (has(`layers.${name}`) ? t(`layers.${name}`) : name);
  return channel === undefined ? title : t("layers_channel", { layer: title, n: channel });
}

const nameOf = (text) => text.replace(/[:*].*$/, "");
const weightOf = (text) => Number(text.match(/\*(-?[\d.]+)$/)?.[1] ?? 1);

/** The network that auto stands for, as far as the page needs to know. */
function eyeOf(model) {
  if (model && model !== "auto") return model;
  return "iris";
}

export class Layers extends HTMLElement {
  /** @param stage on which the field is shown. */
  setUp(stage) {
    this.stage = stage;
    this.load();
    return this;
  }

  get model() {
    return eyeOf(store.here.options.model);
  }

  get chosen() {
    const given = store.here.options.layer;
    return given === undefined || given === null ? [] : [given].flat();
  }

  async load() {
    const model = this.model;
    this.shown = model;
    try {
      const rows = await api.layers(model);
      store.layers = rows;
      const eye = (store.models ?? []).find((one) => one.name === model);
      store.favourite = [eye?.favourite ?? []].flat()[0]?.replace(/[:*].*$/, "") ?? null;
      if (this.shown === model) this.build(rows);
      store.say("layers");
    } catch (error) {
      this.replaceChildren(el("p", { class: "refused" }, error.message));
    }
  }

  build(rows) {
    this.rows = rows;
    const list = el("div", {
      class: rows.length > 12 ? "well loose" : "well", role: "listbox", "aria-multiselectable": "true",
      "aria-label": t("dream.rail"), onkeydown: (event) => this.onKey(event),
    }, rows.map((row, at) => this.item(row, at)));
    this.weights = el("div", { class: "layer-weights" });
    this.replaceChildren(list, this.weights);
    this.refresh();
  }

  item(row, at) {
    const picture = row.thumb ? thumb(row.thumb, 60, 60) : el("span", { class: "blank" });
    const title = layerTitle(row.layer, this.rows);
    return el("div", {
      class: "layer", role: "option", tabindex: at === 0 ? "0" : "-1", "data-layer": row.layer,
      "aria-label": t("layer.about", { title, n: row.field, layer: row.layer }),
      onclick: (event) => this.press(row, event),
      onpointerenter: () => this.showField(row),
      onpointerleave: () => this.stage.showField(0),
      onfocus: () => this.showField(row),
      onblur: () => this.stage.showField(0),
    }, el("span", { class: "frame" }, picture),
    el("span", { class: "about" }, el("b", {}, title), el("small", {}, `${row.field} px`)));
  }

  /** Its field on the stage; of the chosen one, that it can be opened. */
  showField(row) {
    const item = this.querySelector(`[data-layer="${CSS.escape(row.layer)}"]`);
    const opens = item?.getAttribute("aria-selected") === "true";
    this.stage.showField(row.field, t(opens ? "layer.opens" : "layer.sees", { n: row.field }));
  }

  /** The first press dreams of it, the next one shows its channels. */
  press(row, event) {
    const adds = event.ctrlKey || event.metaKey || event.shiftKey;
    const item = event.currentTarget;
    if (!adds && item.getAttribute("aria-selected") === "true") openChannels(this.model, row, this.rows);
    else {
      this.toggle(row.layer, adds);
      this.showField(row);
    }
  }

  /** Dreams of this layer; with a modifier, or Space, of it too. */
  toggle(layer, adds) {
    const now = this.chosen;
    const has_ = now.some((one) => nameOf(one) === layer);
    let next;
    if (adds) next = has_ ? now.filter((one) => nameOf(one) !== layer) : [...now, layer];
    else next = has_ && now.length === 1 ? now : [layer];
    store.change((room) => {
      room.options.layer = next;
      if (!next.length) delete room.options.layer;
      delete room.options.class_;
      room.preset = null;
    }, "option:layer");
    this.refresh();
  }

  setWeight(layer, weight) {
    const next = this.chosen.map((one) => {
      if (nameOf(one) !== layer) return one;
      const base = one.replace(/\*.*$/, "");
      return weight === 1 ? base : `${base}*${weight}`;
    });
    store.change((room) => { room.options.layer = next; room.preset = null; }, "option:layer");
  }

  onKey(event) {
    const items = [...this.querySelectorAll("[role=option]")];
    const at = items.indexOf(document.activeElement);
    const moves = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1, Home: -99, End: 99 };
    if (event.key in moves) {
      const next = items[Math.min(items.length - 1, Math.max(0, at + moves[event.key]))];
      items[at]?.setAttribute("tabindex", "-1");
      next.setAttribute("tabindex", "0");
      next.focus();
    } else if (event.key === " ") this.toggle(items[at].dataset.layer, true);
    else if (event.key === "Enter" && !event.ctrlKey) {
      const layer = items[at].dataset.layer;
      if (items[at].getAttribute("aria-selected") === "true") openChannels(this.model, this.rows[at], this.rows);
      else this.toggle(layer, false);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  refresh() {
    if (this.model !== this.shown) {
      this.load();
      return;
    }
    const usual = store.here.options.class_ ? [] : [store.favourite].filter(Boolean);
    const given = this.chosen.length ? this.chosen : usual;
    const names = given.map(nameOf);
    for (const item of this.querySelectorAll("[role=option]")) {
      const on = names.includes(item.dataset.layer);
      if (on && item.getAttribute("aria-selected") !== "true" && innerWidth <= 700) {
        const list = item.parentElement;
        list.scrollLeft = item.offsetLeft - list.offsetLeft - list.clientWidth / 2 + 34;
      }
      item.setAttribute("aria-selected", String(on));
    }
    this.showWeights();
  }

  /** From two layers on, how much each counts; below 0 it is calmed. */
  showWeights() {
    const several = this.chosen.length > 1 ? this.chosen : [];
    if (this.weights) this.weights.hidden = !several.length;
    this.weights?.replaceChildren(...several.map((text) => {
      const layer = nameOf(text);
      const range = el("input", {
        type: "range", min: "-2", max: "2", step: "0.1", value: String(weightOf(text)),
        "aria-label": t("layer.weight", { title: layerTitle(layer) }),
        oninput: () => this.setWeight(layer, Number(range.value)),
      });
      range.style.setProperty("--p", `${((weightOf(text) + 2) / 4) * 100}%`);
      return el("label", { class: "layer-weight" }, el("span", {}, layerTitle(layer)), range);
    }));
  }
}

customElements.define("bl-layers", Layers);
