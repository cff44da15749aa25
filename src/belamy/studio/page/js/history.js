// What was made on earlier days: brought when somebody looks for it.

import { api } from "./api.js";
import { store } from "./store.js";
import { currentLanguage, t } from "./words.js";

export const PAGE = 60; // results in one answer

/** Whether the server may have more than what is shown. */
export const hasEarlier = () => store.earlier !== false && store.results.length >= PAGE;

let asking = null;

/** The results before the oldest that is known. */
export function loadEarlier() {
  asking ??= bring().finally(() => { asking = null; });
  return asking;
}

async function bring() {
  const oldest = store.results.reduce((least, one) => Math.min(least, one.created ?? least), Infinity);
  const found = await api.results(PAGE, Number.isFinite(oldest) ? oldest : "");
  const known = new Set(store.results.map((one) => one.id));
  store.results.push(...found.filter((one) => !known.has(one.id)).map((one) => store.settle(one)));
  store.earlier = found.length >= PAGE;
  store.say("results");
}

const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();

/** The day of a moment in words: today, yesterday, 24 November. */
export function dayOf(seconds) {
  const date = new Date(seconds * 1000);
  const days = Math.round((midnight(new Date()) - midnight(date)) / 86_400_000);
  if (days <= 0) return t("strip.today");
  if (days === 1) return t("strip.yesterday");
  const year = date.getFullYear() === new Date().getFullYear() ? {} : { year: "numeric" };
  return new Intl.DateTimeFormat(currentLanguage() === "it" ? "it" : "en-GB", { day: "numeric", month: "long", ...year }).format(date);
}
