/* One frame of the map: land, roads, sites with the marks of their sensors, and a callout for the worst of them. */

import { callout } from "./callout.js";
import { redraw, s, setText } from "./dom.js";
import { number } from "./format.js";
import { t } from "./i18n.js";
import { rank, shape } from "./level.js";
import { drawMark, isRose, note, row } from "./marks.js";
import { place } from "./placement.js";
import { fit, path, pixelsPerMetre } from "./projection.js";
import { roadLines, roadStates } from "./roads.js";
import { situationLines, situationMarks } from "./situation-marks.js";
import { sensorSentence, shortName } from "./sentences.js";
import { textWidth } from "./text-width.js";
import { Zoom } from "./zoom.js";

const LINE = 14;
/* A position is known roughly from here on: less is hardly more than the shape that stands for it. */
const ROUGHLY_M = 100;
const NODE_DOT = 60;
const ROAD_DOT = 7;
const LOUD_DOT = 40;
const MARKS = 13;
const LONG_NAME = 20;
const AWAY = "M6,0L-2,-8M-2,-2V-8H4";
const TITLE = { x: 0, y: 0, width: 150, height: 26 };
const ROSE = { width: 76, height: 90 };

/* A long name takes two lines: broken between two places, or else at the last space that leaves a short line. */
function lines(name) {
  if (name.length <= LONG_NAME) return [name];
  const at = name.includes(" – ") ? name.indexOf(" – ") + 2 : name.lastIndexOf(" ", LONG_NAME);
  return at > 0 ? [name.slice(0, at), name.slice(at + 1)] : [name];
}

export class Frame {
  /** `sites` are shown with their sensors, `through` only as points that roads lead over, `far` slid to the edge. */
  constructor(svg, { lenses, box, padding, wide, sites, through, far, coast, port, open }) {
    Object.assign(this, { svg, lenses, box, padding, wide, sites, through, far, coast, port, open });
    this.groups = new Map();
    this.notes = [];
    this.zoom = new Zoom(svg);
    for (const name of ["focusin", "pointerover"]) svg.addEventListener(name, ({ target }) => this.showRadius(target.closest(".mark")?.dataset.sensor));
  }

  /** Draw everything for a size in pixels; `solid` are the boxes that other frames cover, `below` their height. */
  layout(width, height, solid, below) {
    Object.assign(this, { width, height, calloutAt: null, clear: height - below, solid: [TITLE, ...this.roseBoxes(width), ...solid] });
    this.project = fit(this.box, width, height - below, this.padding);
    this.zoom.size(width, height);
    this.groups.clear();
    this.notes = [];
    this.states = s("g", { class: "states" });
    this.callouts = s("g", { class: "callouts" });
    this.situations = s("g", { class: "situations" });
    this.heads = s("g", { class: "heads" });
    this.radius = s("g", { class: "radius" });
    const roads = s("g", { class: "roads" }, roadLines(this.port, (id) => this.at(id)));
    this.svg.replaceChildren(...this.land(), ...this.lenses.map((box) => this.outline(box)), this.radius, roads, this.states, this.situations, ...this.places(), this.heads, ...this.roses(), this.callouts);
    this.update();
  }

  at(id) {
    const point = this.far.get(id) ?? this.through.get(id);
    return point ? this.project(point) : null;
  }

  land() {
    return this.coast.features.map((feature) => s("path", { class: "land", d: path(feature.geometry, this.project) }));
  }

  /* What another frame shows enlarged. */
  outline([west, south, east, north]) {
    const [[x, y], [right, bottom]] = [this.project([west, north]), this.project([east, south])];
    return s("rect", { class: "outline", x, y, width: right - x, height: bottom - y });
  }

  places() {
    const plates = this.sites.map((site) => this.plate(site)).filter((plate) => plate.width > 0);
    this.boxes = place(plates, this, this.solid, this.roadDots());
    const nodes = [...this.through.keys()].map((id) => this.node(id, plates.some((plate) => plate.site.id === id)));
    return [...nodes, ...plates.map((plate, i) => this.drawPlate(plate, this.boxes[i]))];
  }

  plate(site) {
    const sensors = this.port.bySite.get(site.id) ?? [];
    const { marks, notes, width } = row(sensors, this.port);
    const [x, y] = this.at(site.id);
    const names = lines(shortName(site));
    const wide = Math.max(...names.map((name) => textWidth(name) + (this.far.has(site.id) ? 14 : 0)), width);
    return { site, sensors, marks, notes, x, y, names, width: wide, height: names.length * LINE + (width ? MARKS : 0), reach: [11, 20, 32, 46, 62, 80, 104] };
  }

  /* Where the site of a sensor may be that is only roughly known, while somebody points at it. */
  showRadius(id) {
    if (!this.radius) return;
    const site = this.port.sites.get(this.port.sensors.get(id)?.site);
    const metres = site?.position_accuracy_m ?? 0;
    if (metres < ROUGHLY_M) return this.radius.replaceChildren();
    const [x, y] = this.at(site.id);
    const r = metres * pixelsPerMetre(this.project, [site.longitude, site.latitude]);
    this.radius.replaceChildren(s("circle", { cx: x, cy: y, r }), s("text", { class: "label", x, y: y - r - 4 }, t("map.roughly", { km: number(metres / 1000, 1) })));
  }

  /* Points along the roads, and the sites themselves, that a label should leave visible; `loud` ones more than others. */
  roadDots(loud = new Set()) {
    const nodes = [...this.through.keys()].map((id) => [...this.at(id), NODE_DOT]);
    return [...nodes, ...this.port.sections.flatMap((way) => this.wayDots(way, loud.has(way.id) ? LOUD_DOT : ROAD_DOT))];
  }

  wayDots(way, weight) {
    const [a, b] = [this.at(way.from_site), this.at(way.to_site)];
    const steps = a && b ? Math.ceil(Math.hypot(b[0] - a[0], b[1] - a[1]) / 8) : 0;
    return Array.from({ length: steps }, (_, i) => [a[0] + ((b[0] - a[0]) * i) / steps, a[1] + ((b[1] - a[1]) * i) / steps, weight]);
  }

  node(id, labelled) {
    const [x, y] = this.at(id);
    const group = s("g", { class: "node", transform: `translate(${x.toFixed(1)},${y.toFixed(1)})`, "data-site": id });
    this.groups.set(`site ${id}`, { group, labelled });
    return group;
  }

  drawPlate(plate, box) {
    const text = plate.names.map((name, i) => s("text", { class: "label", x: 0, y: 10 + i * LINE }, name));
    const top = plate.names.length * LINE;
    const arrow = this.far.has(plate.site.id) && s("path", { class: "away", d: AWAY, transform: `translate(${textWidth(plate.names[0]) + 6},10)` });
    const marks = plate.marks.map(({ sensor, x }) => this.mark(sensor, x, top + 7));
    const notes = plate.notes.map(({ kind, x }) => {
      const element = s("text", { class: "note", x, y: top + 11 });
      this.notes.push({ element, kind, sensors: plate.sensors });
      return element;
    });
    const group = s("g", { class: "plate", transform: `translate(${box.x.toFixed(1)},${box.y.toFixed(1)})` }, text, arrow, marks, notes);
    return s("g", {}, this.leader(plate, box), group);
  }

  leader(plate, box) {
    const x = Math.min(Math.max(plate.x, box.x), box.x + box.width);
    const y = Math.min(Math.max(plate.y, box.y), box.y + box.height);
    const far = Math.hypot(x - plate.x, y - plate.y) > 16;
    return far && s("path", { class: "leader", d: `M${plate.x.toFixed(1)},${plate.y.toFixed(1)}L${x.toFixed(1)},${y.toFixed(1)}` });
  }

  roses() {
    return this.winds().map((sensor, i) => this.mark(sensor, this.width - ROSE.width / 2, 34 + i * ROSE.height, "wind"));
  }

  winds() {
    return this.sites.flatMap((site) => (this.port.bySite.get(site.id) ?? []).filter(isRose));
  }

  roseBoxes(width) {
    return this.winds().map((_, i) => ({ x: width - ROSE.width, y: i * ROSE.height, ...ROSE }));
  }

  mark(sensor, x, y, extra = "") {
    const group = s(
      "g",
      {
        class: `mark ${extra}`,
        transform: `translate(${x.toFixed(1)},${y.toFixed(1)})`,
        "data-sensor": sensor.id,
        role: "button",
        tabindex: -1,
        onclick: () => this.open(sensor.id),
      },
      s("title"),
      extra ? s("circle", { class: "hit", r: 24 }) : s("rect", { class: "hit", x: -5.5, y: -9, width: 11, height: 18 }),
      s("g", { class: "picture" }),
    );
    this.groups.set(sensor.id, { group, sensor });
    return group;
  }

  /** Bring marks, roads and callout up to date; without `touched` all of them. */
  update(touched = null) {
    if (!this.states) return;
    for (const [id, entry] of this.groups) {
      if (!entry.sensor) this.updateNode(id.slice(5), entry);
      else if (!touched || touched.has(id)) this.updateMark(entry);
    }
    for (const { element, kind, sensors } of this.notes) setText(element, note(kind, sensors, this.port));
    redraw(this.states, roadStates(this.port, (id) => this.at(id)));
    redraw(this.callouts, callout(this));
    redraw(this.situations, situationLines(this.port, (id) => this.at(id)));
    redraw(this.heads, situationMarks(this.port, (id) => this.at(id)));
  }

  updateMark(entry) {
    const sentence = sensorSentence(entry.sensor, this.port);
    drawMark(entry, this.port);
    if (entry.sentence === sentence) return;
    entry.sentence = sentence;
    setText(entry.group.querySelector("title"), sentence);
    entry.group.setAttribute("aria-label", `${t("map.sensor")} ${sentence}`);
  }

  updateNode(id, { group, labelled }) {
    const level = this.port.siteLevel(id);
    if (group.dataset.level === String(level)) return;
    group.dataset.level = String(level);
    const loud = rank(level) >= 1;
    group.replaceChildren(loud ? shape(level, labelled ? 7 : 5) : s("circle", { r: labelled ? 4.2 : 2.6, class: "ring" }));
  }
}
