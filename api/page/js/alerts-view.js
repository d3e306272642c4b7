/* Below the alarms: what no alarm covers yet, who is silent, recordings, and the journal of events. */

import { badge, rank } from "./level.js";
import { byId, h } from "./dom.js";
import { moment, number } from "./format.js";
import { t } from "./i18n.js";
import { eventSentence, evidence, headline, since } from "./sentences.js";
import { serverNow } from "./source.js";

const JOURNAL_LINES = 40;
const SHOWN_PER_RECORDING = 8;

export class AlertsView {
  constructor(port, book, open) {
    Object.assign(this, { port, book, open, events: [] });
    this.element = byId("alerts");
  }

  /** Take events of the feed in, oldest first: those that tell of the road or a sensor, each once. */
  remember(events) {
    const ids = new Set(this.events.map(({ id }) => id));
    const fresh = events.filter(({ id, type }) => !ids.has(id) && /^vigie\.(congestion|sensor)\./.test(type));
    this.events = this.events.concat(fresh).slice(-JOURNAL_LINES);
    this.renderJournal();
  }

  render() {
    const all = this.port.open();
    const here = all.filter(({ sensors }) => this.port.isWall(sensors[0].site));
    const covered = new Set(this.book.all.flatMap(({ sensors }) => sensors));
    const free = here.filter(({ sensors }) => sensors.some(({ id }) => !covered.has(id)));
    const watch = free.filter(({ level }) => rank(level) >= 1);
    const silent = free.filter(({ level }) => level === "unknown");
    const calm = !free.length && !this.book.all.length && h("p", { class: "calm" }, t(this.port.speaking ? "alerts.calm" : "alerts.waiting"));
    this.replace("alerts-calm", [calm]);
    this.replace("alerts-watch", this.section("alerts.watch", watch.map((situation) => this.card(situation))));
    this.replace("alerts-silent", this.section("alerts.silent", silent.map((situation) => this.card(situation))));
    this.replace("alerts-recordings", this.recordings(all.filter((situation) => !here.includes(situation))));
  }

  /* Replaced only when it reads differently, so focus and reading position survive the beat of the data. */
  replace(id, children) {
    const fresh = h("div", {}, children);
    const old = byId(id);
    if (old.innerHTML === fresh.innerHTML) return;
    const focused = document.activeElement?.closest?.(`#${id} .card`)?.dataset.key;
    old.replaceChildren(...fresh.childNodes);
    if (focused) old.querySelector(`.card[data-key="${CSS.escape(focused)}"] button`)?.focus();
  }

  section(title, cards) {
    return cards.length ? [h("h2", {}, t(title)), cards] : [];
  }

  card(situation) {
    const { key, sensors, level } = situation;
    const [loud, quiet] = [headline(situation, this.port), [since(situation), evidence(situation, this.port)]];
    return h(
      "article",
      { class: `card ${level}`, "data-key": key },
      h("h3", {}, badge(level, 14), h("button", { type: "button", onclick: () => this.open(sensors[0].id) }, loud)),
      h("p", {}, quiet.filter(Boolean).join(" · ")),
      h("p", { class: "sensors" }, sensors.map(({ id }) => this.chip(id))),
    );
  }

  chip(id) {
    return h("button", { type: "button", class: "chip", onclick: () => this.open(id) }, id);
  }

  /* A replayed city may have hundreds of stations: the worst of each recording, and how many more. */
  recordings(situations) {
    if (!situations.length) return [];
    const shown = situations.slice(0, SHOWN_PER_RECORDING).map((situation) => this.card(situation));
    const n = situations.length - shown.length;
    return [...this.section("alerts.recordings", shown), n > 0 && h("p", { class: "quiet" }, t("alerts.more", { n, number: number(n) }))];
  }

  renderJournal() {
    const now = serverNow();
    const lines = [...this.events].reverse().map((event) => this.line(event, now));
    const list = lines.length ? h("ol", { class: "journal" }, lines) : h("p", { class: "quiet" }, t("alerts.journal.empty"));
    this.replace("alerts-journal", [h("h2", {}, t("alerts.journal")), list]);
  }

  line(event, now) {
    const time = h("time", { datetime: event.time }, moment(new Date(event.time), now));
    const level = event.type.includes(".sensor.silent") ? "unknown" : (event.data?.level ?? "fluid");
    return h("li", {}, time, badge(level, 12), h("span", {}, eventSentence(event, this.port)));
  }
}
