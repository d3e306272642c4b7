/* The road graph: both ways side by side, coloured where a sensor says so, queues drawn upstream from their gate. */

import { s } from "./dom.js";
import { waysOf } from "./geography.js";
import { rank, worst } from "./level.js";

const LANE = 2.2;
const WORST_FIRST = (a, b) => rank(b[1]) - rank(a[1]);

/** Lines of all sections, grey; `at(siteId)` gives the pixel of a site. */
export function roadLines(port, at) {
  return drawn(port, at).map((section) => s("path", { class: "road", d: line(...ends(section, at)) }));
}

/** What is abnormal on the roads now: stretches by level and the queues before gates. */
export function roadStates(port, at) {
  return [...stretches(port, at), ...queues(port, at)];
}

const drawn = (port, at) => port.sections.filter((section) => at(section.from_site) && at(section.to_site));

/* A way keeps to the right of the middle of the road. */
function ends(section, at) {
  const [a, b] = [at(section.from_site), at(section.to_site)];
  const length = Math.hypot(b[0] - a[0], b[1] - a[1]) || 1;
  const [dx, dy] = [(-(b[1] - a[1]) / length) * LANE, ((b[0] - a[0]) / length) * LANE];
  return [[a[0] + dx, a[1] + dy], [b[0] + dx, b[1] + dy]];
}

const between = ([a, b], share) => [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share];
const line = (a, b) => `M${a[0].toFixed(1)},${a[1].toFixed(1)}L${b[0].toFixed(1)},${b[1].toFixed(1)}`;

function stretches(port, at) {
  const levels = new Map();
  for (const sensor of port.sensors.values()) {
    if (sensor.kind !== "traffic") continue;
    const level = port.level(sensor);
    for (const [section, from, to] of waysOf(sensor, port)) {
      const key = `${section.id} ${from}`;
      levels.set(key, { section, from, to, level: worst([levels.get(key)?.level ?? null, level]) });
    }
  }
  return [...levels.values()].flatMap((stretch) => (shown(stretch, at) ? [stretchLine(stretch, at)] : []));
}

const shown = ({ section, level }, at) =>
  (rank(level) >= 1 || level === "unknown") && at(section.from_site) && at(section.to_site);

function stretchLine({ section, from, to, level }, at) {
  const way = ends(section, at);
  return s("path", { class: `stretch ${level}`, d: line(between(way, from), between(way, to)) });
}

/* A queue stands on the way to its gate, as long as it is measured; its arrow points where it grows. */
function queues(port, at) {
  return [...port.bySite].flatMap(([site, sensors]) => {
    const gates = sensors.filter((sensor) => sensor.kind === "gate" && rank(port.level(sensor)) >= 1);
    const metres = Math.max(0, ...gates.map((gate) => port.stateOf(gate).reading?.queue_m ?? 0));
    const way = port.sections.find((section) => section.to_site === site && at(section.from_site) && at(site));
    if (!way || metres <= 0) return [];
    const [level] = gates.map((gate) => [gate, port.level(gate)]).sort(WORST_FIRST)[0].slice(1);
    return [queue(ends(way, at), Math.min(1, metres / (way.length_km * 1000)), level)];
  });
}

function queue(way, share, level) {
  const [head, tail] = [way[1], between(way, 1 - Math.max(share, 0.12))];
  const angle = (Math.atan2(tail[1] - head[1], tail[0] - head[0]) * 180) / Math.PI;
  return s(
    "g",
    { class: `queue ${level}` },
    s("path", { class: `stretch ${level}`, d: line(head, tail) }),
    s("path", { class: `arrow ${level}`, d: "M0,-6L10,0L0,6Z", transform: `translate(${tail}) rotate(${angle.toFixed(1)})` }),
  );
}
