// A folder of one's own: dropped or chosen, its pictures sent, and made into one that trainings read.

import { api } from "./api.js";
import { el } from "./dom.js";
import { t } from "./words.js";

const AT_ONCE = 4; // sent at the same time
const PICTURE = /^image\//;

const paths = new WeakMap(); // file of a dropped folder → where it lies

/** Remembers where a dropped file lies, as browsers say only of chosen ones. */
export function notePath(file, path) {
  paths.set(file, path);
  return file;
}

/** What a folder is called where it can be chosen; those that were dropped without where they are kept. */
export const folderName = (one) => t("train.folder_name", { name: one.name.replace(/^folders\//, ""), n: one.pictures });

/** A button that asks for a folder. @param take(files). */
export function folderButton(take) {
  const asked = el("input", {
    type: "file", webkitdirectory: true, multiple: true, hidden: true, "aria-label": t("train.own"),
    onchange: () => { if (asked.files.length) take([...asked.files]); },
  });
  return [el("button", { class: "quiet", type: "button", onclick: () => asked.click() }, t("train.own")), asked];
}

const partsOf = (file) => (paths.get(file) || file.webkitRelativePath || file.name).split("/").filter(Boolean);

/** What the folder is called, and where in it each picture lies. */
export function layOut(files) {
  const pictures = files.filter((file) => PICTURE.test(file.type));
  const tops = new Set(pictures.map((file) => partsOf(file)[0]));
  const [top] = tops;
  const alone = tops.size === 1 && partsOf(pictures[0]).length > 1; // else each may be a class
  const found = pictures.map((file) => ({ file, place: partsOf(file).slice(alone ? 1 : 0, -1).join("/") }));
  return { name: alone ? top : "folder", pictures: found };
}

/** Sends them; what cannot be read is left out. @param tell(done, total). */
export async function sendFolder(files, tell) {
  const { name, pictures } = layOut(files);
  if (!pictures.length) throw new Error(t("errors.format"));
  const sent = [];
  const todo = [...pictures];
  const work = async () => {
    for (let one = todo.shift(); one; one = todo.shift()) {
      try {
        const { id } = await api.addPicture(one.file, one.file.name);
        sent.push({ id, place: one.place });
      } catch (error) {
        if (error.status !== 415) throw error;
      }
      tell(sent.length, pictures.length);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return api.makeFolder(name, sent);
}
