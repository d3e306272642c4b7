/* The page of a situation: where and when it was, the readings at its head, what is to come, and what was done by whom. */

import { alarmExtent, ending, firstClause, namedCause, spillback } from "./alarm-words.js";
import { chart } from "./chart.js";
import { h } from "./dom.js";
import { facts } from "./facts.js";
import { moment, number, percent, quantity } from "./format.js";
import { ahead } from "./history-chart.js";
import { has, label, t, worded } from "./i18n.js";
import { badge } from "./level.js";
import { get, serverNow } from "./source.js";
import { part } from "./story.js";
import { stretch } from "./stretch.js";

/* A quarter of an hour before the onset shows what free looked like. */
const BEFORE_MS = 900_000;
const MOST_ROWS = 14;

export async function situationPage(id, story) {
  const situation = await get(`situations/${encodeURIComponent(id)}`);
  const from = new Date(new Date(situation.onset) - BEFORE_MS);
  const to = situation.end ? new Date(new Date(situation.end).getTime() + BEFORE_MS) : serverNow();
  const alarms = story.book.all.filter((alarm) => alarm.situation === id);
  const head = headSensor(situation, story.port);
  const parent = situation.parent && (await nameOf(situation.parent, story.port));
  return [
    story.title(badge(situation.level, 16), " ", situation.headline ? firstClause(label(situation.headline)) : id),
    h("p", { class: "quiet" }, summary(situation)),
    h("p", {}, spillback(situation, story.port)),
    h("ul", {}, situation.causes.map(hint)),
    situation.parent && h("p", {}, h("a", { href: `#situation/${situation.parent}` }, t("story.part", { id: parent }))),
    situation.sign?.en.some((line) => line.trim()) && h("section", {}, h("h3", {}, t("story.sign")), h("p", { class: "sign" }, label(situation.sign).flatMap((line) => [line, h("br")]))),
    ...(await Promise.all([
      part(t("story.stretch"), () => stretch(rows(situation, story.port), story.port, from, to)),
      part(t("story.readings"), () => readings(head, from, to, story.port)),
      part(t("story.forecast", { sensor: head }), () => forecast(head, story.port)),
      part(t("story.history"), () => history(alarms)),
    ])),
  ].filter(Boolean);
}

/* What it belongs to may be over and no longer in the list. */
async function nameOf(id, port) {
  const found = port.situations.get(id) ?? (await get(`situations/${encodeURIComponent(id)}`).catch(() => null));
  return found?.headline ? firstClause(label(found.headline)) : id;
}

function summary(situation) {
  const since = t("since", { time: moment(new Date(situation.onset), serverNow()) });
  return [t(`level.${situation.level}`), since, t(`trend.${situation.trend}`), ending(situation), alarmExtent(situation)].filter(Boolean).join(" · ");
}

/* Every cause that is thought of, with all that speaks for it. */
function hint({ what, confidence, evidence }) {
  return has(`cause.${what}`) && h("li", {}, [`${t(`cause.${what}`)} (${percent(confidence)})`, facts(evidence).join(", ")].filter(Boolean).join(" · "));
}

/* The head itself, else what measures the road there, else who was in it. */
function headSensor({ head, sensors, stays }, port) {
  const all = [...sensors, ...stays.map(({ sensor }) => sensor)];
  return port.states.has(head) ? head : (all.find((id) => port.states.get(id)?.kind === "traffic") ?? all[0]);
}

/* Each sensor that was inside, in the order of the road as the server lists its sites. */
function rows({ stays, sites }, port) {
  const order = (id) => sites.indexOf(port.sensors.get(id)?.site);
  return [...new Set(stays.map(({ sensor }) => sensor))].sort((a, b) => order(a) - order(b)).slice(0, MOST_ROWS);
}

async function readings(id, from, to, port) {
  const state = port.states.get(id);
  const kind = port.kinds.get(state.kind);
  const answer = await get(`sensors/${encodeURIComponent(id)}/readings`, { kind: state.kind, from: from.toISOString(), to: to.toISOString() });
  const field = answer.fields.find(({ name }) => name === kind.chart) ?? answer.fields[0];
  const values = answer.values[field.name];
  const points = answer.time.map((time, i) => [Date.parse(time), values[i]]);
  if (!points.some(([, value]) => value !== null)) return [];
  const [start, end] = [answer.from, answer.to].map(Date.parse);
  const title = `${id} · ${label(field.title)}`;
  return [h("p", { class: "quiet" }, title), ...chart({ points, from: start, to: end, step: answer.step_s * 1000, lines: [], show: (value) => quantity(value, field.unit), title })];
}

async function forecast(id, port) {
  const path = `sensors/${encodeURIComponent(id)}`;
  const [told, measuredBefore] = await Promise.all([get(`${path}/forecast`), get(`${path}/readings`, { kind: port.states.get(id).kind })]);
  if (told.items.length) return ahead(told, measuredBefore);
  return [];
}

async function history(alarms) {
  const details = await Promise.all(alarms.map(({ id }) => get(`alarms/${id}`)));
  const steps = details.flatMap((alarm) => alarm.history).sort((a, b) => b.at.localeCompare(a.at));
  const line = ({ at, who, action, why, said }) => [
    h("time", { datetime: at }, moment(new Date(at), serverNow())),
    h("span", {}, [who, verb(action), done(said), because(why)].filter(Boolean).join(" · ")),
  ];
  return steps.length ? [h("ol", { class: "journal" }, steps.map((step) => h("li", {}, line(step))))] : [];
}

const OVER = { ended: "over.ended", "no longer seen": "over.lost", "working again": "over.mended" };

/* The service gives a reason in words of its own vocabulary, which are translated; what a person wrote stands as it is. */
function because(why) {
  const [what, cause] = why.split(", cause ");
  const word = OVER[what] ?? ["level", "fault"].map((group) => `${group}.${what}`).find(has);
  if (!word) return why;
  return [t(word), namedCause(cause)].filter(Boolean).join(", ");
}

const verb = (action) => worded(`did.${action}`, action);
const done = (said) => said.map((word) => worded(`done.${word}`, worded(`action.${word}`, number(word)))).join(", ");
