/* What can be done about an alarm, with its keys, and the small forms that ask for the words. */

import { h } from "./dom.js";
import { t } from "./i18n.js";

const KEYS = { acknowledge: "A", respond: "R", shelve: "S", unshelve: "U", comment: "C", true: "Y", false: "N" };
const DONE = ["call_made", "sign_set", "police_told", "crew_sent", "other"];
const SHELVED_MIN = [15, 30, 60, 120, 480];
const LONGEST_REASON = 200;
const LONGEST_COMMENT = 500;

/** The actions possible now, the most likely first. */
export function quickActions(alarm) {
  const names = alarm.actions.flatMap((name) => (name === "confirm" ? ["true", "false"] : [name]));
  return Object.keys(KEYS)
    .sort((a, b) => order(a) - order(b))
    .filter((name) => names.includes(name))
    .map((name, i) => ({ name, key: KEYS[name], text: t(`action.${name}`), first: i === 0 && name === "acknowledge" }));
}

const ORDER = ["acknowledge", "unshelve", "respond", "shelve", "comment", "true", "false"];
const order = (name) => ORDER.indexOf(name);

/** The action of a key of the keyboard. */
export const actionOf = (key) => Object.keys(KEYS).find((name) => KEYS[name] === key.toUpperCase());

const field = (name, longest, required) => {
  const words = t(`form.${name}`);
  return h("label", {}, words, h("input", { name, maxlength: longest, required, autocomplete: "off" }));
};

function form(name, parts, read, send, cancel) {
  const element = h("form", { class: "asking", "aria-label": t(`action.${name}`) }, parts, buttons(cancel));
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    send(read(new FormData(element)));
  });
  return element;
}

const buttons = (cancel) =>
  h("p", { class: "actions" }, h("button", { type: "submit", class: "first" }, t("form.send")), h("button", { type: "button", onclick: () => cancel() }, t("form.cancel")));

function done() {
  const choices = DONE.map((name, i) => h("label", { class: "choice" }, h("input", { type: "checkbox", name: "done", value: name, checked: i === 0 }), t(`done.${name}`)));
  return h("fieldset", {}, h("legend", {}, t("form.done")), choices);
}

function minutes() {
  const options = SHELVED_MIN.map((n) => h("option", { value: n, selected: n === 30 }, n < 60 ? t("span.min", { n }) : t("span.h", { n: n / 60 })));
  return h("label", {}, t("form.minutes"), h("select", { name: "minutes" }, options));
}

export const forms = {
  shelve: (send, cancel) =>
    form("shelve", [field("reason", LONGEST_REASON, true), minutes()], (data) => ({ reason: data.get("reason"), minutes: Number(data.get("minutes")) }), send, cancel),
  comment: (send, cancel) => form("comment", [field("comment", LONGEST_COMMENT, true)], (data) => ({ comment: data.get("comment") }), send, cancel),
  respond: (send, cancel) =>
    form("respond", [done(), field("comment", LONGEST_COMMENT, false)], (data) => ({ done: data.getAll("done"), comment: data.get("comment") }), send, cancel),
};
