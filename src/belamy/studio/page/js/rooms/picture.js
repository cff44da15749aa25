// A room where one picture becomes another: Dream, Style, Translate and Defog.

import { el } from "../dom.js";
import { t } from "../words.js";
import { store } from "../store.js";
import { engineOf, orderOf, progressLine, run } from "../runner.js";
import { factsOf, madeWord, titleOf } from "../titles.js";
import { bitmapOf, pickSample, addFile, asPicture, sampleButton, staysWords } from "../pictures.js";
import { makeLabel } from "../parts/label.js";
import { openCopy } from "../dialogs/copy.js";
import { openSeeing } from "../dialogs/seeing.js";
import { toast } from "../parts/toast.js";
import { save, useSettings, differs } from "../actions.js";
import { FIRST } from "../first.js";
import { Masking } from "../parts/mask.js";
import { filmOf, isFilm } from "../parts/film.js";
import "../parts/stage.js";
import "../parts/panel.js";

export class PictureRoom {
  constructor(spec) {
    this.spec = spec;
    this.stage = document.createElement("bl-stage");
    this.label = makeLabel([
      { name: "again", icon: "settings_back", press: () => this.takeSettings() },
      { name: "compare", icon: "compare", toggles: true, press: () => this.toggleCompare() },
      ...(spec.mask ? [{ name: "mask", icon: "mask", toggles: true, wide: true, press: () => this.masking.toggle() }] : []),
      "-",
      { name: "fit", keep: true, wide: true, press: () => this.fitOrTrue() },
      "-",
      { name: "copy", icon: "copy", wide: true, press: () => openCopy(this.copied()) },
      { name: "save", icon: "save", press: () => save(this.result) },
    ]);
    this.rail = el("nav", { class: "rail", "aria-label": t(`${spec.name}.rail`) });
    this.panel = document.createElement("bl-panel").setUp({
      slots: spec.slots, ways: spec.ways, film: spec.film, sees: spec.sees ? () => this.see() : null, extra: () => spec.extra?.(this) ?? [], start: () => this.start(),
    });
    this.nodes = [this.stage, this.label.node, this.rail, this.panel];
  }

  /** Once it is on the page. */
  begin() {
    this.masking = this.spec.mask ? new Masking(this.stage, this) : null;
    this.spec.rail(this.rail, this);
    this.stage.addEventListener("zoomed", ({ detail }) => {
      this.label.buttons.fit.querySelector(".word").textContent = detail;
    });
    this.label.buttons.compare.setAttribute("aria-pressed", "true");
    this.spec.begin?.(this);
    this.refresh("all");
  }

  end() {
    this.stage.remove();
  }

  get job() {
    return store.chosen[this.spec.name] ? null : store.jobOf(this.spec.name);
  }

  get result() {
    return store.result(store.chosen[this.spec.name]);
  }

  async start() {
    this.masking?.finish();
    await run();
  }

  copied() {
    const { result } = this;
    return result ? { engine: result.engine, inputs: result.inputs, options: result.options } : orderOf();
  }

  takeSettings() {
    useSettings(this.result);
  }

  toggleCompare() {
    const on = !this.stage.view.compare;
    this.stage.setCompare(on);
    this.label.buttons.compare.setAttribute("aria-pressed", String(on));
  }

  /** What the network sees here: before, and after. */
  see() {
    const { result } = this;
    const own = result ? [result.inputs?.picture].flat()[0] : store.here.inputs.picture;
    const id = own?.id ?? own;
    const pictures = [
      id ? { id, url: `/api/pictures/${id}`, title: t("stage.was") } : null,
      result && !isFilm(result) ? { id: result.id, url: result.url, title: result.title || result.name } : null,
    ].filter(Boolean);
    if (pictures.length) openSeeing(pictures, store.here.options.model);
    else toast(t("missing.picture"));
  }

  fitOrTrue() {
    if (this.stage.view.scale === null) this.stage.trueSize();
    else this.stage.fit();
  }

  /** Shows what is to be seen now: live work, a result, the picture, or where to begin. */
  async refresh(what = "all") {
    const ticket = (this.ticket = {});
    this.spec.refresh?.(this, what);
    this.panel.refresh();
    const { job, result } = this;
    this.label.buttons.again.hidden = !(result && differs(result));
    this.label.setOff("save", result ? "" : t("tools.save_not_yet"));
    if (this.label.buttons.compare) this.label.buttons.compare.hidden = isFilm(result) && !job;
    this.label.buttons.fit.hidden = isFilm(result) && !job;
    if (this.label.buttons.mask) this.label.buttons.mask.hidden = Boolean(store.here.inputs.picture?.film) || isFilm(result);
    this.showEmpty(false);
    if (job) await this.showJob(job, ticket);
    else if (result) await this.showResult(result, ticket);
    else await this.showPicture(ticket);
    this.showBack();
  }

  async before(inputs) {
    const given = Array.isArray(inputs?.picture) ? inputs.picture[0] : inputs?.picture;
    const id = given?.id ?? given;
    if (!id) return null;
    const own = store.here.inputs.picture;
    const url = own?.id === id ? own.url : `/api/pictures/${id}`;
    try {
      return await bitmapOf(url);
    } catch {
      return null;
    }
  }

  async showJob(job, ticket) {
    this.label.show(job.title || titleOf(job.engine, job.options ?? {}, store.here.inputs), progressLine(job), job.done ?? 0);
    if (this.hungJob === job.id) return;
    const before = await this.before(job.inputs);
    if (ticket !== this.ticket || !this.stage.isConnected) return;
    this.hungJob = job.id;
    const frame = this.frameJob === job.id ? this.stage.view.after : null;
    if (frame) return;
    const size = before ?? { width: 384, height: 384 };
    this.stage.show({
      width: size.width, height: size.height, before, after: null,
      title: t("stage.working"), now: madeWord(job.engine), keepZoom: true,
    });
  }

  /** A frame of the job that is followed; others are nobody's business here. */
  async onFrame({ head, bitmap }) {
    const { job } = this;
    if (!job || head.job !== job.id) return false;
    const view = this.stage.view;
    const width = head.full_width ?? head.width;
    const height = head.full_height ?? head.height;
    this.frameJob = head.job;
    // small sizes come first, enlarged: the box stays
    const other = !view.width || Math.abs(width / height / (view.width / view.height) - 1) > 0.03;
    if (other || !view.before !== !job.inputs?.picture) {
      const before = view.before ?? await this.before(job.inputs);
      if (this.job?.id !== head.job) return false;
      this.hungJob = job.id;
      this.stage.show({
        width, height, before, after: bitmap, title: t("stage.working"), now: madeWord(job.engine),
      });
    } else {
      this.stage.now = madeWord(job.engine);
      view.alpha = 1;
      view.mask = null;
      this.stage.setAfter(bitmap);
    }
    return true;
  }

  async showResult(result, ticket) {
    this.hungJob = this.frameJob = null;
    const title = result.title || result.name;
    this.label.show(title, factsOf(result));
    if (isFilm(result)) {
      this.stage.clear();
      this.empty = filmOf(result, title);
      this.stage.extras.replaceChildren(this.empty);
      return;
    }
    let after;
    let before;
    try {
      [after, before] = await Promise.all([bitmapOf(result.url), this.before(result.inputs)]);
    } catch (error) {
      this.label.show(title, error.message);
      return;
    }
    if (ticket !== this.ticket || !this.stage.isConnected) return;
    this.stage.show({
      width: result.width, height: result.height, before, after, title,
      now: madeWord(result.engine), alpha: this.alphaOf(result), mask: this.masking?.canvasFor(result),
    });
    this.masking?.refresh();
    this.lens?.setPictures(before, after);
  }

  /** How strongly the picture on the stage is blended, against what its file has. */
  alphaOf(result) {
    if (!this.spec.live || result.engine !== engineOf() || !result.inputs?.picture) return 1;
    if (!["dream", "translate", "apply_style", "defog"].includes(result.engine)) return 1;
    const own = result.options?.strength ?? 1;
    const wanted = store.here.options.strength ?? 1;
    return own > 0 ? Math.min(1, wanted / own) : 1;
  }

  async showPicture(ticket) {
    this.hungJob = this.frameJob = null;
    const picture = store.here.inputs.picture;
    const first = FIRST[this.spec.name];
    const begins = first?.isOf(picture);
    if (begins && (this.spec.name === "dream" ? store.here.preset === first.preset : true)) {
      await this.showFirst(first, picture, ticket);
      return;
    }
    if (!picture) {
      this.stage.clear();
      this.label.show(this.emptyTitle, this.emptyLine);
      this.showEmpty(true);
      return;
    }
    const title = titleOf(engineOf(), orderOf().options, store.here.inputs);
    this.label.show(title, t("stage.not_yet"));
    const before = await bitmapOf(picture.url).catch(() => null);
    const { dropped } = store.here; // a result of an earlier day, whose settings are back
    const after = dropped ? await bitmapOf(dropped.url).catch(() => null) : null;
    if (ticket !== this.ticket || !before) return;
    if (after) {
      this.label.show(title, factsOf({ ...orderOf(), width: after.width, height: after.height }));
      this.stage.show({ width: after.width, height: after.height, before, after, title, now: madeWord(engineOf()) });
      return;
    }
    this.stage.show({ width: before.width, height: before.height, before, after: null, title: picture.name });
  }

  async showFirst(first, picture, ticket) {
    const [before, after] = await Promise.all([bitmapOf(picture.url), bitmapOf(first.after)]);
    if (ticket !== this.ticket || !this.stage.isConnected) return;
    const title = titleOf(engineOf(), orderOf().options, store.here.inputs);
    this.label.show(title, t("stage.example"));
    this.stage.show({
      width: before.width, height: before.height, before, after, title, now: madeWord(engineOf()), alpha: this.liveAlpha(),
    });
    if (!this.glided && !store.page.glided) {
      store.page.glided = true;
      store.keepPage();
      this.stage.glide();
    }
    this.glided = true;
  }

  liveAlpha() {
    return this.spec.live ? Math.min(1, store.here.options.strength ?? 1) : 1;
  }

  get emptyTitle() {
    return this.spec.noise ? titleOf(engineOf(), orderOf().options, {}) : t(`rooms.${this.spec.name}`);
  }

  get emptyLine() {
    return this.spec.noise ? t("stage.from_noise") : t("stage.begin");
  }

  showEmpty(on) {
    this.empty?.remove();
    this.empty = null;
    if (!on) return;
    const samples = [this.spec.samples ?? "content", "film"].flatMap((kind) => store.samples.filter((one) => one.kind === kind)).slice(0, 6);
    this.empty = el("div", { class: "empty" },
      el("p", {}, t(this.spec.noise ? "stage.noise_hint" : "stage.hint")), el("small", {}, staysWords(true)),
      el("div", { class: "samples" }, samples.map((one) => sampleButton(one, () => this.setPicture(asPicture(one))))),
      el("button", { class: "quiet", type: "button", onclick: () => this.pick() }, t("slot.file")));
    this.stage.extras.replaceChildren(this.empty);
  }

  async pick() {
    const choice = await pickSample(this.spec.samples, this.spec.noise);
    if (choice?.picture) this.setPicture(choice.picture);
    else if (choice?.file) this.setPicture(await addFile(choice.file));
  }

  setPicture(picture) {
    delete store.chosen[this.spec.name];
    store.change((room) => { room.inputs.picture = picture; }, "inputs");
  }

  /** While work goes on and another picture is looked at, the way back. */
  showBack() {
    const away = Boolean(store.chosen[this.spec.name]) && store.jobOf(this.spec.name);
    if (!away) {
      this.back?.remove();
      this.back = null;
    } else if (!this.back) {
      this.back = el("button", {
        class: "back", type: "button",
        onclick: () => {
          delete store.chosen[this.spec.name];
          store.say("chosen");
        },
      }, t("stage.back"));
      this.stage.append(this.back);
    }
  }
}
