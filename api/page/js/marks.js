/* One mark for each sensor: a pip, a bar for what fills up, a rose for the wind. */

import { s } from "./dom.js";
import { compass, number } from "./format.js";
import { t } from "./i18n.js";
import { rank, shape } from "./level.js";

const BAR = { width: 15, height: 9 };
const PITCH = { bar: 17, pip: 11 };
const KIND_GAP = 5;
const CHARACTER = 6.2;
/* A bar is thirteen pixels long: finer steps are not seen. */
const BAR_STEPS = 26;

/** How full something is, 0..1, by its kind's rule; null where that means nothing. */
export function share(kind, state) {
  const rule = kind?.level;
  if (!rule?.of || !state) return null;
  const [used, capacity] = [state.reading?.[rule.field], state.reading?.[rule.of]];
  return Number.isFinite(used) && capacity > 0 ? used / capacity : null;
}

const isBar = (kind) => Boolean(kind?.level?.of);
export const isRose = (sensor) => sensor.kind === "wind";

/** The marks of a site in a row: [{sensor, x}], a text after a group, and the width of all. */
export function row(sensors, port) {
  const marks = [];
  const notes = [];
  let x = 0;
  let previous = null;
  for (const sensor of sensors.filter((each) => !isRose(each))) {
    const bar = isBar(port.kinds.get(sensor.kind));
    if (previous && previous !== sensor.kind) x = closeGroup(notes, previous, x) + KIND_GAP;
    const pitch = PITCH[bar ? "bar" : "pip"];
    marks.push({ sensor, x: x + pitch / 2 });
    x += pitch;
    previous = sensor.kind;
  }
  return { marks, notes, width: previous ? closeGroup(notes, previous, x) : 0 };
}

function closeGroup(notes, kind, x) {
  if (!["gate", "parking", "yard"].includes(kind)) return x;
  notes.push({ kind, x: x + 2 });
  return x + 2 + (kind === "gate" ? 8 : 5) * CHARACTER;
}

/** What stands behind a group: how full it is together, or how many lorries wait. */
export function note(kind, sensors, port) {
  const states = sensors.filter((sensor) => sensor.kind === kind).map((sensor) => port.stateOf(sensor));
  const total = (field) => states.reduce((sum, state) => sum + (state?.reading?.[field] ?? 0), 0);
  if (kind === "gate") return states.some((state) => state?.time) ? t("map.queue", { n: number(total("queue_trucks")) }) : "";
  const rule = port.kinds.get(kind).level;
  const capacity = total(rule.of);
  return capacity > 0 ? `${number((100 * total(rule.field)) / capacity)}\u00a0%` : "";
}

/** Draw the inside of a mark for the level and reading that a sensor has now, where that changes the picture. */
export function drawMark(entry, port) {
  const { group, sensor } = entry;
  const level = port.level(sensor);
  const kind = port.kinds.get(sensor.kind);
  const state = port.stateOf(sensor);
  const filled = isBar(kind) ? inSteps(share(kind, state)) : null;
  const drawn = isRose(sensor) ? JSON.stringify(state?.reading ?? null) : filled;
  if (entry.level === level && entry.drawn === drawn) return;
  Object.assign(entry, { level, drawn });
  group.dataset.level = level ?? "none";
  group.querySelector(".picture").replaceChildren(isRose(sensor) ? rose(level, state) : isBar(kind) ? bar(level, filled) : pip(level));
}

const inSteps = (part) => (part === null ? null : Math.round(part * BAR_STEPS) / BAR_STEPS);

function pip(level) {
  return shape(level, rank(level) >= 1 ? 4.2 : 3.4);
}

function bar(level, filled) {
  const at = { x: -BAR.width / 2, y: -BAR.height / 2 };
  if (level === "unknown" || filled === null) return shape("unknown", 4);
  const width = Math.max(0, Math.min(1, filled)) * (BAR.width - 2);
  return s(
    "g",
    { class: `bar ${level}` },
    s("rect", { class: "bar-frame", ...at, ...BAR }),
    s("rect", { class: "bar-fill", x: at.x + 1, y: at.y + 1, width, height: BAR.height - 2 }),
    rank(level) >= 1 && s("g", { class: "on-bar" }, shape(level, 2.4)),
  );
}

/* The arrow flies with the wind: a north-westerly points to the south-east. */
function rose(level, state) {
  const { direction_deg: from, mean_ms: mean, gust_ms: gust } = state?.reading ?? {};
  const known = level !== "unknown" && Number.isFinite(from) && Number.isFinite(mean);
  return s(
    "g",
    { class: "rose" },
    s("circle", { r: 20, class: "rose-ring" }),
    s("path", { d: "M0,-20V-17M20,0H17M0,20V17M-20,0H-17", class: "rose-ring" }),
    known
      ? s("path", { d: "M0,-13V13M-5,7L0,13L5,7", class: "rose-arrow", transform: `rotate(${from})` })
      : shape("unknown", 7),
    known && s("text", { y: 35, class: "label" }, t("map.wind", { from: compass(from), mean: number(mean) })),
    known && Number.isFinite(gust) && s("text", { y: 48, class: gust >= 20 ? "label strong" : "label" }, t("map.gusts", { gust: number(gust) })),
  );
}
