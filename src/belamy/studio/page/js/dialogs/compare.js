// Two results beside each other, and only what differs between them.

import { el } from "../dom.js";
import { t, has, number } from "../words.js";
import { optionOf, wordsOf, wordsOfChoice } from "../options.js";
import { layerTitle } from "../parts/layers.js";
import { differences } from "../actions.js";
import { openDialog } from "./dialog.js";

/** What was set, or what is usual where nothing was. */
function shown(engine, name, set) {
  const value = set ?? optionOf(engine, name)?.usual;
  const plain = String(value).replace(/_film$/, "");
  if (name === "engine" && has(`engines.${plain}`)) return t(`engines.${plain}`);
  if (value === undefined || value === null) return t("row.auto");
  if (name === "layer") return [value].flat().map(layerTitle).join(", ");
  if (typeof value === "number") return number(value);
  if (Array.isArray(value)) return value.join(", ");
  return wordsOfChoice(name, String(value));
}

export function openCompare(a, b, onclose = () => {}) {
  if (!a || !b) return;
  const dialog = openDialog(t("compare.title"), { large: true, onclose });
  const figure = (result, letter) => el("figure", {},
    el("img", { src: result.url, alt: result.title || result.name, width: result.width, height: result.height }),
    el("figcaption", {}, `${letter} · ${result.title || result.name}`));
  const rows = differences(a.options, b.options);
  if (a.engine !== b.engine) rows.unshift(["engine", a.engine, b.engine]);
  if (JSON.stringify(a.inputs) !== JSON.stringify(b.inputs)) rows.push(["picture", t("compare.one"), t("compare.other")]);
  const words = (name) => (name === "engine" || name === "picture" ? t(`compare.${name}`) : wordsOf(a.engine, name).label);
  const table = rows.length
    ? el("table", { class: "differences" },
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, t("compare.what")), el("th", { scope: "col" }, "A"), el("th", { scope: "col" }, "B"))),
      el("tbody", {}, rows.map(([name, one, other]) => el("tr", {},
        el("th", { scope: "row" }, words(name)), el("td", {}, shown(a.engine, name, one)), el("td", {}, shown(b.engine, name, other))))))
    : el("p", {}, t("compare.same"));
  dialog.body.append(el("div", { class: "side-by-side" }, figure(a, "A"), figure(b, "B")), table);
}
