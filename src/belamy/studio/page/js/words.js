// What the page says, in the reader's language.

let words = {};
let language = "en";
const cache = new Map();

/** Loads a language's words; the page is drawn anew afterwards. */
export async function setLanguage(name) {
  if (!cache.has(name)) {
    const files = ["", ".options", ".rooms"].map((part) => `/words/${name}${part}.json`);
    const parts = await Promise.all(files.map(async (file) => (await fetch(file)).json()));
    cache.set(name, Object.assign({}, ...parts));
  }
  words = cache.get(name);
  language = name;
  document.documentElement.lang = name;
}

export const currentLanguage = () => language;

function find(key) {
  let at = words;
  for (const part of key.split(".")) at = at?.[part];
  return at;
}

/** Whether there are words for a key. */
export const has = (key) => find(key) !== undefined;

/** The words of a key, with {names} filled in; the key itself where there are none. */
export function t(key, values = {}) {
  const text = find(key);
  if (typeof text !== "string") return key;
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** A number as the language writes it. */
export function number(value, digits) {
  if (typeof value !== "number" || !Number.isFinite(value)) return String(value ?? "");
  const options = digits === undefined
    ? { maximumFractionDigits: 4, useGrouping: false }
    : { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: false };
  return new Intl.NumberFormat(language, options).format(value);
}

/** A number that somebody typed, with a comma or a point; NaN where it is none. */
export function readNumber(text) {
  const clean = String(text).trim().replace(",", ".");
  return clean === "" ? Number.NaN : Number(clean);
}

/** Seconds, rounded as far as anybody can know them. */
export function duration(seconds) {
  if (seconds < 20) return t("time.seconds", { n: Math.max(1, Math.round(seconds)) });
  if (seconds < 60) return t("time.seconds", { n: Math.round(seconds / 5) * 5 });
  if (seconds < 5400) return t("time.minutes", { n: Math.max(1, Math.round(seconds / 60)) });
  return t("time.hours", { n: number(Math.round(seconds / 360) / 10) });
}

/** A text that the server gives in both languages, or plain. */
export function either(text) {
  if (text && typeof text === "object") return text[language] ?? text.en ?? "";
  return text ?? "";
}
