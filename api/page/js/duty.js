/* Who is on duty, and the change of shift in one action. */

import { byId, h, setText } from "./dom.js";
import { moment } from "./format.js";
import { t } from "./i18n.js";
import { send } from "./sender.js";
import { get, serverNow } from "./source.js";

const EVERY_MS = 60_000;

export class Duty {
  constructor() {
    this.present = null;
    this.button = byId("duty");
    this.dialog = byId("shift");
    this.button.addEventListener("click", () => this.open());
    setInterval(() => this.load(), EVERY_MS);
    this.load();
  }

  async load() {
    try {
      this.present = (await get("shift")).present;
      this.render();
    } catch {
      setText(this.button, t("duty.unknown"));
    }
  }

  render() {
    setText(this.button, this.present ? t("duty.now", { name: this.present.operator }) : t("duty.nobody"));
  }

  open() {
    const since = this.present && t("duty.since", { name: this.present.operator, time: moment(new Date(this.present.began), serverNow()) });
    const error = h("p", { class: "refused", role: "alert", hidden: true });
    const form = h(
      "form",
      { class: "asking" },
      h("label", {}, t("duty.name"), h("input", { name: "operator", required: true, maxlength: 80, autocomplete: "off" })),
      h("label", {}, t("duty.note"), h("input", { name: "note", maxlength: 500, autocomplete: "off" })),
      error,
      h("p", { class: "actions" }, h("button", { type: "submit", class: "first" }, t("duty.take")), h("button", { type: "button", onclick: () => this.dialog.close() }, t("form.cancel"))),
    );
    form.addEventListener("submit", (event) => this.take(event, form, error));
    this.dialog.replaceChildren(h("h2", { id: "shift-title" }, t("duty.title")), since && h("p", { class: "quiet" }, since), this.note(), form);
    this.dialog.showModal();
  }

  note() {
    return this.present?.note ? h("p", { class: "response" }, this.present.note) : "";
  }

  async take(event, form, error) {
    event.preventDefault();
    const data = new FormData(form);
    try {
      this.present = await send("shift", { operator: data.get("operator"), note: data.get("note") });
      this.dialog.close();
      this.render();
    } catch (refusal) {
      error.hidden = false;
      setText(error, refusal.message);
    }
  }
}
