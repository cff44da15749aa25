// A strength that is dragged shows at once; once it rests, the worker makes the exact picture.

import { later } from "../dom.js";
import { store } from "../store.js";
import { finish } from "../actions.js";
import { engineOf, run } from "../runner.js";

/** Returns what a room calls on each change. */
export function finisher(room) {
  const exact = later(900, async () => {
    const { result } = room;
    const strength = store.here.options.strength ?? 1;
    if (!result || !room.stage.isConnected || store.jobOf(store.room)) return;
    if (result.engine !== engineOf() || (result.options?.strength ?? 1) === strength) return;
    if (result.engine === "defog") { // no plain blend: what the page showed was near, this is exact
      await run();
      return;
    }
    try {
      const job = await finish(result, { strength });
      if (store.chosen[store.room] !== result.id) return;
      store.follow[store.room] = job.id;
      store.setJob(job);
    } catch {
      // its raw picture is not kept any more; Run makes it again
    }
  });
  return (what) => {
    if (what !== "option:strength") return;
    const { result } = room;
    room.stage.view.alpha = result ? room.alphaOf(result) : room.liveAlpha();
    room.stage.update(true);
    exact();
  };
}
