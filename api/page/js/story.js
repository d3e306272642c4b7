/* A page for one situation or one terminal, in the place of the map, with an address of its own to link to. */

import { alarmHeadline } from "./alarm-words.js";
import { byId, h } from "./dom.js";
import { fetchStories, t } from "./i18n.js";
import { get } from "./source.js";

const EVERY_MS = 60_000;
/* Fetched when they are asked for: the first paint does not wait for them. */
const PAGES = {
  situation: async (id, story) => (await import("./situation-page.js")).situationPage(id, story),
  sensor: async (id, story) => (await import("./sensor-page.js")).sensorPage(id, story),
  terminal: async (id, story) => (await import("./terminal-page.js")).terminalPage(id, story),
};

export class Story {
  constructor(port, book, openSensor) {
    Object.assign(this, { port, book, openSensor, asked: 0, codes: [] });
    this.element = byId("story");
    addEventListener("hashchange", () => this.follow());
    document.addEventListener("keydown", (event) => event.key === "Escape" && !event.target.closest("form, dialog") && this.close());
    setInterval(() => this.render(), EVERY_MS);
    this.follow();
    this.terminals();
  }

  /** The page of what an alarm is about: its situation, else its sensor. */
  ofAlarm(alarm) {
    if (alarm.situation) location.hash = `situation/${alarm.situation}`;
    else this.openSensor(alarm.sensors[0]);
  }

  close() {
    if (location.hash) location.hash = "";
  }

  follow() {
    const [kind, id] = decodeURIComponent(location.hash.slice(1)).split("/");
    const before = this.page;
    this.page = id && PAGES[kind] ? () => PAGES[kind](id, this) : null;
    if (this.page && !before) this.opener = document.activeElement;
    byId("map").hidden = Boolean(this.page);
    this.element.hidden = !this.page;
    this.element.replaceChildren();
    this.render().then(() => this.page && this.element.querySelector("h2")?.focus());
    if (before && !this.page) this.giveBack();
  }

  /* The focus goes back to what opened the page, where that is still there. */
  giveBack() {
    const there = this.opener?.isConnected && this.opener !== document.body;
    (there ? this.opener : document.querySelector('[role="tab"][aria-selected="true"]')).focus();
  }

  /** Ask for everything again; only the answer to the newest question is drawn. */
  async render() {
    this.chips();
    if (!this.page) return;
    const asked = (this.asked += 1);
    const drawn = await fetchStories().then(this.page).catch((error) => [this.title(t("story.failed", { reason: error.message }))]);
    if (asked !== this.asked || !this.page) return;
    const kept = this.element.contains(document.activeElement) ? document.activeElement.id : null;
    this.element.replaceChildren(h("button", { type: "button", id: "story-close", class: "chip", onclick: () => this.close() }, `← ${t("story.close")}`), ...drawn);
    if (kept) byId(kept)?.focus();
  }

  title(...parts) {
    return h("h2", { id: "story-title", tabindex: -1 }, parts);
  }

  headline(alarm) {
    return alarmHeadline(alarm, this.port);
  }

  async terminals() {
    this.codes = (await get("terminals")).items;
    this.chips();
  }

  chips() {
    const links = this.codes.map(({ terminal, name }) => h("a", { class: "chip", href: `#terminal/${terminal}` }, name));
    byId("terminals").replaceChildren(h("h2", {}, t("terminals.title")), h("p", { class: "sensors" }, links));
  }
}

/** A part of a story that may fail for itself: its title and what `draw` gives, or why there is nothing. */
export async function part(title, draw) {
  let drawn;
  try {
    drawn = await draw();
  } catch (error) {
    drawn = [h("p", { class: "quiet" }, t("story.failed", { reason: error.message }))];
  }
  return h("section", {}, h("h3", {}, title), drawn.length ? drawn : h("p", { class: "quiet" }, t("story.none")));
}
