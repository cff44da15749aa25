// Dream: the layers from grain to herds beside the picture.

import { el } from "../dom.js";
import { t } from "../words.js";
import { PictureRoom } from "./picture.js";
import { finisher } from "./finishing.js";
import "../parts/layers.js";

export const dream = () => new PictureRoom({
  name: "dream",
  slots: () => [["picture", { noise: true }]],
  noise: true,
  mask: true,
  live: true,
  sees: true,
  film: true,
  rail(rail, room) {
    room.layers = document.createElement("bl-layers").setUp(room.stage);
    rail.append(el("h2", {}, t("dream.rail")), room.layers);
  },
  begin(room) {
    room.finisher = finisher(room);
  },
  refresh(room, what) {
    room.layers?.refresh();
    room.finisher?.(what);
  },
});
