/* An alarm as sentences: what, since when, until when, why, how surely. Facts in, text out. */

import { numbers } from "./facts.js";
import { measured, moment, number, percent, span } from "./format.js";
import { label, t, worded } from "./i18n.js";
import { shortName } from "./sentences.js";
import { serverNow } from "./source.js";

const time = (text) => moment(new Date(text), serverNow());

/* A card is read in five seconds. */
const MOST_FACTS = 4;

const BASINS = { west: "map.gulf", east: "map.east" };

/** What befalls a whole basin has no place of its own. */
export const basinName = (id) => (id in BASINS ? t(BASINS[id]) : "");

/** The sentence of its situation, else the title of its rule with the place. */
export function alarmHeadline(alarm, port) {
  const headline = port.situations.get(alarm.situation)?.headline ?? alarm.headline;
  if (headline) return firstClause(label(headline));
  const places = alarm.sites.map((site) => shortName(port.sites.get(site)) || site);
  if (!places.length && basinName(alarm.subject)) places.push(basinName(alarm.subject));
  const where = places.length > 1 ? t("alarm.places", { place: places[0], number: number(places.length - 1) }) : places[0];
  return where ? t("alarm.at", { title: label(alarm.title), place: where }) : label(alarm.title);
}

/* Times have a line of their own below. */
export const firstClause = (text) => text.split(/\. (?=\p{Lu})/u)[0].replace(/, (since|depuis) .*$/, "").replace(/\.$/, "");

/** Since when, how it goes on, until when, and whether that is usual. */
export function alarmTimes(alarm, situation, detail) {
  const parts = [t("since", { time: time(alarm.onset) })];
  if (!alarm.active) parts.push(t("alarm.over"));
  else parts.push(situation && t(`trend.${situation.trend}`), ending(situation));
  parts.push(usual(detail?.arithmetic?.abnormality));
  return parts.filter(Boolean).join(" · ");
}

export function ending(situation) {
  if (!situation?.expected_end) return "";
  const { expected_end: end, expected_end_low: low, expected_end_high: high } = situation;
  const values = { end: time(end), low: low && time(low), high: high && time(high) };
  return low && high ? t("alarm.end.range", values) : t("alarm.end", values);
}

const usual = (abnormality) => worded(`abnormality.${abnormality}`);

export const situationLength = ({ length_m: length }) => (length > 0 ? t("alarm.length", { km: number(length / 1000, 1) }) : "");

/** What it costs: length of the queue, hours of lorries lost. */
export function alarmExtent(situation) {
  if (!situation) return "";
  const { lorry_hours: hours } = situation;
  return [situationLength(situation), hours >= 0.5 && t("alarm.lorries", { hours: measured(hours), n: Math.round(hours) })].filter(Boolean).join(" · ");
}

/** What a queue reaches next and when, or that it is there. */
export function spillback(situation, port) {
  const next = situation?.spillback;
  if (!next) return "";
  const place = shortName(port.sites.get(next.site)) || next.site;
  if (!next.reaches_at) return t("spillback.there", { place });
  return t("spillback.reaches", { place, span: span(new Date(next.reaches_at) - serverNow()) });
}

/** The cause that is named, and not what only may be one: as the headline has it. */
export const namedCause = (cause) => (cause === "unknown" ? "" : worded(`cause.${cause}`));

/** The same with the numbers that speak for it now; what is named stays when nothing speaks for it any more. */
export function alarmCause(alarm, situation) {
  const what = situation?.cause ?? alarm.cause;
  const hint = situation?.causes?.find((one) => one.what === what);
  const sure = hint ? ` (${percent(hint.confidence)})` : "";
  const said = namedCause(what);
  return said && [said + sure, numbers(hint?.evidence).slice(0, MOST_FACTS).join(", ")].filter(Boolean).join(" · ");
}

/** Whether this tells of the traffic or of a sensor, on how many sensors it rests, and how much of them is heard. */
export function alarmSource(alarm, port) {
  const states = alarm.sensors.map((id) => port.states.get(id)).filter(Boolean);
  const coverages = states.map(({ coverage }) => coverage).filter(Number.isFinite);
  const mean = coverages.reduce((sum, share) => sum + share, 0) / (coverages.length || 1);
  const sensor = alarm.level === "unknown" || /sensor|fault|silent|stuck/.test(alarm.rule) || (states.length > 0 && states.every(({ verdict }) => verdict === "sensor"));
  const parts = [t(sensor ? "verdict.sensor" : "verdict.traffic"), t("alarm.sensors", { n: alarm.sensors.length, number: number(alarm.sensors.length) })];
  if (coverages.length) parts.push(t("alarm.coverage", { share: percent(mean) }));
  return parts.join(" · ");
}

/** What state it is in, where that is more than that it calls. */
export function alarmState(alarm) {
  const now = serverNow();
  if (alarm.state === "shelved" && alarm.shelved_until) return t("state.shelved.until", { time: moment(new Date(alarm.shelved_until), now) });
  const late = alarm.respond_by && alarm.state === "unacknowledged" ? new Date(alarm.respond_by) - now : null;
  if (late !== null) return late > 0 ? t("state.due", { span: span(late) }) : t("state.late", { span: span(-late) });
  return t(`state.${alarm.state}`);
}
