// The keyboard: Ctrl+Enter runs, Esc stops, Space shows the picture as it was.

import { isTyping } from "./dom.js";
import { store } from "./store.js";
import { stop } from "./runner.js";
import { openHelp, projector } from "./dialogs/settings.js";

const stage = () => document.querySelector("bl-stage");
const press = (name) => document.querySelector(`.tools [data-tool="${name}"]`)?.click();

function onStage(event) {
  const view = stage()?.view;
  if (!view) return false;
  const far = 40;
  const pans = { ArrowLeft: [far, 0], ArrowRight: [-far, 0], ArrowUp: [0, far], ArrowDown: [0, -far] };
  if (event.shiftKey && event.key in pans && view.scale !== null) {
    view.pan(...pans[event.key]);
    stage().update();
    return true;
  }
  const actions = {
    0: () => stage().fit(), 1: () => stage().trueSize(), "+": () => stage().zoom(1.25), "=": () => stage().zoom(1.25),
    "-": () => stage().zoom(0.8), " ": () => stage().setPeek(true), m: () => press("mask"),
  };
  const action = actions[event.key.toLowerCase()];
  action?.();
  return Boolean(action);
}

export function listenForKeys(redraw) {
  addEventListener("keydown", (event) => {
    const command = event.ctrlKey || event.metaKey;
    if (command && event.key === "Enter") {
      event.preventDefault();
      if (!store.jobOf(store.room) || store.room === "learn") document.querySelector("bl-job")?.start?.();
      return;
    }
    if (command && event.key.toLowerCase() === "z" && !isTyping(event.target)) {
      event.preventDefault();
      if (document.dispatchEvent(new CustomEvent("undo-stroke", { cancelable: true }))) {
        if (event.shiftKey) store.redo();
        else store.undo();
      }
      return;
    }
    if (event.key === "Escape" && !document.querySelector("dialog[open]")) {
      if (!document.dispatchEvent(new CustomEvent("leave", { cancelable: true }))) return;
      const job = store.jobOf(store.room);
      if (job) stop(job.id);
      return;
    }
    const free = event.target === document.body || event.target.closest?.("bl-stage, bl-strip");
    if (command || event.altKey || !store.page.singleKeys || !free || isTyping(event.target)) return;
    if (event.target.closest?.("button") && event.key === " ") return;
    if (event.key === "?") openHelp(redraw);
    else if (event.key.toLowerCase() === "p") projector();
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      if (event.shiftKey ? !onStage(event) : !toStrip(event)) return;
    } else if (!onStage(event)) return;
    event.preventDefault();
  });
  addEventListener("keyup", (event) => {
    if (event.key === " ") stage()?.setPeek(false);
  });
  addEventListener("blur", () => stage()?.setPeek(false));
}

/** Arrows on the wall go through what was made. */
function toStrip(event) {
  const strip = document.querySelector("bl-strip");
  if (!strip?.list || strip.contains(event.target)) return false;
  strip.onKey(event);
  return true;
}
