// The label under the picture: its title, how it was made, and the tools.

import { el, icon } from "../dom.js";
import { t } from "../words.js";

/** A rule stands between tools alone. */
function tidy(bar) {
  let before = false;
  for (const one of bar.children) {
    if (one.tagName === "HR") {
      one.hidden = !before;
      before = false;
    } else if (!one.hidden) before = true;
  }
}

/** @param tools list of {name, icon, words, press, pressed, keep} or "-". */
export function makeLabel(tools) {
  const title = el("h1");
  const facts = el("p");
  const along = el("i");
  const progress = el("div", { class: "progress", hidden: true }, along);
  const buttons = {};
  const bar = el("div", { class: "tools", role: "toolbar", "aria-label": t("tools.name") });
  for (const tool of tools) {
    if (tool === "-") {
      bar.append(el("hr"));
      continue;
    }
    const button = el("button", {
      type: "button", "data-tool": tool.name, onclick: tool.press, "aria-label": tool.icon ? t(`tools.${tool.name}`) : null,
      title: t(`tools.${tool.name}`), class: [tool.keep ? "keep" : "", tool.wide ? "wide-only" : ""].join(" ").trim(),
      "aria-pressed": tool.toggles ? "false" : null,
    }, tool.icon ? icon(tool.icon) : null, el("span", { class: "word" }, t(`tools.${tool.name}`)));
    buttons[tool.name] = button;
    bar.append(button);
  }
  const node = el("div", { class: "label" }, progress, el("div", { class: "words" }, title, facts), bar);
  /** A tool that cannot act yet says why, to whoever points at it or presses it. */
  const setOff = (name, why) => {
    const button = buttons[name];
    button.title = why || t(`tools.${name}`);
    if (why) button.setAttribute("aria-disabled", "true");
    else button.removeAttribute("aria-disabled");
  };
  const show = (text, line, done = null) => {
    for (const [node, words] of [[title, text], [facts, line]]) {
      if (node.textContent === words) continue;
      node.textContent = words;
      node.title = words; // where it is too long for its place
    }
    tidy(bar);
    progress.hidden = done === null;
    if (done !== null) along.style.transform = `scaleX(${Math.min(1, done)})`;
  };
  return { node, buttons, show, setOff };
}
