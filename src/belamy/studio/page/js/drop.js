// Drop, paste or pick anywhere: the picture comes in, and its recipe with it.

import { el } from "./dom.js";
import { t } from "./words.js";
import { store } from "./store.js";
import { addFile, staysWords } from "./pictures.js";
import { takeRecipe } from "./actions.js";
import { toast, announce } from "./parts/toast.js";
import { notePath } from "./folders.js";
import { openTraining } from "./dialogs/training.js";

const TRAINS = new Set(["learn", "paint"]); // rooms in which several pictures are there to learn from
let catcher = null;
let depth = 0;

function showCatch(on) {
  if (on && !catcher) {
    catcher = el("div", { class: "catch" }, el("p", {}, t("drop.here"), el("small", {}, staysWords(true))));
    document.body.append(catcher);
  } else if (!on) {
    catcher?.remove();
    catcher = null;
    depth = 0;
  }
}

/** Takes a file: in its room with its recipe, or as the picture of this room. */
export async function takeFile(file, { pasted = false } = {}) {
  const room = store.room;
  showNow(file);
  let picture;
  try {
    picture = await addFile(file);
  } catch (error) {
    store.trouble = { room, text: error.message };
    announce(error.message);
    store.say("trouble");
    return;
  }
  store.trouble = null;
  delete store.chosen[room];
  const { recipe } = picture;
  const known = recipe && store.engines.has(recipe.engine);
  const place = store.here;
  const before = JSON.stringify(place);
  if (room === "learn" || room === "paint" && !known) {
    if (room === "paint") store.change((one) => { one.inputs.picture = picture; one.engine = "gan_project"; }, "inputs");
    else location.hash = "#dream";
    if (room === "learn") store.rooms.dream.inputs.picture = picture;
  } else {
    store.change((one) => { one.inputs.picture = picture; one.preset = one.preset ?? null; }, "inputs");
  }
  if (known && !pasted) await restore(picture, recipe, before, room);
  else if (pasted && !store.page.told?.paste) {
    store.page.told = { ...store.page.told, paste: true };
    store.keepPage();
    toast(t("drop.pasted"), { stays: 10_000 });
  }
}

async function restore(picture, recipe, before, room) {
  const needs = { ...recipe, inputs: recipe.inputs ?? {} };
  const ids = Object.values(needs.inputs).flat().filter((one) => typeof one === "string" && !/^[0-9a-z]{8,32}$/.test(one));
  if (ids.length) needs.inputs = {}; // names of files, which only the maker had
  if (!(await takeRecipe(needs))) return;
  store.here.dropped = picture;
  store.say("restored");
  toast(t("drop.restored"), {
    action: t("drop.only"),
    work: () => {
      store.rooms[room] = JSON.parse(before);
      store.room = room;
      location.hash = `#${room}`;
      store.change((one) => { one.inputs.picture = picture; }, "restored");
    },
  });
}

/** The picture hangs before the server has seen it. */
async function showNow(file) {
  const stage = document.querySelector("bl-stage");
  if (!stage || !file.type.startsWith("image/")) return;
  try {
    const bitmap = await createImageBitmap(file);
    stage.show({ width: bitmap.width, height: bitmap.height, before: bitmap, after: null, title: file.name });
  } catch {
    // the server may read what this browser cannot
  }
}

export function listenForFiles() {
  const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    depth += 1;
    showCatch(true);
  });
  addEventListener("dragleave", () => {
    depth -= 1;
    if (depth <= 0) showCatch(false);
  });
  addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop-done", () => showCatch(false));
  addEventListener("drop", async (event) => {
    event.preventDefault();
    showCatch(false);
    const files = await filesIn(event.dataTransfer);
    if (document.querySelector("dialog[open].trains")) openTraining(files);
    else if (files.length) await takeAll(files);
    else if (event.dataTransfer.getData("text")) {
      store.trouble = { room: store.room, text: t("errors.address") };
      store.say("trouble");
    }
  });
  addEventListener("paste", async (event) => {
    if (event.target.closest?.("input, textarea")) return;
    const file = [...(event.clipboardData?.files ?? [])][0];
    if (file) await takeFile(file, { pasted: true });
  });
}

/** What was dropped: files, or all pictures of folders. */
async function filesIn({ items, files }) {
  const entries = [...items].map((one) => one.webkitGetAsEntry?.()).filter(Boolean);
  const plain = [...files]; // gone once anything has been waited for
  return entries.some((one) => one.isDirectory) ? filesOf(entries) : plain;
}

/** The pictures in dropped folders, in the order of their names. */
async function filesOf(entries) {
  const found = [];
  const list = (reader) => new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
  for (const entry of entries) {
    if (entry.isFile) found.push(notePath(await new Promise((resolve, reject) => { entry.file(resolve, reject); }), entry.fullPath));
    else {
      const reader = entry.createReader();
      for (let some = await list(reader); some.length; some = await list(reader)) found.push(...await filesOf(some));
    }
  }
  return found.filter((file) => /^(image|video)\//.test(file.type)).sort((a, b) => a.name.localeCompare(b.name));
}

async function takeAll(files) {
  if (files.length > 1 && TRAINS.has(store.room)) {
    toast(t("drop.folder", { n: files.length }), { action: t("drop.train"), work: () => openTraining(files), stays: 20_000 });
    return;
  }
  await takeFile(files[0]);
  if (files.length > 1) {
    toast(t("drop.several", { n: files.length }), {
      action: t("drop.all"),
      stays: 10_000,
      work: async () => {
        const { batch } = await import("./batch.js");
        await batch(files);
      },
    });
  }
}
