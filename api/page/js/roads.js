/* The road graph: a quiet line for each road, and beside it, on the side of its way, what is abnormal there. */

import { s } from "./dom.js";
import { waysOf } from "./geography.js";
import { rank, worst } from "./level.js";

const LANE = 2.6;
const WORST_FIRST = (a, b) => rank(b[1]) - rank(a[1]);

/** Lines of all roads, grey, both ways in one; `at(siteId)` gives the pixel of a site. */
export function roadLines(port, at) {
  const roads = new Map(port.sections.map((way) => [[way.from_site, way.to_site].sort().join(" "), way]));
  const drawn = [...roads.values()].filter((way) => at(way.from_site) && at(way.to_site));
  return drawn.map((way) => s("path", { class: "road", d: line(at(way.from_site), at(way.to_site)) }));
}

/** What is abnormal on the roads now and told by no situation: stretches by level and the queues before gates. */
export function roadStates(port, at) {
  const told = toldOf(port);
  return [...stretches(port, at, told), ...queues(port, at, told)];
}

/** The situations that are drawn: those that go on and are more than free. */
export const drawnSituations = (port) => [...port.situations.values()].filter(({ level, state }) => rank(level) >= 1 && state !== "ended");

/* Sections and sensors that a drawn situation speaks for. */
export const toldOf = (port) => new Set(drawnSituations(port).flatMap(({ places, sensors }) => [...places, ...sensors]));

/** The two ends of a way, which keeps to the right of the middle of its road. */
export function ends(section, at) {
  const [a, b] = [at(section.from_site), at(section.to_site)];
  const length = Math.hypot(b[0] - a[0], b[1] - a[1]) || 1;
  const [dx, dy] = [(-(b[1] - a[1]) / length) * LANE, ((b[0] - a[0]) / length) * LANE];
  return [[a[0] + dx, a[1] + dy], [b[0] + dx, b[1] + dy]];
}

const between = ([a, b], share) => [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share];
export const line = (a, b) => `M${a[0].toFixed(1)},${a[1].toFixed(1)}L${b[0].toFixed(1)},${b[1].toFixed(1)}`;

function stretches(port, at, told) {
  const levels = new Map();
  for (const sensor of port.sensors.values()) {
    if (sensor.kind !== "traffic" || told.has(sensor.id)) continue;
    const level = port.level(sensor);
    for (const [section, from, to] of port.waysOf(sensor, waysOf)) {
      const key = `${section.id} ${from}`;
      levels.set(key, { section, from, to, level: worst([levels.get(key)?.level ?? null, level]) });
    }
  }
  return [...levels.values()].flatMap((stretch) => (shown(stretch, at) && !told.has(stretch.section.id) ? [stretchLine(stretch, at)] : []));
}

const shown = ({ section, level }, at) =>
  (rank(level) >= 1 || level === "unknown") && at(section.from_site) && at(section.to_site);

function stretchLine({ section, from, to, level }, at) {
  const way = ends(section, at);
  return s("path", { class: `stretch ${level}`, d: line(between(way, from), between(way, to)) });
}

/* A queue stands on the way to its gate, as long as it is measured; its arrow points where it grows. */
function queues(port, at, told) {
  return [...port.bySite].flatMap(([site, sensors]) => {
    const gates = sensors.filter((sensor) => sensor.kind === "gate" && rank(port.level(sensor)) >= 1);
    const metres = Math.max(0, ...gates.map((gate) => port.stateOf(gate).reading?.queue_m ?? 0));
    const way = port.sections.find((section) => section.to_site === site && at(section.from_site) && at(site));
    if (!way || metres <= 0 || told.has(way.id)) return [];
    const [level] = gates.map((gate) => [gate, port.level(gate)]).sort(WORST_FIRST)[0].slice(1);
    return [queue(ends(way, at), Math.min(1, metres / (way.length_km * 1000)), level)];
  });
}

function queue(way, share, level) {
  const [head, tail] = [way[1], between(way, 1 - Math.max(share, 0.25))];
  const angle = (Math.atan2(tail[1] - head[1], tail[0] - head[0]) * 180) / Math.PI;
  return s(
    "g",
    { class: `queue ${level}` },
    s("path", { class: `stretch ${level}`, d: line(head, tail) }),
    s("path", { class: `arrow ${level}`, d: "M-13,-7L0,0L-13,7Z", transform: `translate(${tail}) rotate(${angle.toFixed(1)})` }),
  );
}
