// What a picture is called, and the line of facts under its title.

import { t, has, number } from "./words.js";
import { store } from "./store.js";
import { layerTitle } from "./parts/layers.js";
import { pictureName, plainName } from "./pictures.js";
import { wordsOfChoice } from "./options.js";

function dreamtOf(options) {
  if (options.class_) return [options.class_].flat().join(", ").replaceAll("_", " ");
  const layers = [options.layer ?? []].flat();
  const first = layers.length ? layers : [store.favourite].filter(Boolean);
  if (!first.length) return t("phrases.something");
  return first.map((one) => {
    const name = String(one).replace(/[:*].*$/, "");
    return !String(one).includes(":") && has(`phrases.${name}`) ? t(`phrases.${name}`) : layerTitle(one).toLowerCase();
  }).join(t("and"));
}

const first = (input) => (Array.isArray(input) ? input[0] : input);
const nameOf = (input) => plainName(pictureName(first(input)));

const networkName = (name) => (has(`networks.${name}`) ? t(`networks.${name}`) : plainName(name));

/** The words for a translation: those of the embedded network, or plain ones for a network of one's own. */
function translationTitle({ network = "old-photographs", direction = "a-to-b" }) {
  const own = `titles.${network}_${direction}`;
  return has(own) ? own : "titles.translated";
}

/** The title of what an engine makes of these inputs. */
export function titleOf(engine, options, inputs) {
  const what = nameOf(inputs.picture);
  switch (engine.replace(/_film$/, "")) {
    case "dream":
      return t(what ? "titles.dream" : "titles.noise", { what, of: dreamtOf(options) });
    case "style": case "any_style":
      return t("titles.style", { what, of: [inputs.paintings ?? []].flat().map(nameOf).join(t("and")) });
    case "apply_style":
      return t("titles.style", { what, of: networkName(options.network ?? "starry-night") });
    case "translate":
      return t(translationTitle(options), { what });
    case "defog":
      return t("titles.cleared", { what });
    case "fog":
      return t("titles.fogged", { what });
    case "gan_project":
      return t("titles.found", { what });
    case "gan_edit":
      return t("titles.edited", { n: options.picture ?? "" });
    case "gan_mix":
      return t("titles.between", { a: options.first ?? "", b: options.second ?? "" });
    case "dream_zoom":
      return t("titles.zoom", { what: what || t("titles.nothing") });
    case "dream_walk":
      return t("titles.dreams", { what });
    case "gan_walk":
      return t("titles.walk", { n: options.seed ?? 0 });
    case "gan_paint":
      return t("titles.nobody", { n: options.seed ?? 0 });
    default:
      return t(`rooms.${store.room}`);
  }
}

/** The facts of a result: eye and layer, sizes and steps, seed, pixels. */
export function factsOf(result) {
  const { options = {} } = result;
  const engine = result.engine.replace(/_film$/, "");
  const facts = [];
  if (engine === "dream") {
    const layer = options.class_ ?? options.layer ?? store.favourite ?? "";
    facts.push([options.model && options.model !== "auto" ? options.model : "iris", [layer].flat().join(" + ")].filter(Boolean).join(", "));
    if (result.inputs?.picture) {
      facts.push(t("facts.sizes", { sizes: options.octaves ?? 4, steps: options.steps ?? 10 }));
    } else facts.push(t("facts.steps", { steps: options.steps ?? 256 }));
  }
  if (engine === "style") facts.push(wordsOfChoice("preset", options.preset ?? "standard"));
  if (engine === "any_style") facts.push(t("facts.pieces", { n: number(options.patches ?? 0.6) }));
  if (engine === "translate" || engine === "apply_style") facts.push(options.network ?? "");
  if (engine === "defog") facts.push(wordsOfChoice("method", options.method === "cyclegan" ? "network" : options.method ?? "network"));
  if (options.strength !== undefined && options.strength !== 1) {
    facts.push(t("facts.strength", { n: number(options.strength, 2) }));
  }
  const seeded = ["dream", "any_style", "style", "fog", "gan_paint", "gan_project"].includes(engine);
  if (seeded) facts.push(t("facts.seed", { n: options.seed ?? 0 }));
  facts.push(`${result.width} × ${result.height}`);
  if (result.state === "stopped") facts.push(t("facts.stopped"));
  return facts.filter(Boolean).join(" · ");
}

/** What is on the right of the knob. */
export function madeWord(engine) {
  const words = {
    dream: "dreamt", style: "painted", any_style: "painted", apply_style: "painted",
    translate: "translated", defog: "cleared", fog: "fogged", gan_project: "painted",
  };
  const word = words[engine.replace(/_film$/, "")];
  return word ? t(`made.${word}`) : "";
}
