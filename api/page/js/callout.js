/* The box beside what is most urgent in the widest frame: what, how bad, since when, until when, what it reaches next.
   Nothing while nothing is congested. */

import { ending, namedCause, situationLength, spillback } from "./alarm-words.js";
import { s } from "./dom.js";
import { t } from "./i18n.js";
import { place } from "./placement.js";
import { drawnSituations } from "./roads.js";
import { evidence, headline, shortName, since } from "./sentences.js";
import { textWidth } from "./text-width.js";

const PADDING = 9;
const LINE = 15;
const HEAD = 12;
const SMALLEST_FRAME = { width: 560, height: 400 };

export function callout(frame) {
  if (!frame.wide || frame.width < SMALLEST_FRAME.width || frame.clear < SMALLEST_FRAME.height) return [];
  const told = mostUrgent(frame) ?? worstSensors(frame);
  if (!told) return [];
  const [x, y] = frame.at(told.site);
  const width = Math.max(textWidth(told.lines[0], "bold 12.5px B612"), ...told.lines.slice(1).map((text) => textWidth(text))) + 2 * PADDING;
  const label = { x, y, width, height: told.lines.length * LINE + 2 * PADDING - 2, reach: [30, 50, 70, 100, 140, 190, 250], fine: true };
  const box = placed(label, frame);
  return [lead(label, box), panel(box, told.lines, told.level)];
}

/* Looked for again only when the box or what it must not hide is another. */
function placed(label, frame) {
  const loud = new Set(drawnSituations(frame.port).flatMap(({ places }) => places));
  const key = [label.x, label.y, label.width, label.height, frame.width, frame.height, ...loud].join(" ");
  if (frame.calloutAt?.key !== key) {
    const [box] = place([label], frame, [...frame.solid, ...frame.boxes], frame.roadDots(loud));
    frame.calloutAt = { key, box };
  }
  return frame.calloutAt.box;
}

/* The first alarm of the list whose situation has its head in sight. */
function mostUrgent(frame) {
  const { port } = frame;
  for (const id of port.urgent) {
    const situation = port.situations.get(id);
    const site = situation && headSite(situation, port);
    if (site && isHere(site, frame)) return { site, level: situation.level, lines: words(situation, port) };
  }
  return null;
}

const headSite = ({ head, sites }, port) => port.sections.find(({ id }) => id === head)?.to_site ?? port.sensors.get(head)?.site ?? sites[0];

/* Three lines: where and how long; why, how it goes on and since when; what it reaches next, else when it ends. */
function words(situation, port) {
  const road = port.sections.find(({ id }) => id === situation.head)?.road;
  const place = shortName(port.sites.get(headSite(situation, port)));
  const where = road && !place.includes(road) ? `${road} → ${place}` : place;
  const how = [namedCause(situation.cause), t(`trend.${situation.trend}`), since({ since: new Date(situation.onset) })];
  return [
    [where, situationLength(situation)].filter(Boolean).join(" · "),
    how.filter(Boolean).join(" · "),
    spillback(situation, port) || ending(situation),
  ].filter(Boolean);
}

/* What no alarm tells yet: the worst that the sensors say. */
function worstSensors(frame) {
  const worst = frame.port.open().find((group) => group.alarming && isHere(group.sensors[0].site, frame));
  if (!worst) return null;
  const lines = [headline(worst, frame.port), evidence(worst, frame.port), since(worst)].filter((line) => line && line !== "–");
  return { site: worst.sensors[0].site, level: worst.level, lines };
}

/* In sight: inside the frame, and not where a smaller frame lies above. */
function isHere(site, frame) {
  const { width, height, solid } = frame;
  const point = frame.at(site);
  const within = (box) => point[0] > box.x && point[0] < box.x + box.width && point[1] > box.y && point[1] < box.y + box.height;
  return Boolean(point) && within({ x: 0, y: 0, width, height }) && !solid.some(within);
}

/* From beside the head, which stays in sight. */
function lead({ x, y }, box) {
  const toX = Math.min(Math.max(x, box.x), box.x + box.width);
  const toY = Math.min(Math.max(y, box.y), box.y + box.height);
  const share = Math.min(1, HEAD / (Math.hypot(toX - x, toY - y) || 1));
  return s("path", { class: "leader strong", d: `M${x + (toX - x) * share},${y + (toY - y) * share}L${toX},${toY}` });
}

function panel(box, lines, level) {
  const text = lines.map((line, i) =>
    s("text", { class: i ? "label" : "callout-headline", x: PADDING, y: PADDING + 10 + i * LINE }, line),
  );
  const frame = { width: box.width, height: box.height, rx: 2 };
  const edge = s("rect", { class: `callout-edge ${level}`, width: 3, height: box.height });
  return s("g", { class: "callout", transform: `translate(${box.x},${box.y})` }, s("rect", { class: "callout-box", ...frame }), edge, text);
}
