// A dialog: a title, a way out, and room for anything.

import { el, icon } from "../dom.js";
import { t } from "../words.js";

/** Opens a dialog; `body` takes its content, `close()` ends it. */
export function openDialog(title, { large = false, onclose = () => {} } = {}) {
  const back = document.activeElement;
  const body = el("div", { class: "body" });
  const heading = el("h2", { id: "dialog-title" }, title);
  const dialog = el("dialog", { class: large ? "large" : "", "aria-labelledby": "dialog-title" },
    el("header", {}, heading, el("button", {
      class: "round", type: "button", "aria-label": t("dialog.close"), onclick: () => dialog.close(),
    }, icon("close"))),
    body);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => {
    onclose();
    // this event comes late: who has gone on meanwhile keeps the focus
    const held = document.activeElement;
    const free = held === document.body || dialog.contains(held);
    dialog.remove();
    if (free) back?.focus?.({ preventScroll: true });
  });
  document.body.append(dialog);
  dialog.showModal();
  return Object.assign(dialog, { body });
}
