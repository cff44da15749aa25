// <bl-ways>: settings to begin with, as pictures; one's own ones after them.

import { el, thumb } from "../dom.js";
import { t, has } from "../words.js";
import { store } from "../store.js";
import { api } from "../api.js";
import { presetsOf, applyPreset } from "../presets.js";
import { wayOf } from "../runner.js";
import { differs } from "../actions.js";
import { openDialog } from "../dialogs/dialog.js";
import { toast } from "./toast.js";

/** One's own presets of a room, however the server lists them. */
export function ownPresets(room) {
  return [...store.engines.values()].filter((one) => one.room === room)
    .flatMap(({ name: engine }) => (store.own[engine] ?? []).map(({ name, options }) => ({ name, options, engine, own: true })));
}

/** Reads GET /api/presets: by engine, a list of {name, options}. */
export function readPresets(answer) {
  const found = {};
  const add = (engine, name, options) => { (found[engine] ??= []).push({ name, options }); };
  const list = Array.isArray(answer) ? answer : answer?.presets;
  if (Array.isArray(list)) for (const { engine, name, options } of list) add(engine, name, options);
  else {
    for (const [engine, some] of Object.entries(answer ?? {})) {
      if (Array.isArray(some)) some.forEach((one) => add(engine, one.name, one.options));
      else Object.entries(some).forEach(([name, options]) => add(engine, name, options));
    }
  }
  return found;
}

export class Ways extends HTMLElement {
  setUp() {
    this.build();
    return this;
  }

  build() {
    const room = store.room;
    this.shown = presetsOf(room, ownPresets(room));
    this.buttons = this.shown.map((preset) => this.button(preset));
    this.replaceChildren(
      el("h2", {}, t("ways.title"),
        el("button", { type: "button", onclick: () => this.keep() }, t("ways.keep"))),
      el("div", { class: this.buttons.length === 3 ? "ways three" : "ways" }, this.buttons));
    this.refresh();
  }

  button(preset) {
    const key = `presets.${store.room}.${preset.name}`;
    const words = preset.own || !has(key) ? preset.name : t(key);
    const face = preset.own && store.page.faces?.[`${preset.engine}/${preset.name}`];
    const picture = face ? thumb(face, 78, 62) : preset.own
      ? el("span", { class: "blank", "aria-hidden": "true" }, words.charAt(0).toUpperCase())
      : thumb(preset.image, 78, 62);
    return el("button", {
      class: "way", type: "button", "aria-pressed": "false", title: preset.own ? t("ways.drop_hint") : null,
      onclick: () => store.change((room) => applyPreset(room, preset), "preset"),
      onkeydown: (event) => { if (preset.own && event.key === "Delete") this.drop(preset); },
      oncontextmenu: (event) => {
        if (!preset.own) return;
        event.preventDefault();
        this.drop(preset);
      },
    }, el("span", { class: "frame" }, picture), el("span", {}, words));
  }

  refresh() {
    this.buttons.forEach((button, at) => {
      const preset = this.shown[at];
      const same = store.here.preset === preset.name && (!preset.engine || preset.engine === wayOf());
      button.setAttribute("aria-pressed", String(same));
    });
  }

  keep() {
    const dialog = openDialog(t("ways.keep_title"));
    const name = el("input", { class: "words", id: "preset-name", maxlength: "40", autocomplete: "off" });
    const save = async (event) => {
      event.preventDefault();
      const text = name.value.trim();
      if (!text) return;
      const engine = wayOf();
      const { seed: _, ...options } = store.here.options;
      try {
        await api.keepPreset(engine, text, options);
        store.own[engine] = [...(store.own[engine] ?? []).filter((one) => one.name !== text), { name: text, options }];
        store.here.preset = text;
        const made = store.result(store.chosen[store.room]); // which it makes
        store.page.faces = { ...store.page.faces, [`${engine}/${text}`]: made && !differs(made) ? made.thumb : undefined };
        store.keepPage();
        this.build();
        dialog.close();
      } catch (error) {
        dialog.body.append(el("p", { class: "refused", role: "alert" }, error.message));
      }
    };
    dialog.body.append(el("form", { class: "grid-form", onsubmit: save },
      el("label", { for: "preset-name" }, t("ways.name"), name),
      el("button", { class: "strong", type: "submit" }, t("ways.save"))));
    name.focus();
  }

  async drop({ name, engine, options }) {
    await api.dropPreset(engine, name);
    store.own[engine] = store.own[engine].filter((one) => one.name !== name);
    this.build();
    toast(t("ways.dropped", { name }), {
      action: t("strip.undo"),
      work: async () => {
        await api.keepPreset(engine, name, options);
        store.own[engine].push({ name, options });
        this.build();
      },
    });
  }
}

customElements.define("bl-ways", Ways);
