// A film of dreams on the picture: a journey into it, or a walk from one dream to the next.

import { el } from "../dom.js";
import { t, readNumber, number } from "../words.js";
import { store } from "../store.js";
import { optionOf, wordsOf } from "../options.js";
import { layerTitle } from "../parts/layers.js";
import { plainName, pictureName } from "../pictures.js";
import { openDialog } from "./dialog.js";
import { run } from "../runner.js";

const KINDS = ["dream_zoom", "dream_walk"];
const ASKED = { seconds: 4, fps: 12, size: 320, steps: 2 }; // a first film within minutes

export function openJourney() {
  const { picture } = store.here.inputs;
  const dialog = openDialog(t("journey.title"));
  const kinds = KINDS.filter((kind) => kind === "dream_zoom" || picture);
  const fields = new Map();
  const chosen = new Set([store.here.options.layer ?? store.favourite ?? []].flat().map((one) => String(one).replace(/[:*].*$/, "")));
  const trouble = el("p", { class: "refused", role: "alert", hidden: true });
  let kind = kinds[0];

  const layers = el("div", { class: "chips", role: "group", "aria-label": t("journey.layers") }, (store.layers ?? []).map((row) => el("button", {
    class: "chip", type: "button", "aria-pressed": String(chosen.has(row.layer)),
    onclick: (event) => {
      if (chosen.has(row.layer)) chosen.delete(row.layer);
      else chosen.add(row.layer);
      event.currentTarget.setAttribute("aria-pressed", String(chosen.has(row.layer)));
    },
  }, layerTitle(row.layer))));

  const rows = Object.entries(ASKED).map(([name, usual]) => {
    const field = el("input", { id: `journey-${name}`, type: "text", inputmode: "decimal", autocomplete: "off", value: number(usual) });
    fields.set(name, field);
    return el("label", { for: field.id }, wordsOf("dream_zoom", name).label, field);
  });
  const loop = el("input", { type: "checkbox", id: "journey-loop" });

  /** The options as typed, held to what the engine takes. */
  function options() {
    const found = { layers: (store.layers ?? []).map((row) => row.layer).filter((layer) => chosen.has(layer)), loop: loop.checked };
    for (const [name, field] of fields) {
      const value = readNumber(field.value);
      const { minimum, maximum, type } = optionOf(kind, name) ?? {};
      if (!Number.isFinite(value)) continue;
      const held = Math.min(maximum ?? value, Math.max(minimum ?? value, value));
      found[name] = type === "number" && name !== "size" ? held : Math.round(held);
    }
    if (store.here.options.seed) found.seed = store.here.options.seed;
    const { model } = store.here.options;
    return { model: model ?? "iris", ...found };
  }

  async function start(event) {
    event.preventDefault();
    const only = options();
    if (kind === "dream_walk" && only.layers.length < 2) {
      trouble.textContent = t("journey.two");
      trouble.hidden = false;
      return;
    }
    const job = await run({ engine: kind, only, inputs: picture ? { picture: picture.id } : {}, titles: { picture: picture && { ...picture, name: plainName(pictureName(picture)) } } });
    if (job) dialog.close();
    else {
      trouble.textContent = store.trouble?.text ?? t("errors.failed");
      trouble.hidden = false;
    }
  }

  dialog.body.append(el("p", {}, t("journey.about")), el("form", { class: "grid-form", onsubmit: start },
    el("div", { class: "choice wide", role: "radiogroup", "aria-label": t("journey.kind") }, kinds.map((one) => el("label", {},
      el("input", { type: "radio", name: "journey", checked: one === kind, onchange: () => { kind = one; } }), t(`journey.${one}`)))),
    el("div", { class: "wide-field" }, el("span", {}, t("journey.layers")), layers), ...rows,
    el("label", { class: "tick-field", for: "journey-loop" }, wordsOf("dream_zoom", "loop").label, loop),
    el("button", { class: "strong", type: "submit" }, t("journey.start"))), trouble);
}
