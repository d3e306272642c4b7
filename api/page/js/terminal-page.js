/* The page of a terminal: gates, yard, cranes now; appointments against arrivals; the wait to come; turn time by quantiles. */

import { chart } from "./chart.js";
import { h, s } from "./dom.js";
import { number, span, timeOfDay } from "./format.js";
import { t } from "./i18n.js";
import { badge } from "./level.js";
import { kindTitle, valueText } from "./sentences.js";
import { get, serverNow } from "./source.js";
import { part } from "./story.js";

const MINUTE_S = 60;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SLOTS = 24;
const BARS = { width: 620, height: 110 };

const minutes = (seconds) => (seconds === null || seconds === undefined ? "–" : span(1000 * seconds));
const count = (n) => (n === null ? "–" : number(n));

export async function terminalPage(code, story) {
  const path = `terminals/${encodeURIComponent(code)}`;
  const terminal = await get(path);
  const today = serverNow().getTime();
  const between = (from, to) => ({ from: new Date(from).toISOString(), to: new Date(to).toISOString() });
  return [
    story.title(terminal.name),
    h("p", {}, `${t("terminal.inside", { n: terminal.lorries_inside, number: number(terminal.lorries_inside) })} · ${turn(terminal.turn_time)}`),
    ...(await Promise.all([
      part(t("terminal.now"), async () => now(terminal, story)),
      part(t("terminal.outlook"), async () => outlook(await get(`${path}/outlook`))),
      part(t("terminal.turn.chart"), async () => turns(await get(`${path}/turn-time`, between(today - DAY_MS, today)))),
      part(t("terminal.booked"), async () => booked(await get(`${path}/appointments`, between(today - DAY_MS / 2, today + DAY_MS / 2)))),
    ])),
  ];
}

function turn({ p50_s: p50, p90_s: p90, p95_s: p95 }) {
  return p50 === null ? t("terminal.turn.few") : t("terminal.turn", { p50: minutes(p50), p90: minutes(p90), p95: minutes(p95) });
}

function now(terminal, story) {
  const rows = terminal.states.map((state) => {
    const sensor = story.port.sensors.get(state.sensor);
    const open = h("button", { type: "button", class: "chip", id: `story-${state.sensor}`, onclick: () => story.openSensor(state.sensor) }, state.sensor);
    return h("tr", {}, h("td", {}, badge(state.level, 12), " ", open), h("td", {}, sensor ? kindTitle(sensor, story.port) : state.kind), h("td", {}, state.level ? t(`level.${state.level}`) : ""), h("td", { class: "number" }, valueText(state, story.port)));
  });
  return [h("table", {}, h("tbody", {}, rows))];
}

/* Of each gate that somebody can say something of: the expected wait within its range. */
function outlook({ gates }) {
  return gates.filter(({ steps }) => steps.length).flatMap(({ gate, steps }) => {
    const at = ({ time }) => Date.parse(time);
    const line = steps.map((step) => [at(step), step.wait_s / MINUTE_S]);
    const range = steps.map((step) => [at(step), step.low_s / MINUTE_S, step.high_s / MINUTE_S]);
    return [h("p", { class: "quiet" }, t("terminal.outlook.of", { gate })), ...drawn(line[0][0], line.at(-1)[0], { points: line, range, title: gate })];
  });
}

/* By the hour: half of the lorries stayed less than the line, nine of ten less than the top of the grey. */
function turns({ from, to, hours }) {
  const known = hours.filter(({ p50_s: p50 }) => p50 !== null);
  if (!known.length) return [h("p", { class: "quiet" }, t("terminal.turn.few"))];
  const at = ({ hour }) => Date.parse(hour) + HOUR_MS / 2;
  const line = known.map((each) => [at(each), each.p50_s / MINUTE_S]);
  const range = known.map((each) => [at(each), each.p50_s / MINUTE_S, (each.p90_s ?? each.p50_s) / MINUTE_S]);
  const expected = known.filter(({ p95_s: p95 }) => p95 !== null).map((each) => [at(each), each.p95_s / MINUTE_S]);
  const chart = drawn(Date.parse(from), Date.parse(to), { points: line, range, expected, step: HOUR_MS, title: t("terminal.turn.chart") });
  return [...chart, h("p", { class: "quiet" }, t("terminal.turn.legend"))];
}

const drawn = (from, to, what) => chart({ from, to, step: null, lines: [], show: (value) => minutes(value * MINUTE_S), ...what });

/* An outline for what was booked, filled by what arrived; the numbers below. */
function booked({ hours }) {
  const shown = hours.slice(-SLOTS);
  if (!shown.length) return [];
  const head = ["terminal.hour", "terminal.booked.n", "terminal.arrived", "terminal.noshow"].map((key) => h("th", { scope: "col" }, t(key)));
  const rows = shown.map((slot) => h("tr", {}, [timeOfDay(new Date(slot.hour)), count(slot.booked), count(slot.arrived), count(slot.no_shows)].map((text) => h("td", { class: "number" }, text))));
  return [bars(shown), h("table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows))];
}

function bars(slots) {
  const most = Math.max(1, ...slots.flatMap(({ booked: n, arrived }) => [n ?? 0, arrived ?? 0]));
  const tall = (n) => ((n ?? 0) / most) * BARS.height;
  const pitch = BARS.width / slots.length;
  const bar = (slot, i) => [
    s("rect", { class: "bar-fill", x: i * pitch + 4, y: BARS.height - tall(slot.arrived), width: pitch - 8, height: tall(slot.arrived) }),
    s("rect", { class: "booked", x: i * pitch + 2, y: BARS.height - tall(slot.booked), width: pitch - 4, height: tall(slot.booked) }),
    i % 3 === 0 && s("text", { class: "axis", x: i * pitch + 2, y: BARS.height + 16 }, timeOfDay(new Date(slot.hour))),
  ];
  return s("svg", { class: "chart", viewBox: `0 -2 ${BARS.width} ${BARS.height + 24}`, role: "img", "aria-label": t("terminal.booked") }, slots.map(bar));
}
