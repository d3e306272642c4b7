/* The page of a terminal: gates, yard, cranes now; appointments against arrivals; the wait to come; turn time by quantiles. */

import { h } from "./dom.js";
import { number, span, timeOfDay } from "./format.js";
import { t } from "./i18n.js";
import { badge } from "./level.js";
import { kindTitle, valueText } from "./sentences.js";
import { get } from "./source.js";
import { part } from "./story.js";

const minutes = (seconds) => (seconds === null || seconds === undefined ? "–" : span(1000 * seconds));
const count = (n) => (n === null ? "–" : number(n));

export async function terminalPage(code, story) {
  const path = `terminals/${encodeURIComponent(code)}`;
  const terminal = await get(path);
  return [
    story.title(terminal.name),
    h("p", {}, `${t("terminal.inside", { n: terminal.lorries_inside, number: number(terminal.lorries_inside) })} · ${turn(terminal.turn_time)}`),
    ...(await Promise.all([
      part(t("terminal.now"), async () => now(terminal, story)),
      part(t("terminal.outlook"), async () => outlook(await get(`${path}/outlook`))),
      part(t("terminal.booked"), async () => booked(await get(`${path}/appointments`))),
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

function outlook({ gates }) {
  const lines = gates.flatMap(({ gate, hours }) => hours.map((hour) => ({ gate, ...hour })));
  return lines.map(({ gate, hour, wait_s: wait, low_s: low, high_s: high }) =>
    h("p", {}, t("terminal.outlook.line", { gate, time: timeOfDay(new Date(hour)), wait: minutes(wait), low: minutes(low), high: minutes(high) })),
  );
}

function booked({ hours }) {
  if (!hours.length) return [];
  const head = ["terminal.hour", "terminal.booked.n", "terminal.arrived", "terminal.noshow"].map((key) => h("th", { scope: "col" }, t(key)));
  const rows = hours.slice(-24).map((slot) => h("tr", {}, [timeOfDay(new Date(slot.hour)), count(slot.booked), count(slot.arrived), count(slot.no_shows)].map((text) => h("td", { class: "number" }, text))));
  return [h("table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows))];
}
