// A lesson that is drawn page after page: its picture, what it says, and its player.

import { el } from "../dom.js";
import { t, currentLanguage } from "../words.js";
import { api } from "../api.js";
import { store } from "../store.js";
import { folderButton, folderName, sendFolder } from "../folders.js";
import { Player } from "./player.js";

export class DrawnLesson {
  constructor(room, name) {
    this.room = room;
    this.name = name;
    this.again = name !== "classifier"; // a change shows at once, but where it would take minutes
    this.canvas = el("canvas", { role: "img", hidden: true, width: 16, height: 9 });
    this.invitation = this.again ? this.example() : el("p", { class: "serif" }, t(`learn.begin_${name}`));
    this.lines = el("div", { class: "said", role: "log", tabindex: "0", "aria-label": t("learn.says") });
    this.player = new Player(room, [["page", t("learn.page")]], { curve: false });
    this.node = el("div", { class: "lesson drawn" },
      el("div", { class: "sheet" }, this.invitation, this.canvas),
      room.hidden.has("player") ? null : this.player.node, this.lines);
    this.clear();
  }

  /** Its last page, as it was drawn once: until the first one is. */
  example() {
    const file = `${this.room.lesson.engine.replace("lesson_", "")}.${currentLanguage()}`;
    return el("img", { src: `/images/lessons/${file}.webp`, alt: t(`learn.title_${this.name}`), width: 1024, height: 576 });
  }

  /** The pages come by themselves when the lesson is opened. */
  async begin() {
    if (this.name === "classifier") await this.offerFolders();
    else if (!this.room.job) await this.room.play();
  }

  /** Its pictures lie in a folder that the studio was started with, or in one's own. @param chosen its id. */
  async offerFolders(chosen = "") {
    const folders = (await api.folders().catch(() => [])).filter((one) => one.pictures > 0);
    const select = el("select", {
      id: "lesson-folder",
      onchange: () => { store.here.inputs.folder = { id: select.value }; },
    }, folders.map((one) => el("option", { value: one.id, selected: one.id === chosen }, folderName(one))));
    if (folders.length) store.here.inputs.folder = { id: select.value };
    const says = el("span", { role: "status" });
    const own = folderButton((files) => sendFolder(files, (n, all) => { says.textContent = t("train.sending", { n, all }); })
      .then((made) => this.offerFolders(made.id), (error) => { says.textContent = error.message; }));
    this.invitation.replaceChildren(t("learn.begin_classifier"), el("br"),
      ...(folders.length ? [el("label", { for: "lesson-folder" }, t("train.folder")), " ", select, " "] : []), ...own, says);
  }

  get readyLine() {
    return t(`learn.about_${this.name}`);
  }

  clear() {
    this.lastLine = null;
    this.lines.replaceChildren();
    this.player.clear();
  }

  take(message) {
    this.player.set("page", String(message.page || "–"));
    if (message.lines.length === this.lines.childElementCount) return;
    this.lines.replaceChildren(...message.lines.map((line) => el("p", {}, line)));
    this.canvas.setAttribute("aria-label", message.lines.slice(0, 3).join(" ") || t(`learn.title_${this.name}`));
  }

  line() {
    return this.readyLine;
  }

  takeFrame(bitmap) {
    this.invitation.hidden = true;
    this.canvas.hidden = false;
    this.canvas.width = bitmap.width;
    this.canvas.height = bitmap.height;
    this.canvas.getContext("2d").drawImage(bitmap, 0, 0);
    bitmap.close();
    return true;
  }

  refresh() {
    this.player.refresh();
  }

  end() {
    // its job is stopped by the room
  }
}
