// <bl-strip>: what was made, the newest on the left; what is being made before it.

import { el, thumb } from "../dom.js";
import { t } from "../words.js";
import { store, isActive } from "../store.js";
import { api } from "../api.js";
import { toast } from "./toast.js";
import { isFilm } from "./film.js";
import { openCompare } from "../dialogs/compare.js";
import { openGallery } from "../dialogs/gallery.js";
import { dayOf, hasEarlier, loadEarlier } from "../history.js";

/** A wall of faces stands once, by its first face; everything else by itself. */
function leadsOf(results) {
  const leads = new Map();
  const walls = new Map();
  for (const result of results) {
    if (result.engine !== "gan_paint") leads.set(result, [result]);
    else if (walls.has(result.job)) walls.get(result.job).push(result);
    else {
      const all = [result];
      walls.set(result.job, all);
      leads.set(result, all);
    }
  }
  return leads;
}

export class Strip extends HTMLElement {
  connectedCallback() {
    if (this.list) return;
    this.list = el("div", {
      class: "strip", role: "listbox", tabindex: "0", "aria-label": t("strip.name"), "aria-orientation": "horizontal",
      onkeydown: (event) => this.onKey(event),
    });
    this.list.addEventListener("scroll", () => this.onScroll(), { passive: true });
    this.count = el("span");
    this.all = el("button", { class: "strip-all", type: "button", onclick: () => openGallery((one) => this.open(one)) }, t("strip.gallery"));
    this.append(el("div", { class: "strip-head" }, el("h2", {}, t("strip.name")), this.count, this.all), this.list);
    this.marked = []; // for a comparison
    this.refresh();
  }

  get current() {
    const job = store.jobOf(store.room);
    return store.chosen[store.room] ?? (job ? job.id : null);
  }

  /** Near its end, those of earlier days come by themselves. */
  onScroll() {
    const { scrollLeft, clientWidth, scrollWidth } = this.list;
    if (scrollLeft + 2 * clientWidth > scrollWidth && hasEarlier()) loadEarlier().catch(() => {});
  }

  /** One of the gallery, in its room. */
  open(result) {
    const room = result.room in store.rooms && result.room !== "learn" ? result.room : store.room;
    store.chosen[room] = result.id;
    store.keep();
    if (room !== store.room) location.hash = `#${room}`;
    else store.say("chosen");
  }

  refresh() {
    const jobs = store.activeJobs.filter((job) => !/^(lesson_|train_|classify$)/.test(job.engine));
    this.leads = leadsOf(store.results);
    const shown = [...jobs.map((job) => job.id), ...[...this.leads].map(([result, all]) => `${result.id}${all.length}`)];
    const key = `${shown.join()}|${document.documentElement.lang}`;
    if (key !== this.key) this.build(jobs, key);
    const made = store.results.length;
    this.count.textContent = made ? t(made === 1 ? "strip.one" : "strip.count", { n: hasEarlier() ? `${made}+` : made }) : "";
    this.all.hidden = !made;
    const current = this.current;
    for (const item of this.list.children) {
      if (!item.dataset.id) continue;
      const all = (item.dataset.all ?? item.dataset.id).split(" ");
      item.setAttribute("aria-selected", String(all.includes(current)));
      const job = store.jobs.get(item.dataset.id);
      const along = item.querySelector(".along i");
      if (job && along) along.style.transform = `scaleX(${job.done ?? 0})`;
      const letter = this.marked.indexOf(item.dataset.id);
      const mark = item.querySelector(".mark");
      if (mark) {
        mark.hidden = letter < 0 && all.length < 2;
        mark.textContent = "AB"[letter] ?? String(all.length);
      }
    }
    this.list.setAttribute("aria-activedescendant", current ? `made-${current}` : "");
  }

  build(jobs, key) {
    this.key = key;
    const items = [...jobs.map((job) => this.jobItem(job)), ...[...this.leads].map(([one, all], at, list) => this.item(one, all, list[at - 1]?.[0]))];
    this.list.replaceChildren(...(items.length ? items : [el("p", {
      class: "nothing", role: "option", "aria-disabled": "true", "aria-selected": "false",
    }, t("strip.nothing"))]));
  }

  item(result, all, before) {
    const day = dayOf(result.created);
    const width = Math.max(24, Math.min(220, Math.round((76 * result.width) / result.height)));
    const title = [result.title || result.name, day].join(", ");
    return el("div", {
      class: "made", role: "option", id: `made-${result.id}`, "data-id": result.id, "aria-label": title, title,
      "data-all": all.map((one) => one.id).join(" "),
      onclick: (event) => (event.shiftKey ? this.mark(result.id) : this.pick(result.id)),
    }, before && dayOf(before.created) === day ? null : el("span", { class: "day", "aria-hidden": "true" }, day),
    el("span", { class: "frame" }, thumb(result.thumb, width, 76, "", true)),
    isFilm(result) ? el("span", { class: "reel" }, t("strip.film")) : null,
    el("span", { class: "mark", hidden: true }));
  }

  jobItem(job) {
    const live = store.thumbs.get(job.id);
    const item = el("div", {
      class: live ? "made" : "made waiting", role: "option", id: `made-${job.id}`, "data-id": job.id,
      "aria-label": t("strip.working"), onclick: () => this.pick(job.id),
    }, el("span", { class: "frame" }, live ?? t(job.state === "waiting" ? "strip.waiting" : "strip.working"),
      el("span", { class: "along" }, el("i"))));
    return item;
  }

  /** The first frame of a job takes the place of its word. */
  setLive(job, canvas) {
    const item = this.list.querySelector(`[data-id="${CSS.escape(job)}"]`);
    if (!item || item.contains(canvas)) return;
    item.classList.remove("waiting");
    item.querySelector(".frame").replaceChildren(canvas, el("span", { class: "along" }, el("i")));
  }

  pick(id) {
    if (isActive(store.jobs.get(id))) {
      store.follow[store.room] = id;
      delete store.chosen[store.room];
    } else store.chosen[store.room] = id;
    store.keep();
    this.classList.remove("sheet");
    store.say("chosen");
    this.list.querySelector(`[data-id="${CSS.escape(id)}"]`)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** Two marked ones are compared. */
  mark(id) {
    if (this.marked.includes(id)) this.marked = this.marked.filter((one) => one !== id);
    else this.marked = [...this.marked, id].slice(-2);
    this.refresh();
    if (this.marked.length === 2) {
      openCompare(...this.marked.map((one) => store.result(one)), () => {
        this.marked = [];
        this.refresh();
      });
    } else if (this.marked.length === 1) toast(t("strip.marked"));
  }

  async remove(id) {
    const result = store.result(id);
    if (!result) return;
    const at = store.results.indexOf(result);
    await api.remove(id);
    store.removeResult(id);
    const next = store.results[Math.min(at, store.results.length - 1)];
    if (next) this.pick(next.id);
    toast(t("strip.removed"), {
      action: t("strip.undo"),
      stays: 10_000,
      work: async () => {
        await api.restore(id);
        store.results.splice(at, 0, result);
        store.say("results");
        this.pick(id);
      },
    });
  }

  onKey(event) {
    const ids = [...this.list.children].map((item) => item.dataset.id).filter(Boolean);
    if (!ids.length) return;
    const at = Math.max(0, ids.indexOf(this.current));
    const moves = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: ids.length - 1 };
    const known = this.current && ids.includes(this.current);
    if (event.key in moves) {
      const next = known ? moves[event.key] : 0;
      this.pick(ids[Math.min(ids.length - 1, Math.max(0, next))]);
    } else if (event.key === "Delete") this.remove(ids[at]);
    else if (event.key.toLowerCase() === "c" && !event.ctrlKey && !event.metaKey) this.mark(ids[at]);
    else if (event.key === "Enter" && !event.ctrlKey) this.pick(ids[at]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

customElements.define("bl-strip", Strip);
