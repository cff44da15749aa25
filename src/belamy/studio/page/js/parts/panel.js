// <bl-panel>: slots, ways, first rows, the folded rest, a line of help, Run.

import { el, icon, thumb } from "../dom.js";
import { t, has } from "../words.js";
import { store } from "../store.js";
import { SPECS } from "../specs.js";
import { optionNames, optionOf } from "../options.js";
import { engineOf } from "../runner.js";
import { openGrid } from "../dialogs/grid.js";
import { openJourney } from "../dialogs/journey.js";
import { Row } from "./row.js";
import "./slot.js";
import "./ways.js";
import "./job.js";

const maskKey = () => [store.here.inputs.mask ?? []].flat().map((one) => one.id).join();

export class Panel extends HTMLElement {
  /** @param room {slots: [[role, options]…], ways, extra() → nodes, start, grid}. */
  setUp(room) {
    this.room = room;
    this.setAttribute("role", "complementary");
    this.setAttribute("aria-label", t("panel.name"));
    this.help = el("p", { class: "say" });
    this.job = document.createElement("bl-job").setUp(room.start);
    this.last = el("button", { class: "last-made", type: "button", onclick: () => this.openSheet() });
    this.settings = el("div", { class: "settings", tabindex: "-1" });
    this.append(this.settings, el("div", { class: "foot" }, this.help, this.last, this.job));
    this.build();
    return this;
  }

  say(label, help) {
    if (this.help.classList.contains("bad")) return;
    this.help.replaceChildren(el("b", {}, label), ` ${help}`);
  }

  build() {
    const engine = engineOf();
    this.engine = engine;
    this.slots = (this.room.slots?.() ?? []).map(([role, options]) => document.createElement("bl-slot").setUp(role, options));
    this.ways = this.room.ways === false ? null : document.createElement("bl-ways").setUp();
    const spec = SPECS[engine] ?? { rows: [], fine: {}, hidden: [] };
    const known = optionNames(engine);
    const wanted = spec.rows.filter((row) => known.includes(row.name) || row.kind === "way");
    this.rows = wanted.map((row) => ({ row, node: this.makeRow(row) }));
    this.rows.forEach(({ node }, at) => node.classList.toggle("row-extra", at > 2));
    const first = new Set([...spec.rows.map((row) => row.name), ...spec.hidden]);
    const rest = known.filter((name) => !first.has(name));
    this.fineRows = this.room.bare?.() ? [] : rest.map((name) => this.fineRow(name, spec)).filter(Boolean);
    this.fine = el("div", { class: "fine", id: "fine", hidden: true }, this.fineRows.map((one) => one.node));
    this.moreCount = el("em");
    this.more = el("button", {
      class: "more", type: "button", "aria-expanded": "false", "aria-controls": "fine",
      onclick: () => this.fold(this.fine.hidden),
    }, icon("more"), t("panel.fine"), this.moreCount);
    this.mask = maskKey();
    this.extra = [...(this.room.extra?.() ?? []), this.mask ? this.maskRow(store.here.inputs.mask) : null];
    this.settings.replaceChildren(
      el("div", {}, has(`about.${store.room}`) ? el("p", { class: "about-room" }, t(`about.${store.room}`)) : null, this.slots, this.ways),
      el("div", {}, this.extra, this.rows.map((one) => one.node), this.fineRows.length ? this.more : null, this.fine, this.others(engine)));
    if (store.page.fine) this.fold(true);
    this.refresh();
  }

  /** What else can be made of these settings: several stand in one line, in fewer words. */
  others(engine) {
    const { grid, film, sees } = this.room;
    const known = [
      grid === false ? null : ["grid", "panel.grid", "panel.grid_short", () => openGrid()],
      film && !engine.endsWith("_film") ? ["play", "journey.open", "journey.short", () => openJourney()] : null,
      sees ? ["eye", "seeing.open", "seeing.short", sees] : null,
    ].filter(Boolean);
    const several = known.length > 1;
    return el("div", { class: several ? "others several" : "others" }, known.map(([sign, whole, short, press]) => el("button", {
      class: "more", type: "button", onclick: press, "aria-label": several ? t(whole) : null, title: several ? t(whole) : null,
    }, icon(sign), t(several ? short : whole))));
  }

  /** The mask that goes in, and the way to be rid of it. */
  maskRow(masks) {
    const picture = [masks].flat().map((mask) => {
      const small = thumb(mask.thumb, 40, 30);
      small.className = "row-thumb";
      return small;
    });
    return el("div", { class: "setting row-extra" }, el("span", {}, t("panel.mask")), picture,
      el("button", {
        class: "quiet", type: "button",
        onclick: () => store.change((room) => { delete room.inputs.mask; }, "inputs"),
      }, t("panel.no_mask")));
  }

  makeRow(row) {
    return new Row().setUp(row, this.engine, (label, help) => this.say(label, help));
  }

  /** A row for an option that nobody has thought of here: as its schema says. */
  fineRow(name, spec) {
    const option = optionOf(this.engine, name);
    if (!option) return null;
    const own = spec.fine?.[name];
    let row = own ? { name, ...own } : { name, kind: "text", usual: option.usual };
    if (!own) {
      if (option.type === "boolean") row = { name, kind: "switch", usual: option.usual ?? false };
      else if (option.type === "choice") row = { name, kind: "select", usual: option.usual };
      else if (name === "model" || name === "network") row = { name, kind: "model", usual: option.usual };
      else if (option.type === "number" && option.minimum === 0 && option.maximum === 1 && option.usual !== null) {
        row = { name, kind: "slider", min: 0, max: 1, step: 0.05, digits: 2, usual: option.usual };
      }
    }
    return { row, node: this.makeRow(row) };
  }

  fold(open) {
    this.fine.hidden = !open;
    this.more.setAttribute("aria-expanded", String(open));
    store.page.fine = open;
    store.keepPage();
  }

  refresh() {
    if (engineOf() !== this.engine || this.mask !== maskKey()) {
      this.build();
      return;
    }
    const room = store.here;
    for (const { row, node } of [...this.rows, ...this.fineRows]) {
      node.hidden = Boolean(row.when && !row.when(room));
      if (!node.contains(document.activeElement) || document.activeElement.type === "range") node.refresh();
    }
    const shown = this.fineRows.filter(({ node }) => !node.hidden);
    const changed = shown.filter(({ node }) => node.classList.contains("changed")).length;
    this.moreCount.textContent = changed
      ? t("panel.changed", { n: changed, all: shown.length }) : t("panel.count", { n: shown.length });
    this.slots.forEach((slot) => slot.refresh());
    this.ways?.refresh();
    this.job.refresh();
    this.showTrouble();
    this.showLast();
  }

  showTrouble() {
    const trouble = store.trouble?.room === store.room ? store.trouble : null;
    const was = this.help.classList.contains("bad");
    this.help.classList.toggle("bad", Boolean(trouble));
    if (trouble) this.help.textContent = trouble.text;
    else if (was || !this.help.textContent) {
      const row = this.rows.find(({ node }) => !node.hidden && !node.classList.contains("hidden-by-address"))?.node;
      const about = this.room.about?.() ?? (has(`about.${store.room}`) ? t(`about.${store.room}`) : "");
      if (about || !row) this.help.textContent = about;
      else this.say(row.words.label, row.words.help);
    }
    if (trouble) this.help.setAttribute("role", "alert");
    else this.help.removeAttribute("role");
  }

  /** On a phone the newest result stands beside Run. */
  showLast() {
    const newest = store.results[0];
    this.last.hidden = !newest;
    if (!newest || this.last.dataset.id === `${newest.id}${store.results.length}`) return;
    this.last.dataset.id = `${newest.id}${store.results.length}`;
    this.last.setAttribute("aria-label", t("strip.all", { n: store.results.length }));
    this.last.replaceChildren(thumb(newest.thumb, 64, 52), el("i", {}, String(store.results.length)));
  }

  openSheet() {
    const strip = document.querySelector("bl-strip");
    strip?.classList.toggle("sheet");
    if (strip?.classList.contains("sheet")) strip.list.focus();
  }
}

customElements.define("bl-panel", Panel);
