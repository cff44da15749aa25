// What is done with a result: save it, take its settings again.

import { store } from "./store.js";
import { el } from "./dom.js";
import { engineOf, orderOf, plainEngine } from "./runner.js";
import { SPECS } from "./specs.js";
import { t } from "./words.js";
import { toast } from "./parts/toast.js";
import { api } from "./api.js";

/** Saves the file as it is: its recipe stays in it. */
export function save(result) {
  if (!result) {
    toast(t("tools.save_not_yet"));
    return;
  }
  const link = el("a", { href: result.url, download: result.name || "belamy.png", hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
}

const listed = (value) => (Array.isArray(value) && value.length === 1 ? value[0] : value ?? null);
const plain = (value) => JSON.stringify(listed(value));

/** The options by which two sets differ: [name, a, b]. */
export function differences(a, b) {
  const names = [...new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})])].sort();
  return names.filter((name) => plain(a?.[name]) !== plain(b?.[name])).map((name) => [name, a?.[name], b?.[name]]);
}

/** Whether the room's settings would make another picture than this result. */
export function differs(result) {
  if (result.engine !== engineOf()) return result.room === store.room;
  const now = orderOf();
  const usual = store.engines.get(result.engine)?.options?.properties ?? {};
  const fill = (options) => Object.fromEntries(Object.keys(usual).map((name) => [name, options[name] ?? usual[name].default ?? null]));
  const same = differences(fill(now.options), fill(knownOptions(result))).length === 0;
  return !same || plain(now.inputs.picture) !== plain(result.inputs?.picture);
}

function knownOptions({ engine, options }) {
  const known = store.engines.get(engine)?.options?.properties ?? {};
  return Object.fromEntries(Object.entries(options ?? {}).filter(([name, value]) => name in known && value !== null));
}

/** The settings and inputs of a result, back in their room. */
export async function useSettings(result) {
  if (!result) return;
  await takeRecipe({ engine: result.engine, options: result.options, inputs: result.inputs }, result);
  toast(t("said.restored"), { action: t("tools.undo"), work: () => store.undo() });
}

/** Puts a recipe into its room: {engine, options, inputs}. */
export async function takeRecipe(recipe) {
  const engine = store.engines.get(recipe.engine);
  if (!engine) return false;
  const room = engine.room;
  if (room !== store.room) location.hash = `#${room}`;
  const options = usefulOptions(recipe);
  const inputs = await fillInputs(recipe.inputs ?? {});
  const target = store.rooms[room];
  store.room = room;
  store.change(() => {
    target.engine = plainEngine(recipe.engine);
    target.options = options;
    target.inputs = { ...target.inputs, ...inputs };
    if (!recipe.inputs?.picture && engine.inputs?.some((one) => one.role === "picture" && !one.required)) delete target.inputs.picture;
    target.preset = null;
    target.locked = true;
  }, "restored");
  return true;
}

/* A recipe has every open option filled in; these are what the engine fills in by itself. */
const IMPLIED = { dream: { canvas: "pixels", from_: "image", pictures: 1, size: "full", smooth: "both" } };

/** Options that differ from the usual ones. */
function usefulOptions(recipe) {
  const usual = store.engines.get(recipe.engine)?.options?.properties ?? {};
  const known = knownOptions(recipe);
  const { rows = [], fine = {} } = SPECS[recipe.engine] ?? {};
  const implied = (recipe.inputs?.picture && IMPLIED[recipe.engine]) || {};
  const isUsual = (name, value) => {
    const row = rows.find((one) => one.name === name) ?? fine[name];
    const fixed = [usual[name]?.default, implied[name], typeof row?.usual === "function" ? undefined : row?.usual];
    return fixed.some((one) => one !== undefined && plain(value) === plain(one));
  };
  return Object.fromEntries(Object.entries(known).filter(([name, value]) => !isUsual(name, value)));
}

async function fillInputs(inputs) {
  const found = {};
  for (const [role, given] of Object.entries(inputs)) {
    if (!given) continue;
    const pictures = [given].flat().filter(Boolean).map(pictureOf);
    if (!pictures.length) continue;
    if (role === "paintings") found[role] = pictures.map((one) => ({ ...one, weight: 1 }));
    else found[role] = role === "mask" && pictures.length > 1 ? pictures : pictures[0];
  }
  for (const picture of Object.values(found).flat()) await measure(picture);
  return found;
}

/** What the page knows of a picture by its id. */
function pictureOf(given) {
  const id = given?.id ?? given;
  const seen = Object.values(store.rooms).flatMap((room) => Object.values(room.inputs).flat());
  const known = seen.find((one) => one?.id === id) ?? store.samples.find((one) => one.id === id) ?? store.seen?.[id];
  return known ? { ...known } : {
    id, name: given?.name ?? t("slot.earlier"), url: `/api/pictures/${id}`, thumb: `/api/pictures/${id}/thumb`, width: 0, height: 0,
  };
}

/** Name and size of a picture that this window has not seen. */
async function measure(picture) {
  if (!picture || picture.width) return;
  try {
    const { name, width, height, film } = await api.pictureInfo(picture.id);
    Object.assign(picture, { name, width, height, film });
  } catch {
    // it is gone; its address will say so
  }
}

/** The exact picture of a strength or a mask that was changed live. */
export async function finish(result, options, mask) {
  const inputs = { result: result.id, ...(mask ? { mask } : {}) };
  return api.run("finish", inputs, options, result.title);
}
