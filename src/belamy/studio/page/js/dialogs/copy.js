// Copy as: the same as a command, as Python, a notebook or a recipe; only what differs from usual.

import { el } from "../dom.js";
import { t } from "../words.js";
import { api } from "../api.js";
import { openDialog } from "./dialog.js";

const KINDS = ["command", "python", "notebook", "recipe"];
const FILES = { notebook: "belamy.ipynb", recipe: "belamy.json" };

export async function openCopy({ engine, inputs, options }) {
  const dialog = openDialog(t("copy.title"));
  const panel = el("div", { role: "tabpanel", id: "copy-panel", "aria-labelledby": "copy-command" });
  const note = el("span", { class: "note", role: "status" });
  let texts = null;
  let chosen = "command";
  const tabs = KINDS.map((kind) => el("button", {
    type: "button", role: "tab", id: `copy-${kind}`, "aria-controls": "copy-panel",
    onclick: () => show(kind),
    onkeydown: (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!by) return;
      const next = (KINDS.indexOf(kind) + by + KINDS.length) % KINDS.length;
      show(KINDS[next]);
      tabs[next].focus();
    },
  }, t(`copy.${kind}`)));

  const textOf = (kind) => (typeof texts[kind] === "string" ? texts[kind] : JSON.stringify(texts[kind], null, 1));

  function show(kind) {
    chosen = kind;
    tabs.forEach((tab, at) => {
      const on = KINDS[at] === kind;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
    });
    panel.setAttribute("aria-labelledby", `copy-${kind}`);
    note.textContent = "";
    if (texts) {
      panel.replaceChildren(el("pre", { class: "code", tabindex: "0", "aria-label": t(`copy.${kind}`) }, textOf(kind)));
    }
  }

  async function copy() {
    try {
      await navigator.clipboard.writeText(textOf(chosen));
      note.textContent = t("copy.copied");
    } catch {
      getSelection().selectAllChildren(panel.firstChild);
      note.textContent = t("copy.selected");
    }
  }

  function download() {
    const url = URL.createObjectURL(new Blob([textOf(chosen)], { type: "application/json" }));
    const link = el("a", { href: url, download: FILES[chosen] ?? `belamy-${chosen}.txt`, hidden: true });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  dialog.body.append(
    el("div", { class: "tabs", role: "tablist", "aria-label": t("copy.title") }, tabs), panel,
    el("div", { class: "actions" }, note,
      el("button", { class: "quiet", type: "button", onclick: download }, t("copy.download")),
      el("button", { class: "strong", type: "button", onclick: copy }, t("copy.copy"))));
  show(chosen);
  try {
    texts = await api.copy(engine, inputs, options);
    show(chosen);
  } catch (error) {
    panel.replaceChildren(el("p", { class: "refused", role: "alert" }, error.message));
  }
}
