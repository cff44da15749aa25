// Train a network of one's own: start it on a folder, watch its samples and losses, stop, resume.

import { el } from "../dom.js";
import { t, number, duration, readNumber } from "../words.js";
import { api } from "../api.js";
import { store, isActive } from "../store.js";
import { stop } from "../runner.js";
import { folderButton, folderName, sendFolder } from "../folders.js";
import { colours, curves } from "../learn/drawing.js";
import { openDialog } from "./dialog.js";

const ENGINES = { learn: "train_classifier", paint: "train_gan", translate: "train_translation" };
const KEPT = 800; // points of a curve
const FAR = 0.2; // a pace that differs by less is not written down anew

/* Where a laptop begins, and what a step then takes of one core, in seconds (measured). */
const LAPTOP = {
  train_gan: { seconds: 0.76, options: { steps: 4000 } },
  train_translation: {
    seconds: 0.58,
    options: { steps: 10_000, generator: "residual", generator_channels: 24, blocks: 6, size: 64, crop: "detail" },
  },
};
const histories = new Map(); // job → {name: [losses…]}

export const isTraining = (job) => job.engine.startsWith("train_");

/** Seconds of a step here: as the last training went, or by the figure above. */
function paceOf(engine) {
  const own = store.page.costs?.[engine];
  return { seconds: own ?? LAPTOP[engine]?.seconds, own: own !== undefined };
}

function notePace({ engine, eta, step, total }) {
  if (!eta || !(step > 2) || !(total > step)) return;
  const pace = eta / (total - step);
  const known = store.page.costs?.[engine];
  if (known && Math.abs(pace / known - 1) < FAR) return;
  store.page.costs = { ...store.page.costs, [engine]: pace };
  store.keepPage();
}

/** What a training has lost so far; called for each of its news. */
export function noteLosses(job) {
  if (isTraining(job)) notePace(job);
  if (!isTraining(job) || !job.losses) return;
  const history = histories.get(job.id) ?? {};
  histories.set(job.id, history);
  const key = JSON.stringify(job.losses);
  if (history.key === key) return;
  history.key = key;
  history.lists ??= {};
  for (const [name, value] of Object.entries(job.losses)) {
    const list = (history.lists[name] ??= []);
    list.push(value);
    if (list.length > KEPT) history.lists[name] = list.filter((_, at) => at % 2 === 0);
  }
}

const newest = () => [...store.jobs.values()].filter(isTraining).sort((a, b) => b.created - a.created)[0] ?? null;

/** @param files of a folder that was dropped. */
export async function openTraining(files = null) {
  document.querySelector("dialog.trains")?.close();
  const dialog = openDialog(t("train.title"), { large: true });
  dialog.classList.add("trains");
  const running = newest();
  if (isActive(running) && !files) watch(dialog, running.id);
  else await choose(dialog, running, files);
}

async function choose(dialog, last, files = null) {
  const folders = await api.folders().catch(() => []);
  const withPictures = folders.filter((one) => one.pictures > 0);
  const kinds = Object.values(ENGINES).filter((one) => store.engines.has(one));
  const select = (id, choices) => el("select", { id }, choices.map(([value, words]) => el("option", { value }, words)));
  const kind = select("train-kind", kinds.map((one) => [one, t(`train.${one}`)]));
  kind.value = ENGINES[store.room] ?? kinds[0];
  const named = withPictures.map((one) => [one.id, folderName(one)]);
  const folder = select("train-folder", named);
  const other = select("train-other", named);
  const estimate = el("p", { class: "estimate", role: "status" });
  const steps = el("input", { id: "train-steps", type: "text", inputmode: "numeric", autocomplete: "off" });
  const otherLabel = el("label", { for: "train-other" }, t("train.other"), other);
  const stepsLabel = el("label", { for: "train-steps" }, t("train.steps"), steps);
  const trouble = el("p", { class: "refused", role: "alert", hidden: true });
  const wanted = () => Math.max(1, Math.round(readNumber(steps.value)) || 1);
  const tell = () => {
    const { seconds, own } = paceOf(kind.value);
    const known = !stepsLabel.hidden && seconds && (own || store.device === "cpu");
    const words = own ? "train.takes_as_last" : "train.takes";
    estimate.textContent = known ? t(words, { time: duration(wanted() * seconds) }) : t("train.takes_unknown");
  };
  const fit = () => {
    const usual = store.engines.get(kind.value)?.options?.properties?.steps?.default;
    otherLabel.hidden = kind.value !== "train_translation";
    stepsLabel.hidden = usual === undefined;
    steps.value = LAPTOP[kind.value]?.options.steps ?? usual ?? "";
    form.hidden = !folder.options.length;
    tell();
  };
  const sending = el("p", { class: "training-line", role: "status", hidden: true });
  /** A folder of one's own becomes one of those that can be chosen. */
  async function take(some) {
    trouble.hidden = true;
    sending.hidden = false;
    try {
      const made = await sendFolder(some, (n, all) => { sending.textContent = t("train.sending", { n, all }); });
      for (const one of [folder, other]) one.prepend(el("option", { value: made.id }, folderName(made)));
      folder.value = made.id;
      fit();
    } catch (error) {
      trouble.textContent = error.message;
      trouble.hidden = false;
    }
    sending.hidden = true;
  }
  kind.addEventListener("change", fit);
  steps.addEventListener("input", tell);

  async function start(event) {
    event.preventDefault();
    const inputs = { folder: folder.value };
    if (!otherLabel.hidden) inputs.other = other.value;
    const options = stepsLabel.hidden ? {} : { ...LAPTOP[kind.value]?.options, steps: wanted() };
    try {
      const job = await api.run(kind.value, inputs, options, t(`train.${kind.value}`));
      store.setJob(job);
      watch(dialog, job.id);
    } catch (error) {
      trouble.textContent = error.message;
      trouble.hidden = false;
    }
  }

  const form = el("form", { class: "grid-form", onsubmit: start },
    el("label", { for: "train-kind" }, t("train.what"), kind),
    el("label", { for: "train-folder" }, t("train.folder"), folder), otherLabel, stepsLabel, estimate,
    el("button", { class: "strong", type: "submit" }, t("train.start")));
  dialog.body.replaceChildren(
    el("p", {}, t("train.about")),
    el("div", { class: "actions" }, el("span", { class: "note" }, t("train.drop")),
      folderButton(take)),
    sending, form, trouble);
  fit();
  if (files) await take(files);
  if (last) {
    dialog.body.append(el("button", { class: "quiet", type: "button", onclick: () => watch(dialog, last.id) }, t("train.last")));
  }
}

function watch(dialog, id) {
  let job = id;
  const sample = el("div", { class: "training-sample" }, el("p", { class: "serif" }, t("train.soon")));
  const curve = el("canvas", { role: "img", "aria-label": t("learn.loss") });
  const soon = el("p", { class: "soon" }, t("train.curves"));
  const line = el("p", { class: "training-line" });
  const alarm = el("p", { class: "training-line", role: "status", hidden: true });
  const losses = el("dl", { class: "counts" });
  const halt = el("button", { class: "quiet", type: "button", onclick: () => stop(job) }, t("run.stop"));
  const resume = el("button", {
    class: "strong", type: "button", hidden: true,
    onclick: async () => {
      const again = await api.resume(job);
      job = again.id;
      store.setJob(again);
    },
  }, t("train.resume"));
  const fresh = el("button", { class: "quiet", type: "button", hidden: true, onclick: () => choose(dialog, null) }, t("train.another"));

  const show = () => {
    const now = store.jobs.get(job);
    if (!now || !dialog.isConnected) return;
    const live = store.thumbs.get(job);
    if (live && !sample.contains(live)) sample.replaceChildren(live);
    if (!live) sample.firstChild.textContent = t(isActive(now) ? "train.soon" : "train.none");
    const left = now.eta ? t("time.left", { time: duration(now.eta) }) : "";
    line.textContent = [t(`job.${now.state}`, { n: now.position ?? 1 }), now.total ? t("job.step", { step: now.step, total: now.total }) : "", left].filter(Boolean).join(" · ");
    alarm.hidden = !now.message;
    alarm.textContent = now.message ?? "";
    alarm.className = now.state === "failed" ? "refused" : "training-line";
    const { lists = {} } = histories.get(job) ?? {};
    const palette = colours();
    const lines = [palette.oneText, palette.twoText, palette.gilt, palette.text];
    const known = Object.entries(lists).slice(0, 4);
    soon.hidden = known.length > 0;
    if (known.length) curves(curve, known.map(([, list], at) => [list, lines[at]]), palette.text, t("learn.loss"));
    losses.replaceChildren(...known.flatMap(([name, list]) => [el("dt", {}, name.replaceAll("_", " ")), el("dd", {}, number(list.at(-1), 3))]));
    const active = isActive(now);
    halt.hidden = !active;
    resume.hidden = active || now.state === "done";
    fresh.hidden = active;
  };
  store.addEventListener("change", show);
  dialog.addEventListener("close", () => store.removeEventListener("change", show));
  dialog.body.replaceChildren(
    el("div", { class: "training" }, sample, el("div", {}, el("div", { class: "training-curve" }, soon, curve), losses)),
    line, alarm, el("div", { class: "actions" }, fresh, halt, resume));
  show();
}
