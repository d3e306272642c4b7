/* The page of a sensor, for whoever installs and repairs it: its health with what speaks for it, its clock, what of its
   readings is stored, a day of them with their coverage, what is to come, and its last messages as they came. */

import { basinName } from "./alarm-words.js";
import { h } from "./dom.js";
import { facts } from "./facts.js";
import { moment, number, percent, span } from "./format.js";
import { ahead, history } from "./history-chart.js";
import { t, worded } from "./i18n.js";
import { badge } from "./level.js";
import { kindTitle, shortName, valueText } from "./sentences.js";
import { get, serverNow } from "./source.js";
import { part } from "./story.js";

const DAY_MS = 86_400_000;
const HISTORY = 12;
const PAYLOADS = 8;

export async function sensorPage(id, { port, title }) {
  const sensor = port.sensors.get(id);
  const path = `sensors/${encodeURIComponent(id)}`;
  const things = sensor.corridors?.length ? sensor.corridors : [id];
  const detail = await get(path);
  return [
    title(badge(port.level(sensor), 16), ` ${id} · ${shortName(port.sites.get(sensor.site))}`),
    h("p", { class: "quiet" }, [kindTitle(sensor, port), sensor.name, valueText(port.stateOf(sensor), port)].filter(Boolean).join(" · ")),
    ...(await Promise.all([
      part(t("health.title"), () => health(sensor, things, port)),
      part(t("health.clock"), async () => clock(detail.clock)),
      part(t("health.stored"), async () => stored(detail.receipts)),
      ...things.flatMap((thing) => [
        part(t("health.day", { thing }), () => day(thing, sensor, port)),
        sensor.kind === "traffic" && part(t("story.forecast", { sensor: thing }), () => forecast(thing, sensor, port)),
        part(t("health.raw", { thing }), () => payloads(thing)),
      ]).filter(Boolean),
    ])),
  ];
}

/* What stands against it now, at its site and in its basin too; then what was found before and why. */
async function health(sensor, things, port) {
  const site = port.sites.get(sensor.site);
  const places = new Set([sensor.id, ...things, sensor.site, site?.basin]);
  const subjects = new URLSearchParams([...places].filter(Boolean).map((place) => ["subject", place]));
  subjects.append("type", "vigie.sensor.*");
  subjects.append("newest", HISTORY);
  const [faults, events] = await Promise.all([get("faults"), get(`alerts?${subjects}`)]);
  const now = faults.items.filter(({ place }) => places.has(place));
  const state = port.stateOf(sensor);
  const words = [t(`verdict.is.${state?.verdict ?? "unknown"}`), Number.isFinite(state?.coverage) && t("health.coverage", { share: percent(state.coverage) })];
  return [
    h("p", {}, now.length ? h("strong", {}, now.map((fault) => `${faultName(fault.fault)} · ${placeName(fault.place)} · ${since(fault.since)}`).join(", ")) : t("health.none")),
    h("p", { class: "quiet" }, words.filter(Boolean).join(" · ")),
    events.items.length > 0 && h("ol", { class: "journal" }, events.items.reverse().map((each) => event(each, port))),
  ].filter(Boolean);
}

const faultName = (fault) => worded(`fault.${fault}`, fault);
const placeName = (id) => basinName(id) || id;
const since = (time) => t("since", { time: moment(new Date(time), serverNow()) });

function event({ time, type, subject, data }, port) {
  const over = /recovered|returned/.test(type);
  const told = facts(data.evidence, port.kinds.get(data.kind));
  const name = [faultName(data.fault ?? "silent"), over && t("health.over")].filter(Boolean).join(" · ");
  const what = t("event.other", { place: placeName(subject), name });
  return h("li", {}, h("time", { datetime: time }, moment(new Date(time), serverNow())), h("span", {}, [what, told.join(", ")].filter(Boolean).join(" · ")));
}

function clock(off) {
  if (!off) return [h("p", {}, t("clock.unknown"))];
  const by = span(1000 * Math.abs(off.offset_s));
  const way = Math.abs(off.offset_s) < 1 ? "right" : off.offset_s > 0 ? "ahead" : "behind";
  const hours = off.whole_hours ? ` · ${t("clock.hours", { n: Math.abs(off.whole_hours) })}` : "";
  return [h("p", {}, t(`clock.${way}`, { by }) + hours), h("p", { class: "quiet" }, moment(new Date(off.measured_at), serverNow()))];
}

function stored(receipts) {
  if (!receipts.length) return [h("p", {}, t("stored.none"))];
  const names = ["sensor", "boot", "settled", "highest", "missing", "quarantined", "at"];
  const cell = (receipt, name) => (name === "at" ? moment(new Date(receipt.at), serverNow()) : typeof receipt[name] === "number" && name !== "boot" ? number(receipt[name]) : (receipt[name] ?? "–"));
  const rows = receipts.map((receipt) => h("tr", {}, names.map((name) => h("td", { class: name === "sensor" ? "" : "number" }, cell(receipt, name)))));
  return [h("table", {}, h("thead", {}, h("tr", {}, names.map((name) => h("th", { scope: "col" }, t(`stored.${name}`))))), h("tbody", {}, rows))];
}

async function day(thing, sensor, port) {
  const to = port.states.get(thing)?.time ? new Date(port.states.get(thing).time) : serverNow();
  const answer = await get(`sensors/${encodeURIComponent(thing)}/readings`, { kind: sensor.kind, from: new Date(to - DAY_MS).toISOString(), to: new Date(to.getTime() + 1).toISOString(), resolution: "5min" });
  const field = answer.fields.find(({ name }) => name === port.kinds.get(sensor.kind)?.chart) ?? answer.fields[0];
  return history(answer, field);
}

async function forecast(thing, sensor, port) {
  const [told, readings] = await Promise.all([
    get(`sensors/${encodeURIComponent(thing)}/forecast`),
    get(`sensors/${encodeURIComponent(thing)}/readings`, { kind: sensor.kind }),
  ]);
  return told.items.length ? ahead(told, readings) : [];
}

async function payloads(thing) {
  const { items } = await get(`sensors/${encodeURIComponent(thing)}/raw`);
  const line = ({ received_at: at, reason, payload, payload_base64: bytes }) =>
    h("li", {}, h("time", { datetime: at }, moment(new Date(at), serverNow())), h("code", {}, payload ?? bytes), reason && h("strong", {}, worded(`reason.${reason}`, reason)));
  return items.length ? [h("ol", { class: "journal raw" }, items.slice(0, PAYLOADS).map(line))] : [];
}
