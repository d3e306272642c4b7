/* Levels of congestion and their shapes: colour and shape always say the same thing. */

import { s } from "./dom.js";

const LEVELS = ["fluid", "dense", "congested", "jammed"];
export const ALARMING = 2;

/** Severity: -1 for unknown, null where the kind has no level. */
export function rank(level) {
  if (level === null || level === undefined) return null;
  return LEVELS.indexOf(level);
}

/** The worst of several levels: any severity before unknown, unknown before fluid, null only among nulls. */
export function worst(levels) {
  const order = (level) => ({ unknown: 0.5, [null]: -1 })[level] ?? rank(level);
  return levels.reduce((a, b) => (order(b ?? null) > order(a ?? null) ? b : a), null) ?? null;
}

const polygon = (points, r) => points.map(([x, y]) => `${(x * r).toFixed(2)},${(y * r).toFixed(2)}`).join(" ");
const DIAMOND = [[0, -1.25], [1.25, 0], [0, 1.25], [-1.25, 0]];
const TRIANGLE = [[0, -1.2], [1.25, 1], [-1.25, 1]];

/** The shape of a level around the origin; `r` is its half size. */
export function shape(level, r) {
  const attributes = { class: `shape ${level ?? "none"}` };
  if (level === "dense") return s("circle", { ...attributes, r });
  if (level === "congested") return s("polygon", { ...attributes, points: polygon(DIAMOND, r) });
  if (level === "jammed") return s("polygon", { ...attributes, points: polygon(TRIANGLE, r) });
  if (level === "unknown") return hatched(attributes, r);
  return s("circle", { ...attributes, r: r * 0.8 });
}

function hatched(attributes, r) {
  const line = (a, b) => `M${-r + a},${r - b}L${r - b},${-r + a}`;
  return s(
    "g",
    attributes,
    s("rect", { x: -r, y: -r, width: 2 * r, height: 2 * r }),
    s("path", { d: `${line(0, 0)}M${-r},0L0,${-r}M0,${r}L${r},0` }),
  );
}

/** The shape as an inline picture for text. */
export function badge(level, size = 12) {
  const half = size / 2;
  return s(
    "svg",
    { class: "badge", width: size, height: size, viewBox: `${-half} ${-half} ${size} ${size}`, "aria-hidden": "true" },
    shape(level, half / 1.35),
  );
}
