// Translate: a network that learned two worlds, and the way from one to the other.

import { el, thumb } from "../dom.js";
import { t, has } from "../words.js";
import { store } from "../store.js";
import { PictureRoom } from "./picture.js";
import { finisher } from "./finishing.js";
import { railChoice, trainButton } from "./choices.js";

const INSIDE = { "old-photographs": "translate-old", impressionism: "translate-impressionist" };

const networks = () => {
  const found = (store.models ?? []).filter((one) => one.engine === "translate").map((one) => one.name);
  return [...Object.keys(INSIDE), ...found.filter((name) => !(name in INSIDE))];
};

export const translate = () => new PictureRoom({
  name: "translate",
  slots: () => [["picture", {}]],
  live: true,
  rail(rail, room) {
    rail.append(el("h2", {}, t("translate.rail")), railChoice(t("translate.rail"), networks().map((name) => ({
      value: name,
      picture: name in INSIDE ? thumb(`/images/presets/${INSIDE[name]}.webp`, 116, 82) : el("span", { class: "blank" }),
      title: has(`networks.${name}`) ? t(`networks.${name}`) : name,
      note: has(`networks.${name}_note`) ? t(`networks.${name}_note`) : "",
    })), () => store.here.options.network ?? "old-photographs", (network) => {
      store.change((one) => { one.options.network = network; }, "option:network");
    }), trainButton());
    room.finisher = finisher(room);
  },
  refresh(room, what) {
    room.rail.querySelector("[role=radiogroup]")?.refresh();
    room.finisher?.(what);
  },
});
