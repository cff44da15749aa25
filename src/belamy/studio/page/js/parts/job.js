// <bl-job>: Run, which fills while it works and becomes Stop.

import { el } from "../dom.js";
import { t } from "../words.js";
import { store } from "../store.js";
import { engineOf, guess, left, orderOf, run, stop } from "../runner.js";

const TOUCH = matchMedia("(pointer: coarse), (max-width: 700px)");

export class Job extends HTMLElement {
  connectedCallback() {
    if (this.button) return;
    this.name = el("span");
    this.key = el("kbd", { "aria-hidden": "true" });
    this.time = el("span");
    this.halt = el("span", { class: "halt" });
    this.note = el("small", {}, this.time, this.halt);
    this.fill = el("i", { class: "fill" });
    this.mark = el("u");
    this.button = el("button", { class: "run", type: "button", onclick: () => this.press() });
    this.bar = el("div", {
      role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100", class: "hidden-text",
      "aria-label": t("job.progress"),
    });
    this.append(this.button, this.bar);
    this.refresh();
  }

  /** @param start does what Run does in this room. */
  setUp(start = () => run()) {
    this.start = start;
    return this;
  }

  async press() {
    const job = store.jobOf(store.room);
    if (job) await stop(job.id);
    else await (this.start ?? run)();
  }

  get words() {
    const room = store.room;
    const engine = engineOf();
    const tab = room === "paint" && store.here.tab !== "wall" ? store.here.tab : null;
    const key = engine === "fog" ? "run.fog" : `run.${tab ?? room}`;
    const again = store.lastOrder?.[room];
    if (room === "dream" && again && again !== JSON.stringify(orderOf(room))) return t("run.dream_again");
    return t(key);
  }

  refresh() {
    if (!this.button) return;
    const job = store.jobOf(store.room);
    const stops = Boolean(job);
    this.button.classList.toggle("stop", stops);
    this.bar.hidden = !stops;
    if (stops) {
      const done = Math.min(1, job.done ?? 0);
      this.fill.style.transform = `scaleX(${done})`;
      this.name.textContent = t(job.state === "stopping" ? "job.stopping" : "run.stop");
      this.key.textContent = "Esc";
      this.time.textContent = job.state === "stopping" ? "" : left(job);
      this.halt.textContent = "";
      this.bar.setAttribute("aria-valuenow", String(Math.round(done * 100)));
    } else {
      this.name.textContent = this.words;
      this.key.textContent = t("run.key");
      this.time.textContent = guess();
      this.halt.textContent = t(TOUCH.matches ? "run.stops_touch" : "run.stops");
    }
    const parts = stops ? [this.fill, this.mark, this.name, this.key, this.note] : [this.name, this.key, this.note];
    if (this.shown !== stops) this.button.replaceChildren(...parts);
    this.shown = stops;
  }
}

customElements.define("bl-job", Job);
