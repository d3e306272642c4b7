/* A line over time as SVG: gaps stay gaps, limits of the level as quiet lines, the value under the pointer or arrow keys. */

import { h, s, setText } from "./dom.js";
import { dayOfWeek, measured, moment, timeOfDay, timeZone } from "./format.js";
import { serverNow } from "./source.js";

const SIZE = { width: 452, height: 190, left: 44, right: 10, top: 12, bottom: 24 };
const GAP_STEPS = 2.5;
/* Over more than two days the hour says less than the day. */
const DAYS_MS = 172_800_000;
const NAME_HEIGHT = 12;
/* Below, a mean counts as unknown everywhere in Vigie. */
const WELL_COVERED = 0.75;
const TICK_HOURS = { 1: 0.25, 2: 0.5, 3: 0.5, 6: 1, 24: 4, 168: 24, 720: 120 };

/**
 * Draw `points` = [[time ms, value or null]] from `from` to `to`; `step` is their usual distance in ms, `lines` are
 * [{value, level, text}], `show` writes a value with its unit. Behind them `dim` = [[from, to]] is shaded and `range` =
 * [[time, low, high]] is an area; `expected` = [[time, value]] is dashed, `revised` are times with a mark.
 */
export function chart({ points, from, to, step, lines, show, title, dim = [], range = [], expected = [], revised = [] }) {
  const [low, high, ticks] = scale([...points, ...expected, ...range.flatMap(([at, a, b]) => [[at, a], [at, b]])], lines);
  const x = (time) => SIZE.left + ((time - from) / (to - from)) * (SIZE.width - SIZE.left - SIZE.right);
  const y = (value) => SIZE.height - SIZE.bottom - ((value - low) / (high - low)) * (SIZE.height - SIZE.top - SIZE.bottom);
  const cursor = s("g", { class: "cursor" });
  const svg = s(
    "svg",
    { class: "chart", viewBox: `0 0 ${SIZE.width} ${SIZE.height}`, role: "img", tabindex: 0, "aria-label": title },
    dim.map(([a, b]) => s("rect", { class: "dim", x: x(a).toFixed(1), y: SIZE.top, width: Math.max(1, x(b) - x(a)).toFixed(1), height: SIZE.height - SIZE.top - SIZE.bottom })),
    s("path", { class: "range", d: area(range, step, x, y) }),
    ticks.map((value) => horizontal(y(value), measured(value))),
    hours(from, to).map((time) => vertical(x(time), (to - from > DAYS_MS ? dayOfWeek : timeOfDay)(new Date(time)))),
    limits(lines.filter(({ value }) => value > low && value < high), y),
    s("path", { class: "curve", d: curve(points, step, x, y) }),
    s("path", { class: "expected", d: curve(expected, null, x, y) }),
    revised.map((time) => s("path", { class: "revised", d: `M${x(time).toFixed(1)},${SIZE.height - SIZE.bottom}l-3,-6h6Z` })),
    loners(points, step).map(([time, value]) => s("circle", { class: "dot", cx: x(time).toFixed(1), cy: y(value).toFixed(1), r: 1.6 })),
    cursor,
  );
  const read = h("output", { class: "reading" });
  follow(svg, { points: points.filter(([, value]) => value !== null), x, y, cursor, read, show });
  return [svg, read];
}

/** What a chart of means shows beside them: where too little was heard, what was revised, between which values it lay. */
export function meansOf({ time, step_s: step, coverage, revised, low, high }, name) {
  const times = time.map(Date.parse);
  const lay = low?.[name] ? times.map((at, i) => [at, low[name][i], high[name][i]]).filter(([, a, b]) => a !== null && b !== null) : [];
  const poor = (coverage ?? []).flatMap((share, i) => (share !== null && share < WELL_COVERED ? [[times[i], times[i] + step * 1000]] : []));
  return { dim: poor, revised: times.filter((_, i) => revised?.[i]), range: lay };
}

function scale(points, lines) {
  const values = points.map(([, value]) => value).filter((value) => value !== null);
  const top = Math.max(...values, 0);
  const reach = lines.map(({ value }) => value).filter((value) => value <= top * 1.6);
  const [low, high] = [Math.min(...values, 0), Math.max(top, ...reach) * 1.06];
  const step = nice((high - low || 1) / 5);
  const first = Math.floor(low / step);
  const count = Math.ceil((high || 1) / step) - first;
  const ticks = Array.from({ length: count + 1 }, (_, i) => (first + i) * step);
  return [ticks[0], ticks.at(-1), ticks];
}

function nice(step) {
  const power = 10 ** Math.floor(Math.log10(step));
  return [1, 2, 5, 10].find((factor) => factor * power >= step * 0.999) * power;
}

/* Hours of the day as the port counts them. */
function hours(from, to) {
  const step = (TICK_HOURS[Math.round((to - from) / 3_600_000)] ?? 6) * 3_600_000;
  const local = Number(new Intl.DateTimeFormat("en-GB", { timeZone: timeZone(), hour: "2-digit", hourCycle: "h23" }).format(to));
  const offset = (local - new Date(to).getUTCHours()) * 3_600_000;
  const first = Math.ceil((from + offset) / step) * step - offset;
  return Array.from({ length: Math.max(0, Math.ceil((to - first) / step)) }, (_, i) => first + i * step);
}

function horizontal(y, text) {
  const line = s("line", { class: "grid", x1: SIZE.left, x2: SIZE.width - SIZE.right, y1: y, y2: y });
  return [line, s("text", { class: "axis end", x: SIZE.left - 7, y: y + 4 }, text)];
}

function vertical(x, text) {
  const bottom = SIZE.height - SIZE.bottom;
  const tick = s("line", { class: "tick", x1: x, x2: x, y1: bottom, y2: bottom + 4 });
  return [tick, x > SIZE.left + 12 && x < SIZE.width - 18 && s("text", { class: "axis middle", x, y: SIZE.height - 6 }, text)];
}

/* Each limit is a line; it is named where the name of the one above leaves room. */
function limits(lines, y) {
  let named = -Infinity;
  return [...lines].sort((a, b) => b.value - a.value).map(({ value, level, text }) => {
    const at = y(value);
    const line = s("line", { class: `limit ${level}`, x1: SIZE.left, x2: SIZE.width - SIZE.right, y1: at, y2: at });
    if (at - named < NAME_HEIGHT) return line;
    named = at;
    return [line, s("text", { class: "axis", x: SIZE.left + 3, y: at - 3 }, text)];
  });
}

/* Whether a stroke leads from one point to the next: both measured, and no further apart than readings should be. */
const joined = (a, b, step) => a && b && a[1] !== null && b[1] !== null && (!step || b[0] - a[0] <= GAP_STEPS * step);

function curve(points, step, x, y) {
  return points
    .filter(([, value]) => value !== null)
    .map((point, i, all) => `${joined(all[i - 1], point, step) ? "L" : "M"}${x(point[0]).toFixed(1)},${y(point[1]).toFixed(1)}`)
    .join("");
}

/* Each stretch of joined points on its upper side there and on its lower side back. */
function area(range, step, x, y) {
  const runs = [];
  range.forEach((point, i) => {
    const goes = i > 0 && (!step || point[0] - range[i - 1][0] <= GAP_STEPS * step);
    if (goes) runs.at(-1).push(point);
    else runs.push([point]);
  });
  const pair = (time, value) => `${x(time).toFixed(1)},${y(value).toFixed(1)}`;
  const outline = (run) => [...run.map(([time, , top]) => pair(time, top)), ...[...run].reverse().map(([time, bottom]) => pair(time, bottom))];
  return runs.filter((run) => run.length > 1).map((run) => `M${outline(run).join("L")}Z`).join("");
}

function loners(points, step) {
  const known = points.filter(([, value]) => value !== null);
  return known.filter((point, i) => !joined(known[i - 1], point, step) && !joined(point, known[i + 1], step));
}

function follow(svg, { points, x, y, cursor, read, show }) {
  let at = points.length - 1;
  const move = (index) => {
    at = Math.min(Math.max(index, 0), points.length - 1);
    if (at < 0) return;
    const [time, value] = points[at];
    const bottom = SIZE.height - SIZE.bottom;
    const line = s("line", { class: "cursor-line", x1: x(time), x2: x(time), y1: SIZE.top, y2: bottom });
    cursor.replaceChildren(line, s("circle", { class: "cursor-dot", cx: x(time), cy: y(value), r: 3.5 }));
    setText(read, `${moment(new Date(time), serverNow())} · ${show(value)}`);
  };
  svg.addEventListener("pointermove", (event) => move(closest(points, x, pointerX(svg, event))));
  svg.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    move(at + by);
  });
  move(at);
}

function pointerX(svg, event) {
  const { left, width } = svg.getBoundingClientRect();
  return ((event.clientX - left) / width) * SIZE.width;
}

function closest(points, x, target) {
  return points.reduce((best, [time], i) => (Math.abs(x(time) - target) < Math.abs(x(points[best][0]) - target) ? i : best), 0);
}
