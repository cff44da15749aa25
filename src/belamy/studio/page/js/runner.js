// Starting and stopping work, and how long it will take.

import { api, Refusal } from "./api.js";
import { store, isActive } from "./store.js";
import { optionsOf, usualOf, SPECS } from "./specs.js";
import { t, duration } from "./words.js";
import { announce } from "./parts/toast.js";
import { titleOf } from "./titles.js";
import { noteLosses } from "./dialogs/training.js";

const FILMS = new Set(["dream", "style", "any_style", "apply_style", "translate", "defog"]);

/** An engine's name without what films add to it. */
export const plainEngine = (engine) => engine.replace(/_film$/, "");

/** The engine that a room's settings are for; of a film, the one that takes films. */
export function engineOf(room = store.room) {
  const engine = wayOf(room);
  return store.rooms[room].inputs.picture?.film && FILMS.has(engine) ? `${engine}_film` : engine;
}

/** The same, whether a picture or a film goes in. */
export function wayOf(room = store.room) {
  const own = store.rooms[room].engine;
  const usual = { dream: "dream", style: "any_style", paint: "gan_paint", translate: "translate", defog: "defog", learn: "lesson_mlp" };
  return own ?? usual[room];
}

/** Ids of the inputs that the engine takes. */
export function inputsOf(engine, inputs) {
  const found = {};
  for (const { role, name, many } of store.engines.get(engine)?.inputs ?? []) {
    const given = inputs[role ?? name];
    if (!given || (Array.isArray(given) && !given.length)) continue;
    const ids = [given].flat().map((one) => one.id ?? one);
    found[role ?? name] = many ? ids : ids[0];
  }
  return found;
}

/** What is missing, in words; null where it can start. */
export function missing(engine, inputs) {
  for (const { role, name, required } of store.engines.get(engine)?.inputs ?? []) {
    const given = inputs[role ?? name];
    if (required && (!given || (Array.isArray(given) && !given.length))) return t(`missing.${role ?? name}`);
  }
  return null;
}

/** What would be sent now: {engine, inputs, options}. */
export function orderOf(room = store.room) {
  const engine = engineOf(room);
  const state = store.rooms[room];
  const schema = store.engines.get(engine)?.options;
  const options = optionsOf(engine, state, schema);
  const paintings = state.inputs.paintings ?? [];
  if (paintings.length > 1 && schema?.properties?.style_weight) {
    options.style_weight = paintings.map((one) => one.weight ?? 1);
  }
  return { engine, inputs: inputsOf(engine, state.inputs), options };
}

/** Runs what the room's settings say; the job, or null where it was refused (and said). */
export async function run(change = {}) {
  const room = store.room;
  const state = store.rooms[room];
  if (!state.locked && store.engines.get(engineOf())?.options?.properties?.seed) {
    state.options.seed = Math.floor(Math.random() * 100_000);
    store.say("option:seed");
  }
  const order = orderOf(room);
  Object.assign(order, { engine: change.engine ?? order.engine });
  if (change.options) order.options = { ...order.options, ...change.options };
  if (change.only) order.options = change.only;
  if (change.inputs) order.inputs = change.inputs;
  const lack = change.inputs ? null : missing(order.engine, state.inputs);
  if (lack) {
    store.trouble = { room, text: lack };
    store.say("trouble");
    return null;
  }
  store.trouble = null;
  try {
    const title = titleOf(order.engine, order.options, change.titles ?? state.inputs);
    const job = await api.run(order.engine, order.inputs, order.options, title);
    store.follow[room] = job.id;
    store.lastOrder = { ...store.lastOrder, [room]: JSON.stringify(order) };
    delete store.chosen[room];
    store.setJob(job);
    store.say("follow");
    announce(t("said.started"));
    return job;
  } catch (error) {
    store.trouble = { room, text: lineOf(error), field: error instanceof Refusal ? error.lines[0]?.field : null };
    store.say("trouble");
    announce(store.trouble.text);
    return null;
  }
}

function lineOf(error) {
  return error instanceof Refusal ? error.message : t("errors.lost");
}

export async function stop(id) {
  const job = store.jobs.get(id);
  if (!isActive(job) || job.state === "stopping") return;
  store.setJob({ ...job, state: "stopping" });
  try {
    await api.stop(id);
  } catch (error) {
    if (error.status !== 409 && error.status !== 404) throw error;
  }
}

const quarters = new Map();

/** A job's news: the newest state, what a screen reader hears, and the result that it leaves. */
export function onJob(job) {
  const before = store.jobs.get(job.id);
  noteLosses(job);
  store.setJob(job);
  if (isActive(job)) {
    const quarter = Math.floor((job.done ?? 0) * 4);
    if (quarter > 0 && quarter < 4 && quarters.get(job.id) !== quarter) {
      quarters.set(job.id, quarter);
      announce(t("said.percent", { n: quarter * 25 }));
    }
    return;
  }
  if (!before || !isActive(before)) return;
  if (job.state === "failed" && job.state !== before.state) {
    store.trouble = { room: job.room, text: job.message || t("errors.failed") };
    announce(store.trouble.text);
    store.say("trouble");
  } else announce(t(job.state === "stopped" ? "said.stopped" : "said.done"));
  const result = job.result ?? job.results?.at(-1);
  if (result && store.follow[job.room] === job.id) {
    store.chosen[job.room] = result;
    store.keep();
  }
  remember(job);
  store.say("ended");
}

/* How long a step costs, learnt from what was made: seconds for a unit of work. */
const COSTS = { dream: 4.2e-6, style: 1.05e-5, any_style: 2.4e-5, apply_style: 8e-6, translate: 2.6e-5, defog: 6e-6, fog: 1e-6, gan_paint: 0.06, gan_project: 0.2 };

function unitsOf(engine, options, inputs) {
  const value = (name) => {
    const spec = SPECS[engine]?.rows.find((one) => one.name === name && (!one.when || one.when({ inputs })));
    return options[name] ?? (spec ? usualOf(spec, { inputs }) : undefined);
  };
  const picture = Array.isArray(inputs.picture) ? inputs.picture[0] : inputs.picture;
  const ratio = picture?.width ? Math.min(picture.width, picture.height) / Math.max(picture.width, picture.height) : 1;
  const side = Number(value("size")) || Math.max(picture?.width ?? 0, picture?.height ?? 0) || 512;
  const area = side * side * ratio;
  if (engine === "dream") {
    if (!picture) return area * value("steps") * 1.2;
    let total = 0;
    for (let at = 0; at < value("octaves"); at++) total += area / (options.octave_scale ?? 1.4) ** (2 * at);
    return total * value("steps");
  }
  if (engine === "style") return area * { sketch: 24, standard: 52, fine: 156 }[value("preset")];
  if (engine === "gan_paint") return Number(value("count") ?? 16);
  if (engine === "gan_project") return Number(value("steps") ?? 150);
  return area;
}

function remember(job) {
  if (job.state !== "done" || !job.seconds || !(job.engine in COSTS)) return;
  const inputs = store.rooms[job.room]?.inputs ?? {};
  const units = unitsOf(job.engine, job.options ?? {}, inputs);
  store.page.costs = { ...store.page.costs, [job.engine]: job.seconds / units };
  store.keepPage();
}

/** About how long the present settings take, in words; "" where nobody knows. */
export function guess(room = store.room) {
  const engine = engineOf(room);
  const film = store.rooms[room].inputs.picture?.film;
  const cost = store.page.costs?.[engine] ?? COSTS[plainEngine(engine)];
  if (!cost) return "";
  const { options } = orderOf(room);
  const frames = film ? Math.max(1, film.frames / (options.every ?? 1)) : 1;
  const seconds = frames * cost * unitsOf(plainEngine(engine), options, store.rooms[room].inputs);
  return t("time.about", { time: duration(seconds) });
}

/** How long a job still takes, in words. */
export function left(job) {
  if (job.state === "waiting") return t("job.waiting", { n: job.position ?? 1 });
  if (job.state === "loading") return t("job.loading");
  if (job.state === "stopping") return t("job.stopping");
  if (job.eta === null || job.eta === undefined) return "";
  return t("time.left", { time: duration(job.eta) });
}

/** The line under the title while it works. */
export function progressLine(job) {
  if (job.state !== "working") return left(job);
  const steps = job.total ? t("job.step", { step: job.step ?? 0, total: job.total }) : "";
  return [job.message || steps, left(job)].filter(Boolean).join(" · ");
}
