// <bl-toast>: one short line that goes by itself; and the line for screen readers.

import { el } from "../dom.js";

const STAYS = 6000;

class Toast extends HTMLElement {
  connectedCallback() {
    this.setAttribute("role", "status");
    this.addEventListener("pointerenter", () => clearTimeout(this.timer));
    this.addEventListener("pointerleave", () => this.wait(STAYS));
    this.addEventListener("focusin", () => clearTimeout(this.timer));
  }

  say(text, { action = "", work = null, stays = STAYS } = {}) {
    const button = work ? el("button", {
      type: "button",
      onclick: () => {
        this.clear();
        work();
      },
    }, action) : null;
    this.replaceChildren(el("div", { class: "toast" }, el("span", {}, text), button));
    this.wait(stays);
  }

  wait(time) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.clear(), time);
  }

  clear() {
    clearTimeout(this.timer);
    this.replaceChildren();
  }
}

customElements.define("bl-toast", Toast);

/** Says a line, with something that can be done about it. */
export function toast(text, options) {
  document.querySelector("bl-toast")?.say(text, options);
}

/** Tells a screen reader: start, quarters, end, failure; nothing else. */
export function announce(text) {
  const region = document.getElementById("live-region");
  if (region && region.textContent !== text) region.textContent = text;
}
