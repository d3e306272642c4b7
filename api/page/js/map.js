/* The map: which frame shows which site, the sizes of the frames, and moving between marks by keyboard. */

import { byId, setText } from "./dom.js";
import { number } from "./format.js";
import { Frame } from "./frame.js";
import { FRAMES, isPlaced } from "./geography.js";
import { t } from "./i18n.js";
import { onWall } from "./wall.js";
import { inside, leave } from "./projection.js";

const REACH_DEGREES = 0.12;
const SMALLEST = 160;
/* The south of the gulf is sea: so many pixels of it may lie under the small frames. */
const SHORE = 26;
/* A wall is read from a few metres. */
const WALL_SCALE = 1.4;

export class PortMap {
  constructor(port, coast, open) {
    this.port = port;
    this.element = byId("map");
    const claimed = claim(port);
    this.frames = FRAMES.map((spec) => this.frame(spec, claimed, coast, open));
    this.element.addEventListener("keydown", (event) => this.move(event));
    const resized = new ResizeObserver(() => this.layout());
    for (const { svg } of this.frames) resized.observe(svg.parentElement);
  }

  frame(spec, claimed, coast, open) {
    const placed = [...this.port.sites.values()].filter(isPlaced);
    const sites = placed.filter((site) => claimed.get(site.id) === spec.id);
    const points = placed.filter((site) => claimed.has(site.id)).map((site) => [site.id, [site.longitude, site.latitude]]);
    const svg = byId(`map-${spec.id}`);
    const lenses = spec.wide ? FRAMES.filter(({ box }) => overlaps(box, spec.box)).slice(0, -1).map(({ box }) => box) : [];
    return new Frame(svg, { ...spec, lenses, sites, through: new Map(points), far: slide(sites, spec, this.port), coast, port: this.port, open });
  }

  /** Every frame fills its element; what the small ones cover is kept free of labels in the wide one. */
  layout() {
    const scale = onWall() ? WALL_SCALE : 1;
    const outer = this.frames.find(({ wide }) => wide).svg.getBoundingClientRect();
    const focused = document.activeElement?.dataset?.sensor;
    const covered = [];
    for (const frame of this.frames) {
      const box = frame.svg.getBoundingClientRect();
      const [width, height, x, y] = [box.width, box.height, box.left - outer.left, box.top - outer.top].map((size) => size / scale);
      if (box.width < SMALLEST || box.height < SMALLEST) continue;
      const floating = getComputedStyle(frame.svg.parentElement).position === "absolute";
      const below = frame.wide ? Math.max(0, ...covered.map((cover) => height - cover.y - SHORE)) : 0;
      frame.layout(width, height, frame.wide ? covered : [], below);
      if (floating && !frame.wide) covered.push({ x, y, width, height });
    }
    this.marks()[0]?.setAttribute("tabindex", "0");
    if (focused) this.element.querySelector(`[data-sensor="${CSS.escape(focused)}"]`)?.focus();
  }

  /** Names and numbers again, after the language changed. */
  translate() {
    for (const { id } of FRAMES) setText(byId(`map-${id}-title`), t(`map.${id}`));
    this.element.setAttribute("aria-label", t("map.title", { n: number(this.port.wallSensors.length) }));
    this.layout();
  }

  frameOf(element) {
    return this.frames.find(({ svg }) => svg.contains(element));
  }

  marks() {
    return [...this.element.querySelectorAll(".mark")];
  }

  /** Arrows go to the nearest mark that way, Enter and Space open it. */
  move(event) {
    const mark = event.target.closest?.(".mark");
    if (event.target.closest?.("svg") && this.frameOf(event.target)?.zoom.key(event)) return event.preventDefault();
    const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
    if (!mark || !(step || event.key === "Enter" || event.key === " ")) return;
    event.preventDefault();
    if (!step) mark.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    else focusOn(nearest(this.marks(), mark, step), mark);
  }
}

/** Each placed site belongs to the first frame whose box holds it; a lone neighbour of the wide frame slides to its edge. */
function claim(port) {
  const claimed = new Map();
  for (const site of [...port.sites.values()].filter(isPlaced)) {
    const frame = FRAMES.find(({ box }) => inside(box, [site.longitude, site.latitude]));
    if (frame) claimed.set(site.id, frame.id);
  }
  const wide = FRAMES.find((frame) => frame.wide);
  for (const site of [...port.sites.values()].filter((each) => isPlaced(each) && !claimed.has(each.id))) {
    if (neighbour(site, port, claimed, wide) && near(site, wide.box)) claimed.set(site.id, wide.id);
  }
  return claimed;
}

const overlaps = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

const near = ({ longitude, latitude }, [west, south, east, north]) =>
  inside([west - REACH_DEGREES, south - REACH_DEGREES, east + REACH_DEGREES, north + REACH_DEGREES], [longitude, latitude]);

const neighbour = (site, port, claimed, frame) =>
  port.sections.find((way) => way.from_site === site.id && claimed.get(way.to_site) === frame.id)?.to_site;

/* The sites of a frame that lie outside its box, at the point where the road to them leaves it. */
function slide(sites, { box }, port) {
  const outside = sites.filter((site) => !inside(box, [site.longitude, site.latitude]));
  return new Map(
    outside.map((site) => {
      const way = port.sections.find(({ from_site: from, to_site: to }) => from === site.id && !outside.some(({ id }) => id === to));
      const next = port.sites.get(way.to_site);
      return [site.id, leave(box, [next.longitude, next.latitude], [site.longitude, site.latitude])];
    }),
  );
}

function nearest(marks, from, [dx, dy]) {
  const centre = (mark) => {
    const { left, top, width, height } = mark.getBoundingClientRect();
    return [left + width / 2, top + height / 2];
  };
  const [x, y] = centre(from);
  const distance = (mark) => {
    const [u, v] = [centre(mark)[0] - x, centre(mark)[1] - y];
    const [along, aside] = [u * dx + v * dy, Math.abs(u * dy) + Math.abs(v * dx)];
    return along > 1 ? along + 2 * aside : Infinity;
  };
  const best = marks.reduce((a, b) => (distance(b) < distance(a) ? b : a), from);
  return best;
}

function focusOn(mark, from) {
  from.setAttribute("tabindex", "-1");
  mark.setAttribute("tabindex", "0");
  mark.focus();
}
