// Settings, keys and help in one sheet; and what is at work.

import { el } from "../dom.js";
import { t, setLanguage, currentLanguage } from "../words.js";
import { store, isActive } from "../store.js";
import { api } from "../api.js";
import { left, stop } from "../runner.js";
import { openDialog } from "./dialog.js";

const KEYS = [
  [["Ctrl", "Enter"], "run"], [["Esc"], "stop"], [["Space"], "before"], [["←", "→"], "strip"],
  [["C"], "compare"], [["0"], "fit"], [["1"], "true"], [["+", "−"], "zoom"], [["M"], "mask"], [["P"], "projector"],
  [["Ctrl", "Z"], "undo"], [["?"], "help"],
];

/** Applies theme and surround. */
export function applyLook() {
  const { theme, surround, projector } = store.page;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const root = document.documentElement;
  root.dataset.theme = theme === "auto" ? (dark ? "dark" : "light") : theme;
  root.dataset.surround = surround;
  root.classList.toggle("projector", Boolean(projector));
}

function choice(name, values, current, take) {
  return el("div", { class: "choice", role: "radiogroup", "aria-label": t(`settings.${name}`) },
    values.map((value) => el("label", {}, el("input", {
      type: "radio", name: `set-${name}`, checked: value === current, onchange: () => take(value),
    }), t(`settings.${name}_${value}`))));
}

export function openHelp(redraw) {
  const dialog = openDialog(t("help.title"));
  const row = (name, control) => el("div", { class: "setting" }, el("span", {}, t(`settings.${name}`)), control);
  const keep = (name) => (value) => {
    store.page[name] = value;
    store.keepPage();
    applyLook();
  };
  const language = async (value) => {
    dialog.close();
    await changeLanguage(value, redraw);
    openHelp(redraw);
  };
  dialog.body.append(
    el("p", {}, t("help.about")),
    row("language", choice("language", ["en", "it"], currentLanguage(), language)),
    row("theme", choice("theme", ["auto", "dark", "light"], store.page.theme, keep("theme"))),
    row("surround", choice("surround", ["theme", "middle", "black"], store.page.surround, keep("surround"))),
    row("keys", choice("keys", ["on", "off"], store.page.singleKeys ? "on" : "off", (value) => keep("singleKeys")(value === "on"))),
    row("projector", el("button", { class: "quiet", type: "button", onclick: () => { dialog.close(); projector(); } }, t("settings.projector_show"))),
    el("h3", { class: "dialog-head" }, t("help.keys")),
    el("dl", { class: "keys" }, KEYS.flatMap(([keys, name]) => [
      el("dt", {}, keys.map((key) => el("kbd", { class: "key" }, key))), el("dd", {}, t(`keys.${name}`))])),
    el("p", {}, t("help.files")),
  );
}

export function projector() {
  store.page.projector = !store.page.projector;
  store.keepPage();
  applyLook();
  store.say("projector");
}

export async function changeLanguage(value, redraw) {
  await setLanguage(value);
  store.page.language = value;
  store.keepPage();
  api.settings().then((settings) => api.keepSettings({ ...settings, language: value })).catch(() => {});
  redraw();
}

/** What is at work and what waits, each with its Stop. */
export function openQueue() {
  const dialog = openDialog(t("queue.title"));
  const list = el("ul", { class: "jobs" });
  const all = el("button", {
    class: "quiet", type: "button", onclick: () => store.activeJobs.forEach((job) => stop(job.id)),
  }, t("queue.stop_all"));
  const show = () => {
    const jobs = [...store.jobs.values()].filter(isActive);
    all.hidden = jobs.length < 2;
    list.replaceChildren(...(jobs.length ? jobs.map((job) => el("li", {},
      el("div", { class: "about" }, el("b", {}, job.title || t(`rooms.${job.room}`)), el("small", {}, left(job) || t(`job.${job.state}`))),
      el("button", { class: "quiet", type: "button", onclick: () => stop(job.id) }, t("run.stop")))) : [el("li", {}, t("queue.nothing"))]));
  };
  store.addEventListener("change", show);
  dialog.addEventListener("close", () => store.removeEventListener("change", show));
  show();
  dialog.body.append(list, el("div", { class: "actions" }, all));
}
