// <bl-slot>: which picture goes in. A button, and a place to drop.

import { el, thumb } from "../dom.js";
import { t, duration } from "../words.js";
import { store } from "../store.js";
import { addFile, pickSample, pictureName, staysWords } from "../pictures.js";

export class Slot extends HTMLElement {
  /** @param role of the input; @param options {kind: of samples, noise: whether none is fine}. */
  setUp(role, options = {}) {
    this.role_ = role;
    this.options = options;
    this.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.firstChild?.classList.add("over");
    });
    this.addEventListener("dragleave", () => this.firstChild?.classList.remove("over"));
    this.addEventListener("drop", (event) => {
      event.preventDefault();
      event.stopPropagation();
      document.dispatchEvent(new Event("drop-done"));
      this.take(event.dataTransfer.files[0]);
    });
    this.refresh();
    return this;
  }

  get picture() {
    return store.here.inputs[this.role_] ?? null;
  }

  async take(file) {
    if (!file) return;
    this.refused = "";
    try {
      const picture = await addFile(file);
      this.set(picture);
    } catch (error) {
      this.refused = error.message;
      this.refresh();
    }
  }

  set(picture) {
    store.change((room) => {
      if (picture) room.inputs[this.role_] = picture;
      else delete room.inputs[this.role_];
    }, "inputs");
    this.refresh();
  }

  async choose() {
    const choice = await pickSample(this.options.kind, this.options.noise);
    if (!choice) return;
    if (choice.file) await this.take(choice.file);
    else this.set(choice.none ? null : choice.picture);
  }

  refresh() {
    const picture = this.picture;
    const empty = t(this.options.noise ? "slot.noise" : "slot.empty");
    const long = picture?.film ? ` · ${duration(picture.film.seconds)}` : "";
    const size = picture ? `${picture.width} × ${picture.height}${long}` : t(this.options.noise ? "slot.noise_note" : "slot.drop");
    this.replaceChildren(
      el("div", { class: "slot" },
        picture ? thumb(picture.thumb, 72, 48) : el("span", { class: "thumb" }),
        el("div", { class: "name" }, el("b", {}, picture ? pictureName(picture) : empty), el("small", {}, size), el("small", {}, staysWords())),
        el("button", { class: "quiet", type: "button", onclick: () => this.choose() },
          t(picture ? "slot.change" : "slot.choose"))),
    );
    this.querySelector("img")?.classList.add("thumb");
    if (this.refused) this.append(el("p", { class: "refused", role: "alert" }, this.refused));
  }
}

customElements.define("bl-slot", Slot);
