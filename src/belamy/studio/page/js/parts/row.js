// <bl-row>: one setting. A label, its control, the way back to the usual value, a line of help.

import { el, icon } from "../dom.js";
import { t, has, number, readNumber } from "../words.js";
import { optionOf, wordsOf, wordsOfChoice } from "../options.js";
import { usualOf } from "../specs.js";
import { store } from "../store.js";

let serial = 0;
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

export class Row extends HTMLElement {
  /** @param spec of specs.js; @param engine whose option it is; @param say(label, help) on focus. */
  setUp(spec, engine, say) {
    this.spec = spec;
    this.engine = engine;
    this.option = optionOf(engine, spec.name);
    this.words = wordsOf(engine, spec.name);
    this.key = `row-${++serial}`;
    this.dataset.option = spec.name;
    const help = () => say(this.words.label, this.words.help);
    this.addEventListener("focusin", help);
    this.addEventListener("pointerenter", help);
    this.addEventListener("keydown", (event) => {
      if (event.key === "Backspace" && event.target.type !== "text" && event.target.type !== "number") {
        this.reset();
      }
    });
    this.build();
    this.refresh();
    return this;
  }

  get usual() {
    return usualOf(this.spec, store.here) ?? this.option?.usual ?? null;
  }

  get value() {
    const own = store.here.options[this.spec.name];
    return own === undefined ? this.usual : own;
  }

  set value(next) {
    const isUsual = same(next, this.usual) || next === null && this.usual === null;
    store.setOption(this.spec.name, isUsual && !this.spec.always ? undefined : next);
  }

  reset() {
    store.setOption(this.spec.name, undefined);
    this.refresh();
  }

  build() {
    const kind = this.spec.kind;
    if (kind === "slider") this.buildSlider();
    else if (kind === "choice" || kind === "switch") this.buildChoice();
    else if (kind === "seed") this.buildSeed();
    else if (kind === "select" || kind === "model") this.buildSelect();
    else this.buildField();
  }

  usualButton() {
    const words = t("row.usual", { label: this.words.label });
    return el("button", {
      class: "usual", type: "button", "aria-label": words, title: words, onclick: () => this.reset(),
    }, icon("usual"));
  }

  buildSlider() {
    const { min, max, step, live } = this.spec;
    this.range = el("input", {
      type: "range", id: this.key, min: String(min), max: String(max), step: String(step),
      oninput: () => this.take(Number(this.range.value)),
      ondblclick: () => this.reset(),
      onkeydown: (event) => this.onRangeKey(event),
      onpointerdown: (event) => this.onRangeDown(event),
    });
    this.field = el("input", {
      class: "value", type: "text", inputmode: "decimal", autocomplete: "off",
      "aria-label": t("row.typed", { label: this.words.label }),
      onchange: () => this.takeTyped(), onfocus: () => this.field.select(),
    });
    this.tick = el("i", { class: "tick", "aria-hidden": "true" });
    this.append(
      el("div", { class: "head" },
        el("label", { for: this.key }, this.words.label),
        live ? el("span", { class: "live" }, t("row.live")) : null,
        this.usualButton(), this.field),
      el("div", { class: "trk" }, this.range, this.tick),
    );
  }

  onRangeKey(event) {
    const { step, min, max } = this.spec;
    const jump = { PageUp: 10, PageDown: -10 }[event.key];
    if (!jump) return;
    event.preventDefault();
    this.take(Math.min(max, Math.max(min, this.value + jump * step)));
  }

  /** Shift makes a drag ten times finer. */
  onRangeDown(event) {
    if (!event.shiftKey) return;
    event.preventDefault();
    const { min, max, step } = this.spec;
    const from = this.value;
    const start = event.clientX;
    const width = this.range.clientWidth || 1;
    this.range.setPointerCapture(event.pointerId);
    const move = (one) => {
      const next = from + ((one.clientX - start) / width) * (max - min) / 10;
      this.take(Math.min(max, Math.max(min, Math.round(next / step) * step)));
    };
    this.range.addEventListener("pointermove", move);
    this.range.addEventListener("pointerup", () => this.range.removeEventListener("pointermove", move), { once: true });
  }

  take(value) {
    this.value = this.spec.whole ? Math.round(value) : Number(value.toFixed(6));
    this.refresh();
  }

  takeTyped() {
    const value = readNumber(this.field.value);
    const low = this.option?.minimum ?? this.spec.min;
    const high = this.option?.maximum ?? this.spec.max;
    if (Number.isNaN(value)) this.reset();
    else this.take(Math.min(high, Math.max(low, value)));
  }

  buildChoice() {
    const values = this.spec.kind === "switch" ? [false, true] : this.spec.values;
    this.radios = values.map((value) => el("input", {
      type: "radio", name: this.key, onchange: () => { this.value = value; this.refresh(); },
    }));
    this.values = values;
    const name = this.spec.kind === "switch" ? "all" : this.spec.name;
    const group = el("div", {
      class: this.spec.wide ? "choice wide" : "choice", role: "radiogroup", "aria-labelledby": this.key,
    }, values.map((value, at) => el("label", {}, this.radios[at], el("span", {}, this.wordsOf(name, value)))));
    const label = el("span", { class: "as-label", id: this.key }, this.words.label);
    if (this.spec.wide) this.append(el("div", { class: "head" }, label), group);
    else this.append(el("div", { class: "two" }, label, group));
  }

  /** What a choice is called, which may depend on what else is set. */
  wordsOf(name, value) {
    const own = this.spec.words?.(store.here, value);
    return own && has(own) ? t(own) : wordsOfChoice(name, String(value), this.engine);
  }

  buildSeed() {
    this.field = el("input", {
      class: "number", type: "text", inputmode: "numeric", id: this.key, autocomplete: "off",
      onchange: () => {
        const value = Math.abs(Math.round(readNumber(this.field.value)));
        this.value = Number.isFinite(value) ? value : 0;
        this.refresh();
      },
    });
    this.lock = el("button", {
      type: "button",
      onclick: () => store.change((room) => { room.locked = !room.locked; }),
    });
    const another = el("button", {
      type: "button", "aria-label": t("seed.another"), title: t("seed.another"),
      onclick: () => {
        store.change((room) => {
          room.options.seed = Math.floor(Math.random() * 100_000);
          room.locked = true;
          room.preset = null;
        }, "option:seed");
        this.refresh();
      },
    }, icon("dice"));
    this.append(el("div", { class: "two" },
      el("label", { for: this.key }, this.words.label),
      el("div", { class: "seed" }, this.field, this.lock, another)));
  }

  buildSelect() {
    const models = this.spec.kind === "model"
      ? (store.models ?? []).filter((one) => !this.spec.of || one.kind === this.spec.of).map((one) => one.name)
      : null;
    const usual = this.usual;
    const choices = models ?? this.option?.choices ?? [];
    const all = choices.includes(usual) || usual === null ? [...choices] : [usual, ...choices];
    this.select = el("select", {
      id: this.key,
      onchange: () => {
        const at = this.select.value;
        this.value = at === "" ? null : all[Number(at)];
        this.refresh();
      },
    });
    if (this.option?.optional || usual === null) {
      this.select.append(el("option", { value: "" }, t("row.auto")));
    }
    all.forEach((choice, at) => this.select.append(
      el("option", { value: String(at) }, wordsOfChoice(this.spec.name, choice, this.engine))));
    this.all = all;
    this.append(el("div", { class: "two" }, el("label", { for: this.key }, this.words.label), this.select));
  }

  buildField() {
    const numeric = ["integer", "number"].includes(this.option?.type);
    const inPixels = this.spec.kind === "pixels";
    this.field = el("input", {
      class: numeric || inPixels ? "number" : "words", type: "text", id: this.key, autocomplete: "off",
      spellcheck: "false", inputmode: numeric ? "decimal" : "text",
      onchange: () => this.takeField(),
    });
    this.append(el("div", { class: "two with-usual" },
      el("label", { for: this.key }, this.words.label), this.usualButton(), this.field,
      inPixels ? el("span", { class: "unit" }, "px") : null));
  }

  takeField() {
    const text = this.field.value.trim();
    const { type, minimum, maximum, numbers } = this.option ?? {};
    const numeric = this.spec.kind === "pixels" || type === "integer" || type === "number";
    if (text === "") this.reset();
    else if (numeric) {
      const value = readNumber(text);
      if (Number.isNaN(value)) { this.refresh(); return; }
      const held = Math.min(maximum ?? value, Math.max(minimum ?? value, value));
      this.value = type === "number" ? held : Math.round(held);
    } else if (type === "list" || this.spec.kind === "neurons") {
      const parts = text.split(/[,;]\s*|\s+/).filter(Boolean);
      const list = numbers || this.spec.kind === "neurons";
      this.value = list ? parts.map(readNumber).filter((one) => one > 0) : parts;
    } else this.value = text;
    this.refresh();
  }

  /** Shows what the store has. */
  refresh() {
    const { spec, value, usual } = this;
    const changed = store.here.options[spec.name] !== undefined && !same(value, usual);
    this.classList.toggle("changed", changed);
    if (this.range) this.showRange(value, usual);
    if (this.field && !this.range) {
      const shown = Array.isArray(value) ? value.join(", ") : value ?? "";
      this.field.value = typeof shown === "number" ? number(shown) : shown;
      this.field.placeholder = t("row.auto");
    }
    if (this.radios) this.radios.forEach((radio, at) => { radio.checked = same(this.values[at], value); });
    if (spec.words) this.radios.forEach((radio, at) => { radio.nextSibling.textContent = this.wordsOf(spec.name, this.values[at]); });
    if (this.select) this.select.value = value === null ? "" : String(this.all.indexOf(value));
    if (this.lock) {
      const locked = store.here.locked;
      this.lock.setAttribute("aria-pressed", String(locked));
      this.lock.setAttribute("aria-label", t("seed.keep"));
      this.lock.title = t(locked ? "seed.kept" : "seed.free");
      this.lock.replaceChildren(icon(locked ? "lock" : "unlock"));
    }
  }

  showRange(value, usual) {
    const { min, max, digits } = this.spec;
    const share = (one) => Math.min(1, Math.max(0, (one - min) / (max - min)));
    this.range.value = String(value);
    this.range.style.setProperty("--p", `${share(value) * 100}%`);
    this.range.setAttribute("aria-valuetext", number(value, digits));
    if (document.activeElement !== this.field) this.field.value = number(value, digits);
    this.tick.style.left = `calc(8px + ${share(usual)} * (100% - 16px))`;
  }
}

customElements.define("bl-row", Row);
