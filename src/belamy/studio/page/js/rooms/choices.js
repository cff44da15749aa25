// One of several, down the rail, each with its picture.

import { el, icon } from "../dom.js";
import { t } from "../words.js";
import { openTraining } from "../dialogs/training.js";

/** Where a network of one's own begins. */
export function trainButton() {
  return el("button", { class: "rail-button", type: "button", "aria-label": t("train.title"), onclick: () => openTraining() },
    icon("add"), el("span", {}, t("train.title")));
}

/** @param choices [{value, picture, title, note}]; @param current() and take(value). */
export function railChoice(label, choices, current, take) {
  const box = el("div", {
    class: "well loose", role: "radiogroup", "aria-label": label,
    onkeydown: (event) => {
      const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      if (!by) return;
      const items = [...box.children];
      const next = items[(items.indexOf(document.activeElement) + by + items.length) % items.length];
      next.focus();
      next.click();
      event.preventDefault();
    },
  }, choices.map((one) => el("button", {
    class: "layer tall", type: "button", role: "radio", "data-value": one.value, "aria-checked": "false",
    onclick: () => {
      take(one.value);
      box.refresh();
    },
  }, one.picture ? el("span", { class: "frame" }, one.picture) : null,
  el("span", { class: "about" }, el("b", {}, one.title), one.note ? el("small", {}, one.note) : null))));
  box.refresh = () => {
    for (const item of box.children) {
      const on = item.dataset.value === current();
      item.setAttribute("aria-checked", String(on));
      item.classList.toggle("chosen", on);
      item.tabIndex = on ? 0 : -1;
      if (on && innerWidth <= 700) requestAnimationFrame(() => { box.scrollLeft = item.offsetLeft - box.clientWidth / 2 + item.clientWidth / 2; });
    }
    if (![...box.children].some((item) => item.tabIndex === 0) && box.firstChild) box.firstChild.tabIndex = 0;
  };
  box.refresh();
  return box;
}
