// All that was made, day by day, as far back as there is anything.

import { el, thumb } from "../dom.js";
import { t } from "../words.js";
import { api } from "../api.js";
import { store } from "../store.js";
import { dayOf, hasEarlier, loadEarlier } from "../history.js";
import { openDialog } from "./dialog.js";

/** @param pick(result) shows one of them. */
export function openGallery(pick) {
  const dialog = openDialog(t("strip.name"), { large: true });
  const days = el("div", { class: "days" });
  const folder = el("p", {});
  const more = el("button", { class: "quiet", type: "button", onclick: () => loadEarlier() }, t("strip.earlier"));
  const end = el("p", { class: "note" }, t("strip.first_day"));

  const picture = (result) => el("button", {
    class: "sample", type: "button",
    onclick: () => {
      dialog.close();
      pick(result);
    },
  }, thumb(result.thumb, 132, 88, "", true), result.title || result.name);

  const show = () => {
    const groups = new Map();
    for (const result of store.results) {
      const day = dayOf(result.created);
      groups.set(day, [...(groups.get(day) ?? []), result]);
    }
    days.replaceChildren(...[...groups].flatMap(([day, results]) => [
      el("h3", { class: "dialog-head" }, day), el("div", { class: "samples" }, results.map(picture))]));
    if (!groups.size) days.replaceChildren(el("p", { class: "serif" }, t("strip.nothing")));
    more.hidden = !hasEarlier();
    end.hidden = hasEarlier() || !groups.size;
  };
  const onChange = ({ detail }) => detail === "results" && show();
  store.addEventListener("change", onChange);
  dialog.addEventListener("close", () => store.removeEventListener("change", onChange));
  dialog.body.append(folder, days, el("div", { class: "pager" }, more, end));
  show();
  api.status().then((status) => { folder.textContent = t("strip.folder", { folder: `${status.folder}/results` }); }).catch(() => {});
}
