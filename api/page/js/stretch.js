/* The time-space diagram: a row for each sensor from head to tail, a cell for each step, as slow as it was. */

import { h, s } from "./dom.js";
import { timeOfDay } from "./format.js";
import { rank } from "./level.js";
import { get } from "./source.js";

const SIZE = { left: 72, right: 12, width: 760, row: 20, foot: 22 };
const CELLS = 60;
const TICKS = 5;
/* The levels of a speed against the free speed: those that the detector enters at. */
/* Nobody passes and the loop is covered: they stand. */
const STANDING_PCT = 80;
const RATIOS = [["jammed", 0.35], ["congested", 0.6], ["dense", 0.75], ["fluid", Infinity]];
/* The height of a cell says the level once more, for eyes that do not see the colour. */
const HEIGHTS = { fluid: 3, dense: 8, congested: 13, jammed: 18 };

export async function stretch(ids, port, from, to) {
  const told = await Promise.all(ids.map((id) => cells(id, port, from, to)));
  const height = ids.length * SIZE.row + SIZE.foot;
  const x = (share) => SIZE.left + share * (SIZE.width - SIZE.left - SIZE.right);
  const rows = ids.map((id, i) => row(id, told[i], i * SIZE.row, x));
  const ticks = Array.from({ length: TICKS + 1 }, (_, i) => tick(x(i / TICKS), i === TICKS ? "end" : "middle", height, new Date(from.getTime() + ((to - from) * i) / TICKS)));
  const name = ids.map((id, i) => `${id}: ${told[i].filter((level) => rank(level) >= 2).length}/${CELLS}`).join(", ");
  return ids.length ? [h("div", { class: "wide" }, s("svg", { class: "chart", viewBox: `0 0 ${SIZE.width} ${height}`, role: "img", "aria-label": name }, rows, ticks))] : [];
}

/* The worst level of each step; null where nothing was heard. */
async function cells(id, port, from, to) {
  const sensor = port.sensors.get(id);
  const kind = sensor?.kind ?? port.states.get(id)?.kind;
  const rule = port.kinds.get(kind)?.level;
  const answer = await get(`sensors/${encodeURIComponent(id)}/readings`, { kind, from: from.toISOString(), to: to.toISOString() });
  const values = answer.values[rule?.field] ?? [];
  const whole = rule?.of ? port.states.get(id)?.reading?.[rule.of] : 1;
  const found = Array(CELLS).fill(null);
  answer.time.forEach((time, i) => {
    const at = Math.min(CELLS - 1, Math.floor(((Date.parse(time) - from) / (to - from)) * CELLS));
    const standing = (values[i] ?? null) === null && answer.values.occupancy_pct?.[i] >= STANDING_PCT;
    const level = standing ? "jammed" : levelOf(values[i], rule, sensor, whole);
    if (level && rank(level) > (rank(found[at]) ?? -1)) found[at] = level;
  });
  return found;
}

function levelOf(value, rule, sensor, whole) {
  if (value === null || value === undefined || !rule) return null;
  if (rule.rule === "speed_ratio") return sensor?.free_speed_kmh ? RATIOS.find(([, limit]) => value / sensor.free_speed_kmh < limit)[0] : null;
  const limits = Number.isFinite(sensor?.congested) ? sensor : rule;
  return ["jammed", "congested", "dense"].find((level) => value >= limits[level] * whole) ?? "fluid";
}

function row(id, levels, top, x) {
  const bottom = top + SIZE.row - 1;
  const width = x(1 / CELLS) - x(0);
  const bars = levels.map((level, i) => level && s("rect", { class: `cell ${level}`, x: x(i / CELLS).toFixed(1), y: bottom - HEIGHTS[level], width: width.toFixed(1), height: HEIGHTS[level] }));
  const gaps = levels.map((level, i) => !level && s("path", { class: "gap", d: `M${x(i / CELLS).toFixed(1)},${bottom}l${width.toFixed(1)},-8` }));
  return s("g", {}, s("text", { class: "axis", x: 0, y: bottom - 4 }, id), s("line", { class: "grid", x1: SIZE.left, x2: SIZE.width - SIZE.right, y1: bottom, y2: bottom }), bars, gaps);
}

const tick = (x, anchor, height, time) => s("text", { class: `axis ${anchor}`, x, y: height - 6 }, timeOfDay(time));
