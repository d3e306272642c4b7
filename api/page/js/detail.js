/* One sensor, opened: what and where it is, its latest reading, its last hours as a chart, and its neighbours on site. */

import { chart, meansOf } from "./chart.js";
import { byId, h } from "./dom.js";
import { word } from "./facts.js";
import { moment, number, quantity, span } from "./format.js";
import { label, t } from "./i18n.js";
import { badge } from "./level.js";
import { kindTitle, shortName, valueText } from "./sentences.js";
import { get, serverNow } from "./source.js";

const HOURS = [1, 6, 24, 168, 720];
const RELOAD_MS = 60_000;
/* Seconds from which a chart counts in minutes. */
const LONG_S = 600;

const inUnit = (means, size) => ({ ...means, range: means.range.map(([at, low, high]) => [at, low / size, high / size]) });

export class Detail {
  constructor(port) {
    Object.assign(this, { port, sensor: null, hours: 6, field: null, thing: null, asked: 0 });
    this.element = byId("detail");
    this.body = h("div", { class: "chart-box" });
    this.element.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
    setInterval(() => this.sensor && this.load(), RELOAD_MS);
  }

  /** Show a sensor; where the focus was gets it back when this is closed. */
  open(id) {
    const sensor = this.port.sensors.get(id);
    if (!sensor) return;
    if (!this.sensor) this.opener = document.activeElement?.dataset?.sensor ?? null;
    Object.assign(this, { sensor, thing: sensor.corridors?.[0] ?? sensor.id, field: this.kind(sensor)?.chart ?? null });
    this.element.hidden = false;
    this.render();
    this.load();
    this.element.querySelector("h2").focus();
  }

  close() {
    if (!this.sensor) return;
    this.sensor = null;
    this.element.hidden = true;
    const back = this.opener && document.querySelector(`.mark[data-sensor="${CSS.escape(this.opener)}"]`);
    (back || document.querySelector('[role="tab"][aria-selected="true"]'))?.focus();
  }

  kind(sensor = this.sensor) {
    return this.port.kinds.get(sensor.kind);
  }

  /** Redraw what stands around the chart; the chart itself follows its own clock. */
  render() {
    if (!this.sensor) return;
    const focused = document.activeElement?.closest("#detail") ? document.activeElement.dataset.keep : null;
    this.element.replaceChildren(this.header(), this.facts(), this.choices(), this.body, this.values(), this.siblings());
    if (focused) this.element.querySelector(`[data-keep="${focused}"]`)?.focus();
  }

  header() {
    const { id, site } = this.sensor;
    const level = this.port.level(this.sensor);
    const close = h("button", { type: "button", class: "close", "aria-label": t("sensor.close"), title: t("sensor.close"), "data-keep": "close", onclick: () => this.close() }, "×");
    const title = h("h2", { tabindex: -1, id: "detail-title", "data-keep": "title" }, badge(level, 14), `${id} · ${shortName(this.port.sites.get(site))}`);
    return h("header", {}, title, close);
  }

  facts() {
    const { sensor } = this;
    const state = this.port.states.get(this.thing);
    const level = this.port.silent(sensor) ? "silent" : this.port.level(sensor);
    const heard = state?.time ? t("sensor.now", { time: moment(new Date(state.time), serverNow()) }) : t("sensor.never");
    const what = [kindTitle(sensor, this.port), sensor.name, level && t(`level.${level}`)];
    const text = [...new Set(what.filter(Boolean))].join(" · ");
    const more = h("a", { href: `#sensor/${sensor.id}`, "data-keep": "more" }, t("sensor.more"));
    return h("p", {}, h("strong", {}, valueText(state, this.port)), " ", text, h("br"), h("span", { class: "quiet" }, heard), " · ", more);
  }

  choices() {
    const fields = this.kind()?.fields ?? [];
    const field = this.select("field", t("sensor.field"), fields.map(({ name, title }) => [name, label(title)]), this.field);
    const hours = this.select("hours", t("sensor.hours"), HOURS.map((n) => [n, span(3_600_000 * n)]), this.hours);
    const corridors = this.sensor.corridors ?? [];
    const thing = corridors.length > 1 && this.select("thing", t("sensor.corridor"), corridors.map((id) => [id, id.replace("-", " – ")]), this.thing);
    return h("div", { class: "choices" }, thing, field, hours);
  }

  select(name, title, options, chosen) {
    const change = (event) => {
      this[name] = name === "hours" ? Number(event.target.value) : event.target.value;
      this.render();
      this.load();
    };
    const items = options.map(([value, text]) => h("option", { value, selected: value === chosen }, text));
    return h("select", { "aria-label": title, title, "data-keep": name, onchange: change }, items);
  }

  /* Only the answer to the newest question is drawn. */
  async load() {
    const asked = (this.asked += 1);
    if (!this.body.hasChildNodes()) this.body.replaceChildren(h("p", { class: "quiet" }, t("chart.loading")));
    try {
      const readings = await get(`sensors/${encodeURIComponent(this.thing)}/readings`, { kind: this.sensor.kind, from: this.from().toISOString() });
      if (asked === this.asked && this.sensor) this.draw(readings);
    } catch (error) {
      if (asked === this.asked) this.body.replaceChildren(h("p", { class: "quiet" }, t("chart.failed", { reason: error.message })));
    }
  }

  /* A recording's clock stands where its readings end. */
  from() {
    const latest = this.port.states.get(this.thing)?.time;
    const now = this.port.isWall(this.sensor.site) || !latest ? serverNow() : new Date(latest);
    return new Date(now - this.hours * 3_600_000);
  }

  draw(readings) {
    const field = readings.fields.find(({ name }) => name === this.field) ?? readings.fields[0];
    const values = readings.values[field.name] ?? [];
    if (!values.some((value) => value !== null)) {
      this.body.replaceChildren(h("p", { class: "quiet" }, t("chart.empty")));
      return;
    }
    const [unit, size] = field.unit === "s" && values.some((value) => value >= LONG_S) ? ["min", 60] : [field.unit, 1];
    const what = label(field.title) + (unit === "1" ? "" : ` (${unit})`);
    const drawing = chart({
      points: readings.time.map((time, i) => [Date.parse(time), values[i] === null ? null : values[i] / size]),
      from: Date.parse(readings.from),
      to: Date.parse(readings.to),
      step: readings.step_s * 1000,
      lines: this.limits(field).map((line) => ({ ...line, value: line.value / size })),
      show: (value) => quantity(value * size, field.unit),
      title: t("chart.title", { what, n: number(this.hours) }),
      ...inUnit(meansOf(readings, field.name), size),
    });
    const resolution = h("span", { class: "quiet" }, t(`chart.resolution.${readings.resolution}`));
    this.body.replaceChildren(...drawing, resolution);
  }

  /* The limits of the levels where they are values of the field that is drawn; the free speed of a road. */
  limits(field) {
    const rule = this.kind()?.level;
    if (rule?.field !== field.name) return [];
    const free = this.sensor.free_speed_kmh;
    if (rule.rule === "speed_ratio") return free ? [{ value: free, level: "fluid", text: t("chart.free") }] : [];
    const whole = rule.of ? this.port.stateOf(this.sensor)?.reading?.[rule.of] : 1;
    if (!whole || !Number.isFinite(rule.congested)) return [];
    const own = Number.isFinite(this.sensor.congested) ? this.sensor : rule;
    return ["dense", "congested", "jammed"].map((level) => ({ value: own[level] * whole, level, text: t(`level.${level}`) }));
  }

  values() {
    const reading = this.port.states.get(this.thing)?.reading ?? {};
    const kind = this.kind();
    const numbers = (kind?.fields ?? []).map(({ name, title, unit }) => [label(title), quantity(reading[name], unit)]);
    const texts = (kind?.texts ?? []).map(({ name, title }) => [label(title), word(reading[name] ?? "–")]);
    return h("dl", {}, [...numbers, ...texts].map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
  }

  siblings() {
    const sensors = this.port.bySite.get(this.sensor.site) ?? [];
    if (sensors.length < 2 || sensors.length > 12) return h("p");
    const chip = (sensor) =>
      h(
        "button",
        { type: "button", class: "chip", "aria-pressed": String(sensor.id === this.sensor.id), "data-keep": sensor.id, onclick: () => this.open(sensor.id) },
        badge(this.port.level(sensor), 10),
        sensor.id.slice(sensor.site.length + 1) || sensor.id,
      );
    return h("p", { class: "siblings", role: "group", "aria-label": t("sensor.site") }, sensors.map(chip));
  }
}
