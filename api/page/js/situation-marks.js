/* Situations along their roads: the head as a block where vehicles leave, the tail as an arrow where it grows, and dashed
   what it reaches next. Shape and line say it, colour only repeats it. */

import { s } from "./dom.js";
import { rank } from "./level.js";
import { drawnSituations, ends, line, toldOf } from "./roads.js";

const worstLast = (port) => drawnSituations(port).sort((a, b) => rank(a.level) - rank(b.level));
const sectionsOf = (port) => new Map(port.sections.map((section) => [section.id, section]));
const seen = (way, at) => way && at(way.from_site) && at(way.to_site);

/** The ways of the situations of a port, and those that they reach next; `at(siteId)` gives the pixel of a site. */
export function situationLines(port, at) {
  const roads = sectionsOf(port);
  const told = toldOf(port);
  return worstLast(port).flatMap(({ level, places, spillback }) => {
    const ways = places.map((id) => roads.get(id)).filter((way) => seen(way, at));
    const lines = ways.map((way) => s("path", { class: `stretch situation ${level}`, d: line(...ends(way, at)) }));
    const next = roads.get(spillback?.towards);
    return seen(next, at) && !told.has(next.id) ? [...lines, s("path", { class: "threatened", d: line(...ends(next, at)) })] : lines;
  });
}

/** Their heads and tails, which lie above the sites. */
export function situationMarks(port, at) {
  const roads = sectionsOf(port);
  return worstLast(port).flatMap(({ level, head, tail, trend }) => {
    const end = headPoint(roads.get(head), head, port, at);
    const last = roads.get(tail);
    return [seen(last, at) && arrow(...ends(last, at), level, trend), end && block(end, level)].filter(Boolean);
  });
}

/* The head of a road leaves its section; a gate is where its site is. */
function headPoint(way, head, port, at) {
  if (way) return at(way.from_site) && at(way.to_site) ? ends(way, at)[1] : null;
  return at(port.sensors.get(head)?.site ?? head);
}

const pair = ([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`;

const block = (point, level) =>
  s("g", { class: `head ${level}`, transform: `translate(${pair(point)})` }, s("rect", { x: -8, y: -8, width: 16, height: 16 }), s("path", { d: "M-4,0H4" }));

function arrow(to, from, level, trend) {
  const angle = (Math.atan2(to[1] - from[1], to[0] - from[0]) * 180) / Math.PI;
  const d = trend === "growing" ? "M-22,-9L-5,0L-22,9Z" : trend === "shrinking" ? "M-7,-8L-20,0L-7,8" : "M-9,-8V8";
  return s("path", { class: `tail ${level} ${trend}`, d, transform: `translate(${pair(to)}) rotate(${angle.toFixed(1)})` });
}
