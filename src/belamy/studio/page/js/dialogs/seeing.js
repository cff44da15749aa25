// What the network sees in a picture: its guesses before and after the dream, and where it looks.

import { el } from "../dom.js";
import { t, number } from "../words.js";
import { api } from "../api.js";
import { store, isActive } from "../store.js";
import { openDialog } from "./dialog.js";

const TOP = 5;

/** Resolves with a job once it is over. */
function over(id) {
  return new Promise((resolve) => {
    const look = () => {
      const job = store.jobs.get(id);
      if (!job || isActive(job)) return;
      store.removeEventListener("change", look);
      resolve(job);
    };
    store.addEventListener("change", look);
    look();
  });
}

async function ask(engine, picture, options) {
  const job = await api.run(engine, { picture }, options, t("seeing.title"));
  store.setJob(job);
  const done = await over(job.id);
  if (done.state === "failed") throw new Error(done.message || t("errors.failed"));
  return done;
}

/** @param pictures [{id, url, title}…] that are looked at, one beside the other. */
export function openSeeing(pictures, model) {
  const dialog = openDialog(t("seeing.title"), { large: pictures.length > 1 });
  const options = { model: model && model !== "auto" ? model : "iris" };
  dialog.body.append(
    el("p", {}, t("seeing.about")),
    el("div", { class: pictures.length > 1 ? "seeing two" : "seeing" }, pictures.map((one) => panel(one, options))));
}

function panel(picture, options) {
  const image = el("img", { src: picture.url, alt: picture.title });
  const list = el("ol", { class: "guesses" }, el("li", { class: "serif" }, t("seeing.looks")));
  const trouble = el("p", { class: "refused", role: "alert", hidden: true });
  const say = (error) => {
    trouble.textContent = error.message;
    trouble.hidden = false;
  };

  const where = async (guess, button) => {
    button.disabled = true;
    try {
      const job = await ask("explain", picture.id, { ...options, class_: String(guess.index) });
      const result = job.result ?? job.results?.at(-1);
      image.src = `/api/results/${result}`;
      image.alt = t("seeing.where_of", { name: words(guess.name) });
      for (const other of list.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === button));
    } catch (error) {
      say(error);
    }
    button.disabled = false;
  };

  const row = (guess) => {
    const share = guess.probability;
    const fill = el("i");
    fill.style.transform = `scaleX(${share})`;
    const button = el("button", { class: "quiet", type: "button", "aria-pressed": "false", onclick: () => where(guess, button) }, t("seeing.where"));
    return el("li", {},
      el("span", { class: "name" }, words(guess.name)),
      el("span", { class: "percent" }, `${number(Math.round(share * 1000) / 10, 1)} %`),
      el("span", { class: "bar" }, fill), button);
  };

  ask("classify", picture.id, { ...options, top: TOP })
    .then((job) => list.replaceChildren(...job.answer.map(row)))
    .catch((error) => {
      list.replaceChildren();
      say(error);
    });
  return el("figure", {}, image, el("figcaption", {}, picture.title), list, trouble);
}

const words = (name) => String(name).replaceAll("_", " ");
