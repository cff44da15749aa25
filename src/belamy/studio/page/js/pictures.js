// Pictures that come in: dropped, pasted, picked, or samples of the package.

import { api } from "./api.js";
import { el, thumb } from "./dom.js";
import { t, either } from "./words.js";
import { store } from "./store.js";
import { openDialog } from "./dialogs/dialog.js";

const KNOWN = /^(image|video)\/|\.(jpe?g|png|webp|gif|tiff?|bmp|avif|jxl|mp4|m4v|mov|mkv|webm|avi|mpe?g)$/i;
const bitmaps = new Map(); // url → promise of an ImageBitmap, the newest last
const KEPT = 24;
const FILMED = new Set(["dream", "style", "translate", "defog"]); // rooms that films go through

/** The picture behind an address, decoded once. */
export function bitmapOf(url) {
  if (!bitmaps.has(url)) {
    const found = url.startsWith("data:") ? decodeInline(url) : fetch(url).then(async (answer) => {
      if (!answer.ok) throw new Error(t("errors.gone"));
      return createImageBitmap(await answer.blob());
    });
    found.catch(() => bitmaps.delete(url));
    bitmaps.set(url, found);
    while (bitmaps.size > KEPT) bitmaps.delete(bitmaps.keys().next().value);
  }
  return bitmaps.get(url);
}

/** The page's policy lets pictures be shown inline, and nothing be fetched from there. */
async function decodeInline(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return createImageBitmap(image);
}

/** A bitmap that is there before the server has seen it. */
function remember(url, blob) {
  bitmaps.set(url, createImageBitmap(blob));
}

/** Sends a file; the answer is the picture as the server has it, with its recipe. */
export async function addFile(file) {
  if (!KNOWN.test(file.type) && !KNOWN.test(file.name ?? "")) throw new Error(t("errors.format"));
  const name = file.name || t("slot.pasted");
  try {
    const picture = await api.addPicture(file, name);
    if (file.type.startsWith("image/")) {
      remember(picture.url, file);
      bitmaps.get(picture.url).catch(() => bitmaps.delete(picture.url));
    }
    return picture;
  } catch (error) {
    if (error.status === 413) throw new Error(t("errors.large"));
    if (error.status === 415) throw new Error(t("errors.format"));
    throw error;
  }
}

/** Where a picture goes that is dropped in, in words; on another machine's studio it goes there. */
export function staysWords(long = false) {
  const here = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
  return t(`about.stays${here ? "" : "_there"}${long ? "_long" : ""}`);
}

/** Asks which picture: a file, a sample, or none. */
export function pickSample(kind, noise) {
  return new Promise((resolve) => {
    const file = el("input", { type: "file", accept: "image/*,video/*", hidden: true, "aria-label": t("slot.file") });
    const films = FILMED.has(store.room) && kind !== "style";
    const offered = store.samples.filter((one) => films || !one.film);
    const fits = offered.filter((one) => !kind || one.kind === kind);
    const others = offered.filter((one) => kind && one.kind !== kind && one.kind !== "style");
    const dialog = openDialog(t("slot.title"), { large: false, onclose: () => resolve(null) });
    const done = (choice) => {
      resolve(choice);
      dialog.close();
    };
    file.addEventListener("change", () => file.files[0] && done({ file: file.files[0] }));
    const choices = [...fits, ...(kind === "style" ? [] : others)].slice(0, 24);
    dialog.body.append(
      el("div", { class: "actions" }, el("span", { class: "note" }, staysWords(true)),
        noise ? el("button", { class: "quiet", type: "button", onclick: () => done({ none: true }) }, t("slot.take_noise")) : null,
        el("button", { class: "strong", type: "button", onclick: () => file.click() }, t("slot.file")), file),
      el("h3", { class: "dialog-head" }, t("slot.samples")),
      el("div", { class: "samples" }, choices.map((one) => sampleButton(one, () => done({ picture: asPicture(one) })))),
    );
  });
}

/** A sample to be pressed; a film says that it is one. */
export const sampleButton = (sample, onclick) => el("button", { class: "sample", type: "button", onclick },
  el("span", { class: "hung" }, thumb(sample.thumb, 132, 88), sample.film ? el("span", { class: "reel" }, t("strip.film")) : null),
  sampleName(sample));

/** A sample as an input. */
export function asPicture(sample) {
  const { id, url, thumb: small, width, height, film } = sample;
  return { id, name: sampleName(sample), url, thumb: small, width, height, ...(film ? { film } : {}) };
}

export function sampleName(sample) {
  const known = t(`samples.${sample.name}`);
  return known.startsWith("samples.") ? either(sample.title ?? sample.name) : known;
}

/** What a picture is called: samples in the reader's language. */
export function pictureName(picture) {
  const sample = store.samples.find((one) => one.id === picture?.id);
  return sample ? sampleName(sample) : picture?.name ?? "";
}

/** What a picture is called in a title: no suffix, no underlines. */
export function plainName(name) {
  const bare = String(name ?? "").replace(/\.\w{2,4}$/, "").replace(/[_-]+/g, " ").trim();
  return bare.charAt(0).toUpperCase() + bare.slice(1);
}
