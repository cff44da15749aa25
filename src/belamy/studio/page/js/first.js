// What hangs on the first day: pictures of the package, already made.

import { store } from "./store.js";
import { asPicture } from "./pictures.js";
import { PRESETS, applyPreset } from "./presets.js";

const sample = (name) => store.samples.find((one) => one.name === name || one.name?.startsWith(name));
const scene = (room, of, preset) => ({
  after: `/images/first/${room}-after.webp`,
  of,
  preset,
  isOf: (picture) => Boolean(picture) && sample(of)?.id === picture.id,
});

export const FIRST = {
  dream: scene("dream", "clouds", "shore"),
  style: scene("style", "landscape", "once"),
  translate: scene("translate", "landscape", "old"),
  defog: scene("defog", "fog", "clear"),
};

/** Gives the rooms that nobody has touched yet a picture to begin with. */
export function furnish() {
  for (const [name, first] of Object.entries(FIRST)) {
    const room = store.rooms[name];
    const found = sample(first.of);
    if (room.begun || !found) continue;
    room.begun = true;
    const [preset, options, more = {}] = PRESETS[name].find(([one]) => one === first.preset);
    applyPreset(room, { name: preset, options, ...more });
    room.inputs.picture = asPicture(found);
    if (name === "style") {
      const painting = store.samples.find((one) => one.kind === "style");
      if (painting) room.inputs.paintings = [{ ...asPicture(painting), weight: 1 }];
    }
  }
  const { paint } = store.rooms;
  const portrait = store.samples.find((one) => one.kind === "portrait"); // to find a face for
  if (!paint.begun && portrait) paint.inputs.picture ??= asPicture(portrait);
  paint.begun = true;
}
