/* The list of alarms: by urgency, with keys for every action, a flood said aloud, a sound for what must not be missed. */

import { AlarmCard } from "./alarm-card.js";
import { actionOf } from "./alarm-forms.js";
import { isWaiting } from "./alarm-book.js";
import { alarmHeadline, alarmState } from "./alarm-words.js";
import { byId, h, setText } from "./dom.js";
import { moment, number } from "./format.js";
import { t } from "./i18n.js";
import { badge } from "./level.js";
import { serverNow } from "./source.js";
import { isMuted, ring, toggleSound } from "./sound.js";

const STEPS = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 };
/* In a flood only so many are drawn: the most urgent, and how many more there are. */
const DRAWN = 30;

export class AlarmsView {
  constructor(port, book, opened) {
    Object.assign(this, { port, book, opened, cards: new Map(), known: null });
    this.list = byId("alarms-list");
    document.addEventListener("keydown", (event) => this.key(event));
    byId("sound").addEventListener("click", () => this.sound());
  }

  render() {
    const { shown, waiting } = this.book;
    this.announce(waiting);
    this.summary(shown, waiting);
    this.flood();
    this.draw(shown.slice(0, DRAWN));
    this.rest(shown.length - DRAWN);
    this.shelf();
    this.showSound();
  }

  summary(shown, waiting) {
    const n = shown.length;
    const words = n ? t("alarms.count", { n, number: number(n) }) : t("alarms.none");
    const asking = n > 0 && t("alarms.waiting", { n: waiting.length, number: number(waiting.length) });
    const marks = ["jammed", "congested", "dense"].map((level) => [level, shown.filter((alarm) => alarm.level === level).length]);
    const counts = marks.filter(([, found]) => found).map(([level, found]) => h("span", { class: "count", title: t(`level.${level}`) }, badge(level), h("span", { class: "hidden" }, t(`level.${level}`)), number(found)));
    const failed = this.book.failed && h("p", { class: "refused", role: "alert" }, t("alarms.failed", { reason: this.book.failed }));
    replace("alarms-summary", [h("p", { class: "summary" }, h("strong", {}, [words, asking].filter(Boolean).join(" · ")), h("span", { class: "counts" }, counts)), failed]);
  }

  flood() {
    const { flood } = this.book;
    const values = flood && { time: moment(new Date(flood.began), serverNow()), n: flood.most, number: number(flood.most) };
    replace("alarms-flood", flood ? [h("p", { class: "flood" }, h("strong", {}, t("flood.title")), " ", t("flood.text", values))] : []);
  }

  draw(alarms) {
    const ids = new Set(alarms.map(({ id }) => id));
    for (const [id, card] of this.cards) if (!ids.has(id) && !card.form) this.drop(id, card);
    const first = alarms.find(isWaiting);
    alarms.forEach((alarm, i) => this.put(alarm, i, alarm === first));
  }

  put(alarm, i, wide) {
    const card = this.cards.get(alarm.id) ?? new AlarmCard(this.book, this.port, this.opened);
    this.cards.set(alarm.id, card);
    card.show(alarm, wide);
    const there = this.list.children[i];
    if (there !== card.element && !this.list.contains(document.activeElement)) this.list.insertBefore(card.element, there ?? null);
    else if (!card.element.isConnected) this.list.append(card.element);
  }

  drop(id, card) {
    const next = card.element.contains(document.activeElement) && (card.element.nextElementSibling ?? card.element.previousElementSibling);
    card.element.remove();
    this.cards.delete(id);
    if (next) next.querySelector("h3 button")?.focus();
  }

  rest(n) {
    replace("alarms-rest", n > 0 ? [h("p", { class: "quiet" }, t("alerts.more", { n, number: number(n) }))] : []);
  }

  /* What is hidden stays in sight as a line: out of sight, it is forgotten. */
  shelf() {
    const { hidden } = this.book;
    const line = (alarm) => h("li", {}, badge(alarm.level, 12), h("span", {}, `${alarmHeadline(alarm, this.port)} · ${alarmState(alarm)}`), this.back(alarm));
    const title = h("h2", {}, t("alarms.hidden", { n: hidden.length, number: number(hidden.length) }));
    replace("alarms-hidden", hidden.length ? [title, h("ul", { class: "shelf" }, hidden.slice(0, DRAWN).map(line))] : []);
  }

  back(alarm) {
    const show = () => this.book.act(alarm, "unshelve", {}).catch(() => this.book.refresh());
    return alarm.actions.includes("unshelve") && h("button", { type: "button", class: "chip", onclick: show }, t("action.unshelve"));
  }

  /** One key acts on the card in focus, or else on the first that waits. */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, select, textarea, dialog, .mark, svg")) return;
    const cards = [...this.list.children];
    const at = cards.findIndex((card) => card.contains(document.activeElement));
    if (event.key in STEPS && (at >= 0 || event.key.length === 1)) this.step(event, cards, at);
    else if (event.key.toLowerCase() === "m") this.sound();
    else this.shortcut(event, cards, at);
  }

  step(event, cards, at) {
    event.preventDefault();
    cards[Math.min(Math.max(at + STEPS[event.key], 0), cards.length - 1)]?.querySelector("h3 button").focus();
  }

  /* The key that asks for words is not one of them, and what is typed next already is. */
  shortcut(event, cards, at) {
    const name = actionOf(event.key);
    const chosen = at >= 0 ? cards[at] : cards.find((card) => card.classList.contains("waiting"));
    const card = name && chosen && this.cards.get(chosen.dataset.alarm);
    if (!card) return;
    event.preventDefault();
    card.begin(name);
  }

  sound() {
    toggleSound();
    this.showSound();
  }

  showSound() {
    setText(byId("sound"), t(isMuted() ? "sound.off" : "sound.on"));
    byId("sound").setAttribute("aria-pressed", String(!isMuted()));
  }

  /* A sound and a sentence for what calls anew, once; not for what stood when the page was opened. */
  announce(waiting) {
    const fresh = waiting.filter((alarm) => this.known && !this.known.has(call(alarm)));
    if (fresh.some(({ priority }) => priority === "high")) ring();
    if (fresh.length) setText(byId("announcer"), this.news(fresh));
    if (this.book.recent) this.known = new Set(waiting.map(call));
  }

  /* In an avalanche the first of them and how many more: a screen reader would read for minutes. */
  news([first, ...more]) {
    const rest = more.length ? t("alerts.more", { n: more.length, number: number(more.length) }) : "";
    return [t("alerts.new", { headline: alarmHeadline(first, this.port) }), rest].filter(Boolean).join(" ");
  }
}

/* A call of an alarm: it may call again at a higher level. */
const call = ({ id, level }) => `${id} ${level}`;

function replace(id, children) {
  const fresh = h("div", {}, children);
  if (byId(id).innerHTML !== fresh.innerHTML) byId(id).replaceChildren(...fresh.childNodes);
}
