/* The box beside the worst place in the widest frame: what, how bad, since when. Nothing while nothing is congested. */

import { alarmExtent, ending, firstClause } from "./alarm-words.js";
import { s } from "./dom.js";
import { label, t } from "./i18n.js";
import { place } from "./placement.js";
import { evidence, headline, since } from "./sentences.js";
import { textWidth } from "./text-width.js";

const PADDING = 9;
const LINE = 15;
const SMALLEST_FRAME = { width: 560, height: 400 };

export function callout(frame) {
  if (!frame.wide || frame.width < SMALLEST_FRAME.width || frame.clear < SMALLEST_FRAME.height) return [];
  const worst = frame.port.open().find((situation) => situation.alarming && isHere(situation, frame));
  if (!worst) return [];
  const lines = words(worst, frame.port);
  const [x, y] = frame.at(worst.sensors[0].site);
  const width = Math.max(textWidth(lines[0], "bold 12.5px B612"), ...lines.slice(1).map((text) => textWidth(text))) + 2 * PADDING;
  const label = { x, y, width, height: lines.length * LINE + 2 * PADDING - 2, reach: [30, 60, 90, 130] };
  const [box] = place([label], frame, [...frame.solid, ...frame.boxes], frame.roadDots());
  return [lead(label, box), panel(box, lines, worst.level)];
}

/* The situation that the place belongs to, where there is one; else what its sensors say. */
function words(worst, port) {
  const known = [...port.situations.values()].find(({ sensors, headline: told }) => told && sensors.includes(worst.sensors[0].id));
  if (!known) return [headline(worst, port), evidence(worst, port), since(worst)].filter((line) => line && line !== "–");
  const times = [since({ since: new Date(known.onset) }), t(`trend.${known.trend}`), ending(known)];
  return [firstClause(label(known.headline)), times.filter(Boolean).join(" · "), alarmExtent(known)].filter(Boolean);
}

/* In sight: inside the frame, and not where a smaller frame lies above. */
function isHere(situation, frame) {
  const { width, height, solid } = frame;
  const point = frame.at(situation.sensors[0].site);
  const within = (box) => point[0] > box.x && point[0] < box.x + box.width && point[1] > box.y && point[1] < box.y + box.height;
  return Boolean(point) && within({ x: 0, y: 0, width, height }) && !solid.some(within);
}

function lead({ x, y }, box) {
  const toX = Math.min(Math.max(x, box.x), box.x + box.width);
  const toY = Math.min(Math.max(y, box.y), box.y + box.height);
  return s("path", { class: "leader strong", d: `M${x},${y}L${toX},${toY}` });
}

function panel(box, lines, level) {
  const text = lines.map((line, i) =>
    s("text", { class: i ? "label" : "callout-headline", x: PADDING, y: PADDING + 10 + i * LINE }, line),
  );
  const frame = { width: box.width, height: box.height, rx: 2 };
  const edge = s("rect", { class: `callout-edge ${level}`, width: 3, height: box.height });
  return s("g", { class: "callout", transform: `translate(${box.x},${box.y})` }, s("rect", { class: "callout-box", ...frame }), edge, text);
}
