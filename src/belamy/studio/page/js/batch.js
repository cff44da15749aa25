// The same settings for several pictures, one job each.

import { api } from "./api.js";
import { store } from "./store.js";
import { orderOf } from "./runner.js";
import { titleOf } from "./titles.js";
import { addFile } from "./pictures.js";
import { t } from "./words.js";

export async function batch(files) {
  const order = orderOf();
  for (const file of files) {
    try {
      const picture = await addFile(file);
      const inputs = { ...order.inputs, picture: picture.id };
      const title = titleOf(order.engine, order.options, { ...store.here.inputs, picture });
      const job = await api.run(order.engine, inputs, order.options, title);
      store.setJob(job);
    } catch (error) {
      store.trouble = { room: store.room, text: t("errors.one_of", { name: file.name, why: error.message }) };
      store.say("trouble");
    }
  }
}
