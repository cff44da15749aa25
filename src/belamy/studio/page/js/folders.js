// A folder of one's own: dropped or chosen, its pictures sent, and made into one that trainings read.

import { api } from "./api.js";
import { t } from "./words.js";

const AT_ONCE = 4; // sent at the same time
const TESTED = 5; // of so many pictures of a class one is kept to ask the classifier about
const PICTURE = /^image\//;
const SPLIT = /^(train|test|val)(\/|$)/;

const paths = new WeakMap(); // file of a dropped folder → where it lies

/** Remembers where a dropped file lies, as browsers say only of chosen ones. */
export function notePath(file, path) {
  paths.set(file, path);
  return file;
}

const partsOf = (file) => (paths.get(file) || file.webkitRelativePath || file.name).split("/").filter(Boolean);

/** What the folder is called, and where in it each picture lies. */
export function layOut(files) {
  const pictures = files.filter((file) => PICTURE.test(file.type));
  const first = pictures.length ? partsOf(pictures[0]) : [];
  const found = pictures.map((file) => ({ file, place: partsOf(file).slice(1, -1).join("/") }));
  const classes = found.some(({ place }) => place) && !found.some(({ place }) => SPLIT.test(place));
  if (classes) {
    const seen = new Map();
    for (const one of found) {
      const count = (seen.get(one.place) ?? 0) + 1;
      seen.set(one.place, count);
      one.place = `${count % TESTED ? "train" : "test"}/${one.place || "others"}`;
    }
  }
  return { name: first.length > 1 ? first[0] : "folder", pictures: found };
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
