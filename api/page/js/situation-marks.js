/* Situations along their roads: the head as a block where vehicles leave, the tail as an arrow where it grows, and dashed
   what it reaches next. Shape and line say it, colour only repeats it. */

import { s } from "./dom.js";
import { rank } from "./level.js";

/** Lines, heads and tails of `situations`; `at(siteId)` gives the pixel of a site. */
export function situationMarks(situations, port, at) {
  const roads = new Map(port.sections.map((section) => [section.id, section]));
  const drawn = [...situations].filter(({ level, state }) => rank(level) >= 1 && state !== "ended");
  return drawn.sort((a, b) => rank(a.level) - rank(b.level)).flatMap((situation) => marks(situation, roads, port, at));
}

function marks(situation, roads, port, at) {
  const { level, places, head, tail, trend } = situation;
  const ways = places.map((id) => roads.get(id)).filter((way) => way && at(way.from_site) && at(way.to_site));
  const lines = ways.map((way) => s("path", { class: `stretch situation ${level}`, d: line(at(way.from_site), at(way.to_site)) }));
  const end = headPoint(head, roads, port, at);
  const last = roads.get(tail);
  return [
    ...lines,
    last && trend === "growing" && threatened(last, places, port, at),
    end && block(end, level),
    last && at(last.from_site) && at(last.to_site) && arrow(at(last.to_site), at(last.from_site), level, trend),
  ].filter(Boolean);
}

/* The head of a road leaves its section; a gate is where its site is. */
function headPoint(head, roads, port, at) {
  return at(roads.get(head)?.to_site ?? port.sensors.get(head)?.site ?? head);
}

const pair = ([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`;
const line = (a, b) => `M${pair(a)}L${pair(b)}`;

const block = ([x, y], level) =>
  s("g", { class: `head ${level}`, transform: `translate(${x.toFixed(1)},${y.toFixed(1)})` }, s("rect", { x: -7, y: -7, width: 14, height: 14 }), s("path", { d: "M-4,0H4" }));

function arrow(from, to, level, trend) {
  const angle = (Math.atan2(to[1] - from[1], to[0] - from[0]) * 180) / Math.PI;
  const d = trend === "growing" ? "M-12,-7L2,0L-12,7Z" : trend === "shrinking" ? "M0,-7L-12,0L0,7" : "M-3,-8V8";
  return s("path", { class: `tail ${level} ${trend}`, d, transform: `translate(${pair(to)}) rotate(${angle.toFixed(1)})` });
}

/* The sections that lead to the tail and are still free. */
function threatened(last, places, port, at) {
  const next = port.sections.filter((way) => way.to_site === last.from_site && way.from_site !== last.to_site && !places.includes(way.id));
  const seen = next.filter((way) => at(way.from_site) && at(way.to_site));
  return s("g", {}, seen.map((way) => s("path", { class: "threatened", d: line(at(way.from_site), at(way.to_site)) })));
}
