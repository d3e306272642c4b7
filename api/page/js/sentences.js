/* What the page says of sensors and events, as sentences in the language of the reader. Facts in, text out. */

import { measured, moment, number, percent, quantity, span } from "./format.js";
import { has, label, t, worded } from "./i18n.js";
import { share } from "./marks.js";
import { serverNow } from "./source.js";

const MASCULINE_ROAD = /^(Accès|Boulevard|Chemin|Cours|Pont|Quai|Tunnel)/;
const STANDING_PCT = 80;

/** The name of a site without what follows its comma: there is little room on a map. */
export const shortName = (site) => (site?.name || site?.id || "").split(",")[0];

/** Where a sensor is: its road and site, without saying the road twice. */
export function placeOf(sensor, port) {
  if (!port.isWall(sensor.site)) return sensor.name || sensor.id;
  const site = shortName(port.sites.get(sensor.site)) || sensor.site;
  if (!sensor.road || site.includes(sensor.road)) return site;
  return sensor.road.includes(" ") ? `${sensor.road}, ${site}` : `${sensor.road} ${site}`;
}

const towards = (sensor) => (sensor.road && sensor.direction ? t("towards", { direction: sensor.direction }) : "");
const wayThrough = (sensor) => worded(`gate.${sensor.direction}`);
const gender = (sensor) => (MASCULINE_ROAD.test(sensor.road ?? "") ? "m" : "f");

/** One line for sensors that share a trouble. */
export function headline({ sensors, level }, port) {
  const [sensor] = sensors;
  if (port.silent(sensor)) return silence(sensors, port);
  const state = port.stateOf(sensor);
  const filled = share(port.kinds.get(sensor.kind), state);
  const values = {
    place: placeOf(sensor, port),
    towards: towards(sensor),
    way: wayThrough(sensor),
    wait: span(1000 * (state?.reading?.wait_s ?? 0)),
    share: filled === null ? "" : percent(filled),
  };
  if (sensor.kind === "traffic") return t(`traffic.${level}.${gender(sensor)}`, values);
  const own = `kind.${sensor.kind}.${level}`;
  if (has(own)) return t(own, { ...values, dark: number(state?.reading?.plugs_failed ?? 0) });
  if (sensor.kind === "gate" || (filled !== null && has(`kind.${sensor.kind}`))) return t(`kind.${sensor.kind}`, values);
  return t("kind.other", { ...values, kind: kindTitle(sensor, port), level: t(`level.${level}`) });
}

function silence(sensors, port) {
  const [sensor] = sensors;
  const values = { n: number(sensors.length), sensor: sensor.id, place: placeOf(sensor, port) };
  return t(sensors.length === 1 ? "silent.one" : "silent.many", values);
}

export const kindTitle = (sensor, port) => {
  const kind = port.kinds.get(sensor.kind);
  return kind ? label(kind.title) : sensor.kind;
};

/** What the headline rests on: the worst sensor's measured values. */
export function evidence({ sensors }, port) {
  const [sensor] = sensors;
  const state = port.stateOf(sensor);
  if (port.silent(sensor)) return lastHeard(state);
  const reading = state?.reading ?? {};
  if (sensor.kind === "traffic") return roadEvidence(sensor, reading);
  if (sensor.kind === "gate") return gateEvidence(reading);
  const rule = port.kinds.get(sensor.kind)?.level;
  if (!rule?.of) return valueText(state, port);
  return t("evidence.share", { sensor: sensor.id, used: number(reading[rule.field] ?? 0), capacity: number(reading[rule.of] ?? 0) });
}

function lastHeard(state) {
  return state?.time ? t("evidence.silent", { span: span(serverNow() - new Date(state.time)) }) : t("evidence.never");
}

function roadEvidence(sensor, { speed_kmh: speed, occupancy_pct: occupancy }) {
  if (!Number.isFinite(speed) && occupancy >= STANDING_PCT) return t("evidence.standing", { occupancy: percent(occupancy / 100) });
  if (!Number.isFinite(speed)) return "";
  if (!sensor.free_speed_kmh) return quantity(speed, "km/h");
  return t("evidence.speed", { speed: measured(speed), free: measured(sensor.free_speed_kmh) });
}

function gateEvidence({ queue_trucks: trucks, queue_m: metres, lanes_open: lanes }) {
  const parts = [
    Number.isFinite(trucks) && t("evidence.trucks", { n: number(trucks) }),
    Number.isFinite(metres) && t("evidence.metres", { n: number(metres) }),
    Number.isFinite(lanes) && t("evidence.lanes", { n: number(lanes) }),
  ];
  return parts.filter(Boolean).join(", ");
}

export function since(situation) {
  return situation.since ? t("since", { time: moment(situation.since, serverNow()) }) : "";
}

/** The value to show first, with its unit. */
export function valueText(state, port) {
  if (!state?.value) return "–";
  const filled = share(port.kinds.get(state.kind), state);
  if (filled !== null) return percent(filled);
  return quantity(state.value.value, state.value.unit);
}

/** A sensor in one sentence, for tooltips and screen readers. */
export function sensorSentence(sensor, port) {
  const state = port.stateOf(sensor);
  const level = port.silent(sensor) ? "silent" : port.level(sensor);
  const what = sensor.name || kindTitle(sensor, port);
  const now = [level && t(`level.${level}`), state?.value && valueText(state, port)].filter(Boolean).join(", ");
  return t("sensor.sentence", { id: sensor.id, place: shortName(port.sites.get(sensor.site)), what, now });
}

/** An event of the feed in one line, without its time. */
export function eventSentence(event, port) {
  const name = event.type.replace(/^vigie\./, "").replace(/\.v\d+$/, "");
  const sensor = port.sensors.get(event.subject);
  const place = sensor ? placeOf(sensor, port) + towards(sensor) : event.subject;
  const level = event.data?.level;
  const values = { place, subject: event.subject, level: worded(`level.${level}`) };
  return has(`event.${name}`) ? t(`event.${name}`, values) : t("event.other", { ...values, name });
}
