// The studio's page: the wall, its header, its rooms, and what comes from the worker.

import { api } from "./api.js";
import { el, icon } from "./dom.js";
import { Live } from "./live.js";
import { LOGO_BOX, LOGO_PATH } from "./logo.js";
import { store, isActive } from "./store.js";
import { t, setLanguage, currentLanguage } from "./words.js";
import { onJob } from "./runner.js";
import { furnish } from "./first.js";
import { readPresets } from "./parts/ways.js";
import { toast } from "./parts/toast.js";
import { listenForFiles } from "./drop.js";
import { listenForKeys } from "./keys.js";
import { applyLook, changeLanguage, openHelp, openQueue } from "./dialogs/settings.js";
import { dream } from "./rooms/dream.js";
import { style } from "./rooms/style.js";
import { translate } from "./rooms/translate.js";
import { defog } from "./rooms/defog.js";
import { paint } from "./rooms/paint.js";
import { learn } from "./rooms/learn.js";
import "./parts/strip.js";

const ROOMS = { dream, style, paint, translate, defog, learn };
let room = null;
let wall = null;
let strip = null;
let queue = null;
let drawn = ""; // room and place on the wall

function readAddress() {
  const [path, query = ""] = location.hash.slice(1).split("?");
  const [name, ...place] = path.split("/");
  store.room = name in ROOMS ? name : "dream";
  store.place = place;
  store.query = new URLSearchParams(query);
}

/** On a phone the rooms scroll; on which side there are more fades out. */
function fade(nav) {
  nav.classList.toggle("further-left", nav.scrollLeft > 4);
  nav.classList.toggle("at-end", nav.scrollLeft + nav.clientWidth > nav.scrollWidth - 4);
}

function header() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", LOGO_BOX);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", "belamy");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", LOGO_PATH);
  svg.append(path);
  queue = el("button", { class: "queue", type: "button", onclick: openQueue, hidden: true });
  const language = (name) => el("button", {
    type: "button", "aria-pressed": String(currentLanguage() === name), lang: name,
    "aria-label": { en: "English", it: "Italiano" }[name], onclick: () => changeLanguage(name, draw),
  }, name.toUpperCase());
  return el("header", { class: "top" },
    el("a", { class: "skip", href: "#stage", onclick: skip }, t("skip")),
    el("a", { class: "logo", href: "./#dream" }, svg),
    el("nav", { class: "rooms", "aria-label": t("rooms.name"), onscroll: ({ currentTarget }) => fade(currentTarget) }, Object.keys(ROOMS).map((name) => el("a", {
      href: `./#${name}`, "aria-current": name === store.room ? "page" : null,
    }, t(`rooms.${name}`)))),
    el("div", { class: "end" }, queue,
      el("div", { class: "languages", role: "group", "aria-label": t("settings.language") }, language("en"), el("i", { "aria-hidden": "true" }, "/"), language("it")),
      el("button", { class: "round", type: "button", "aria-label": t("help.open"), title: t("help.open"), onclick: () => openHelp(draw) }, icon("help"))));
}

/** Builds the wall of the room that the address names. */
function draw() {
  room?.end?.();
  drawn = `${store.room}/${store.place[0]}`;
  document.title = `belamy · ${t(`rooms.${store.room}`)}`;
  room = ROOMS[store.room]();
  strip = store.room === "learn" ? null : document.createElement("bl-strip");
  wall = el("div", { class: ["wall", store.room, ...(room.classes ?? [])].join(" ") },
    header(),
    el("main", { class: "main" }, room.nodes, strip));
  document.getElementById("app").replaceChildren(wall);
  room.begin();
  showQueue();
  wall.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  fade(wall.querySelector(".rooms"));
}

function skip(event) {
  event.preventDefault();
  (document.querySelector("bl-stage") ?? document.querySelector(".stage-area"))?.focus();
}

function showQueue() {
  const jobs = store.activeJobs;
  const waiting = jobs.filter((job) => job.state === "waiting").length;
  const working = jobs.length - waiting;
  queue.hidden = !jobs.length;
  queue.textContent = waiting ? t("queue.some", { n: working, m: waiting }) : t("queue.one", { n: working });
}

let due = new Set();
/** All news of one turn lead to one drawing. */
function onChange({ detail }) {
  if (!due.size) queueMicrotask(refresh);
  due.add(detail);
}

function refresh() {
  const news = due;
  due = new Set();
  if (!wall) return;
  for (const what of news) room.refresh(what);
  strip?.refresh();
  showQueue();
}

const waiting = new Map(); // job → its newest frame, while another is decoded
let decoding = false;

async function onFrame({ detail: { head, blob } }) {
  waiting.set(head.job, { head, blob });
  if (decoding) return;
  decoding = true;
  while (waiting.size) {
    const [job, frame] = waiting.entries().next().value;
    waiting.delete(job);
    if (!isActive(store.jobs.get(job)) && store.jobs.has(job)) continue;
    try {
      const bitmap = await createImageBitmap(frame.blob);
      showThumb(frame.head, bitmap);
      if (!(await room.onFrame?.({ head: frame.head, bitmap }))) bitmap.close();
    } catch {
      // a frame that cannot be read is left out; the next comes soon
    }
  }
  decoding = false;
}

function showThumb(head, bitmap) {
  const training = store.jobs.get(head.job)?.engine.startsWith("train_");
  const height = training ? 360 : 76;
  const width = Math.max(1, Math.round((height * bitmap.width) / bitmap.height));
  const canvas = store.thumbs.get(head.job) ?? el("canvas", { width, height });
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  store.thumbs.set(head.job, canvas);
  strip?.setLive(head.job, canvas);
}

function listen(live) {
  let lost = null;
  live.addEventListener("lost", () => {
    lost ??= el("p", { class: "lost", role: "alert" }, t("errors.socket"));
    document.body.append(lost);
  });
  live.addEventListener("open", async () => {
    const was = lost;
    lost?.remove();
    lost = null;
    if (was) await Promise.all([loadJobs(), loadResults()]);
  });
  live.addEventListener("job", ({ detail }) => onJob(detail.job));
  live.addEventListener("queue", ({ detail }) => {
    const known = new Set(detail.jobs.map((job) => job.id));
    detail.jobs.forEach(onJob);
    for (const job of store.activeJobs) if (!known.has(job.id) && job.state === "waiting") api.job(job.id).then(onJob).catch(() => store.jobs.delete(job.id));
  });
  live.addEventListener("result", ({ detail }) => store.addResult(detail.result));
  live.addEventListener("lesson", ({ detail }) => room.onLesson?.(detail));
  live.addEventListener("frame", onFrame);
}

async function loadJobs() {
  const jobs = await api.jobs();
  for (const job of Array.isArray(jobs) ? jobs : jobs.jobs) {
    store.jobs.set(job.id, job);
    const shown = !job.engine.startsWith("train_");
    if (shown && isActive(job) && !isActive(store.jobs.get(store.follow[job.room]))) store.follow[job.room] = job.id;
  }
  store.say("jobs");
}

async function loadResults() {
  const results = await api.results();
  store.results = Array.isArray(results) ? results : results.results;
  store.results.slice().reverse().forEach((one) => store.addResult(one));
  store.say("results");
}

async function load() {
  const some = (work, usual) => work.catch(() => usual);
  const [engines, samples, models, own] = await Promise.all([
    api.engines(), some(api.samples(), []), some(api.models(), []), some(api.presets(), {}),
    some(api.status().then((now) => { store.device = now.device === "auto" ? "cpu" : now.device; })),
    some(loadResults()), some(loadJobs()),
  ]);
  for (const engine of engines.engines) store.engines.set(engine.name, engine);
  store.samples = Array.isArray(samples) ? samples : samples.samples;
  store.models = Array.isArray(models) ? models : models.models;
  store.own = readPresets(own);
}

async function start() {
  applyLook();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", applyLook);
  const kept = await api.settings().catch(() => ({}));
  const language = kept?.language ?? store.page.language ?? (navigator.language.startsWith("it") ? "it" : "en");
  await setLanguage(language === "it" ? "it" : "en");
  document.body.append(
    document.createElement("bl-toast"),
    el("div", { id: "live-region", class: "hidden-text", "aria-live": "polite", role: "log" }));
  readAddress();
  try {
    await load();
  } catch (error) {
    document.getElementById("app").replaceChildren(el("p", { class: "lost", role: "alert" }, error.message));
    return;
  }
  furnish();
  draw();
  store.addEventListener("change", onChange);
  const live = new Live();
  listen(live);
  live.start();
  listenForFiles();
  listenForKeys(draw);
  addEventListener("hashchange", () => {
    readAddress();
    if (drawn !== `${store.room}/${store.place[0]}`) draw();
    else room.refresh("address");
  });
  document.documentElement.dataset.ready = "yes";
}

start().catch((error) => {
  toast(error.message);
  throw error;
});
