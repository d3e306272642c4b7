/* Charts of the pages: a day of means with what is known of them, and what is expected with its interval. */

import { chart, meansOf } from "./chart.js";
import { h } from "./dom.js";
import { measured, quantity } from "./format.js";
import { label, t } from "./i18n.js";

const MINUTE_MS = 60_000;
const BEFORE_MS = 120 * MINUTE_MS;

/** One field of an answer of readings as a chart, with what its shades and marks mean. */
export function history(answer, field) {
  const values = answer.values[field.name];
  if (!values?.some((value) => value !== null)) return [];
  const beside = meansOf(answer, field.name);
  const legend = [beside.range.length && t("chart.range"), beside.dim.length && t("chart.dim"), beside.revised.length && t("chart.revised", { n: beside.revised.length })];
  return [
    ...chart({
      points: answer.time.map((time, i) => [Date.parse(time), values[i]]),
      from: Date.parse(answer.from),
      to: Date.parse(answer.to),
      step: answer.step_s * 1000,
      lines: [],
      show: (value) => quantity(value, field.unit),
      title: label(field.title),
      ...beside,
    }),
    h("p", { class: "quiet" }, [label(field.title), ...legend.filter(Boolean)].join(" · ")),
  ];
}

/** A forecast after the readings that it follows from. */
export function ahead({ time, items, unit, interval }, readings) {
  const now = Date.parse(time);
  const [field] = readings.fields.filter(({ unit: own }) => own === unit);
  const values = readings.values[field.name];
  const points = readings.time.map((at, i) => [Date.parse(at), values[i]]).filter(([at]) => at > now - BEFORE_MS && at <= now);
  const steps = items.map((item) => [Date.parse(item.time), item]);
  const last = points.findLast(([, value]) => value !== null)?.[1] ?? items[0].speed;
  return [
    ...chart({
      points,
      from: now - BEFORE_MS,
      to: steps.at(-1)[0],
      step: readings.step_s * 1000,
      lines: [],
      show: (value) => quantity(value, unit),
      title: t("chart.ahead"),
      expected: [[now, last], ...steps.map(([at, { speed }]) => [at, speed])],
      range: [[now, last, last], ...steps.map(([at, { low, high }]) => [at, low, high])],
    }),
    ...items.map((item) => h("p", {}, line(item, unit))),
    h("p", { class: "quiet" }, t("chart.interval", { n: Math.round(100 * interval) })),
  ];
}

function line({ minutes, speed: expected, low, high, usual }, unit) {
  const speed = (value) => (Number.isFinite(value) ? quantity(value, unit) : "–");
  return t("story.forecast.line", { n: minutes, speed: speed(expected), low: measured(low), high: speed(high), usual: speed(usual) });
}
