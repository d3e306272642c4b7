/* All sensors as a list, site by site: what the map shows, for those who read, search or hold a telephone. */

import { byId, h } from "./dom.js";
import { moment } from "./format.js";
import { t } from "./i18n.js";
import { badge } from "./level.js";
import { sensorSentence, valueText } from "./sentences.js";
import { serverNow } from "./source.js";

const ROWS_OF_A_RECORDING = 300;

export class SensorsView {
  constructor(port, open) {
    Object.assign(this, { port, open, rows: new Map() });
    this.element = byId("sensors");
    this.filter = byId("sensors-filter");
    this.list = byId("sensors-list");
    this.filter.addEventListener("input", () => this.choose());
  }

  /** Build the list in the language of now. */
  render() {
    this.rows.clear();
    this.filter.setAttribute("placeholder", t("sensors.filter"));
    this.filter.setAttribute("aria-label", t("sensors.filter"));
    this.nothing = h("p", { class: "quiet", hidden: true }, t("sensors.nothing"));
    this.list.replaceChildren(...[...this.port.bySite].map(([site, sensors]) => this.site(site, sensors)), this.nothing);
    this.choose();
  }

  site(id, sensors) {
    const rows = sensors.slice(0, ROWS_OF_A_RECORDING).map((sensor) => this.row(sensor));
    return h("section", {}, h("h2", {}, `${id} · ${this.port.sites.get(id)?.name || id}`), h("ul", {}, rows));
  }

  row(sensor) {
    const button = h("button", { type: "button", onclick: () => this.open(sensor.id) });
    this.rows.set(sensor.id, { sensor, button });
    this.fill(sensor, button);
    return h("li", {}, button);
  }

  fill(sensor, button) {
    const state = this.port.stateOf(sensor);
    const time = state?.time ? moment(new Date(state.time), serverNow()) : "–";
    const name = [sensor.id, sensor.name].filter(Boolean).join(" · ");
    const cells = [name, valueText(state, this.port), time].map((text, i) => h("span", { class: ["name", "value", "time"][i] }, text));
    button.setAttribute("aria-label", sensorSentence(sensor, this.port));
    button.replaceChildren(badge(this.port.level(sensor), 12), ...cells);
  }

  /** Bring rows up to date; cheap enough to skip while nobody looks. */
  update(touched) {
    if (this.element.hidden) return;
    for (const { sensor, button } of this.rows.values()) if (!touched || touched.has(sensor.id)) this.fill(sensor, button);
  }

  choose() {
    const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const section of this.list.querySelectorAll("section")) {
      const title = section.querySelector("h2").textContent.toLowerCase();
      const items = [...section.querySelectorAll("li")];
      for (const item of items) item.hidden = !words.every((word) => (title + item.textContent.toLowerCase()).includes(word));
      section.hidden = items.every((item) => item.hidden);
    }
    this.nothing.hidden = [...this.list.querySelectorAll("section")].some((section) => !section.hidden);
  }
}
