// The channels of a layer: a page of 24 pictures; pick one to dream of it.

import { el, thumb } from "../dom.js";
import { t } from "../words.js";
import { api } from "../api.js";
import { store } from "../store.js";
import { openDialog } from "./dialog.js";
import { layerTitle } from "../parts/layers.js";

const PAGE = 24;

export function openChannels(model, row, rows) {
  const title = layerTitle(row.layer, rows);
  const dialog = openDialog(t("channels.title", { title }), { large: true });
  const grid = el("div", { class: "channels", role: "group", "aria-label": t("channels.title", { title }) });
  const where = el("span");
  const pages = Math.max(1, Math.ceil(row.channels / PAGE));
  let page = 0;
  let timer = 0;

  const take = (channel) => {
    store.change((room) => {
      room.options.layer = [`${row.layer}:${channel}`];
      delete room.options.class_;
      room.preset = null;
    }, "option:layer");
    dialog.close();
  };

  async function load() {
    where.textContent = t("channels.page", { n: page + 1, all: pages });
    try {
      const found = await api.channels(model, row.layer, page);
      if (!dialog.isConnected) return;
      const list = Array.isArray(found) ? found : found.channels ?? [];
      grid.replaceChildren(...list.map((one) => el("button", {
        type: "button", onclick: () => take(one.channel),
      }, el("span", { class: "frame" }, one.thumb ? thumb(one.thumb, 92, 92, "", true) : null),
      t("channels.one", { n: one.channel }))));
      if (list.some((one) => one.thumb === null)) {
        timer = setTimeout(load, 2000);
      }
    } catch (error) {
      grid.replaceChildren(el("p", { class: "refused" }, error.message));
    }
  }

  const turn = (by) => {
    clearTimeout(timer);
    page = (page + by + pages) % pages;
    load();
  };
  dialog.addEventListener("close", () => clearTimeout(timer));
  dialog.body.append(
    el("p", {}, t("channels.about")), grid,
    el("div", { class: "pager" },
      el("button", { class: "quiet", type: "button", onclick: () => turn(-1) }, t("channels.before")), where,
      el("button", { class: "quiet", type: "button", onclick: () => turn(1) }, t("channels.next"))),
  );
  load();
}
