/* One alarm with everything that can be done about it, in place. What is being typed survives every beat of the data. */

import { alarmCause, alarmExtent, alarmHeadline, alarmSource, alarmState, alarmTimes } from "./alarm-words.js";
import { isWaiting } from "./alarm-book.js";
import { forms, quickActions } from "./alarm-forms.js";
import { h, setText } from "./dom.js";
import { label, t } from "./i18n.js";
import { badge } from "./level.js";

export class AlarmCard {
  constructor(book, port, opened) {
    Object.assign(this, { book, port, opened, alarm: null, form: null });
    this.facts = h("div", { class: "facts" });
    this.buttons = h("p", { class: "actions" });
    this.place = h("div", { class: "act" });
    this.error = h("p", { class: "refused", role: "alert", hidden: true });
    this.element = h("article", { tabindex: -1 }, this.facts, this.buttons, this.place, this.error);
    this.element.addEventListener("keydown", (event) => event.key === "Escape" && this.form && this.close(event));
  }

  /** Show an alarm as it is now; `wide` with what to do, others when they are in focus. */
  show(alarm, wide) {
    this.alarm = alarm;
    const detail = this.book.details.get(alarm.id);
    const situation = this.book.situations.get(alarm.situation);
    this.element.className = `card alarm ${alarm.level} ${isWaiting(alarm) ? "waiting" : "seen"} ${alarm.active ? "" : "over"} ${wide ? "expanded" : ""}`;
    this.element.dataset.alarm = alarm.id;
    this.swap(this.facts, this.told(alarm, situation, detail));
    this.swap(this.buttons, this.actions(alarm));
  }

  told(alarm, situation, detail) {
    const name = h("button", { type: "button", "data-keep": "name", onclick: () => this.opened(alarm) }, alarmHeadline(alarm, this.port));
    const lines = [alarmTimes(alarm, situation, detail), alarmExtent(situation)].filter(Boolean).join(" · ");
    const state = h("span", { class: alarm.escalated ? "state loud" : "state" }, alarm.escalated ? `${t("alarm.escalated")} · ` : "", alarmState(alarm));
    const cause = alarmCause(alarm, situation);
    return [
      h("h3", {}, badge(alarm.level, 14), h("span", { class: "hidden" }, `${t(`level.${alarm.level}`)}, `), name),
      h("p", {}, lines),
      cause && h("p", { class: "cause" }, cause),
      h("p", { class: "source" }, `${t(`priority.${alarm.priority}`)} · `, state, ` · ${alarmSource(alarm, this.port)}`),
      detail && isWaiting(alarm) && this.response(detail),
    ];
  }

  response({ response, consequence }) {
    const within = t("alarm.within", { n: response.within_min });
    return h("p", { class: "response", title: label(consequence) }, label(response.do), h("br"), h("span", { class: "quiet" }, `${label(response.call)} · ${within}`));
  }

  actions(alarm) {
    return quickActions(alarm).map(({ name, key, text, first }) =>
      h("button", { type: "button", class: first ? "first" : "", "data-keep": name, "data-action": name, onclick: () => this.begin(name) }, text, h("kbd", {}, key)),
    );
  }

  /* Replaced only where it reads differently, so that the focus stays. */
  swap(element, children) {
    const fresh = h("div", {}, children);
    if (element.innerHTML === fresh.innerHTML) return;
    const kept = element.contains(document.activeElement) ? document.activeElement.dataset.keep : null;
    element.replaceChildren(...fresh.childNodes);
    if (kept) (element.querySelector(`[data-keep="${kept}"]`) ?? this.element.querySelector("button"))?.focus();
  }

  /** Do what needs no more words, or ask for them. */
  begin(name) {
    if (!quickActions(this.alarm).some((action) => action.name === name)) return;
    if (name === "acknowledge" || name === "unshelve") this.act(name, {});
    else if (name === "true" || name === "false") this.act("confirm", { right: name === "true" });
    else this.ask(name);
  }

  ask(name) {
    this.form = forms[name]((body) => this.act(name, body), () => this.close());
    this.place.replaceChildren(this.form);
    this.form.querySelector("input, select, button").focus();
  }

  close(event) {
    event?.stopPropagation();
    this.form = null;
    this.place.replaceChildren();
    this.focus();
  }

  focus() {
    this.element.querySelector("h3 button")?.focus();
  }

  async act(name, body) {
    this.error.hidden = true;
    try {
      await this.book.act(this.alarm, name, body);
      if (this.form) this.close();
    } catch (error) {
      this.error.hidden = false;
      setText(this.error, t("alarm.refused", { reason: error.message }));
      this.book.refresh();
    }
  }
}
