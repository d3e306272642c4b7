/* The port as this page knows it: the catalogue, the latest states, and what follows from both. No DOM. */

import { ALARMING, rank, worst } from "./level.js";

/** A silent sensor's state says nothing of the road. */
const isSilent = (state) => state?.verdict === "sensor";

export class Port {
  constructor({ sites, sensors, sections, kinds, corridors }) {
    this.sites = index(sites);
    this.sensors = index(sensors);
    this.corridors = index(corridors);
    this.kinds = new Map(kinds.map((kind) => [kind.name, kind]));
    this.sections = sections;
    this.states = new Map();
    this.situations = new Map();
    this.bySite = groupBy(this.ordered(sensors), (sensor) => sensor.site);
    this.urgent = [];
    this.ways = new Map();
    this.newest = null;
    this.played = sites.length > 0 && sites.every(({ clock }) => clock === "recording");
  }

  /* What has a level comes before what has none, each by its id. */
  ordered(sensors) {
    const quiet = (sensor) => (this.kinds.get(sensor.kind)?.level ? 0 : 1);
    return [...sensors].sort((a, b) => quiet(a) - quiet(b) || a.id.localeCompare(b.id, "en", { numeric: true }));
  }

  /** Take states in; returns the ids of the sensors whose picture changes. */
  absorb(states) {
    const touched = new Set();
    for (const state of states) {
      this.states.set(state.sensor, state);
      touched.add(this.corridors.get(state.sensor)?.reader ?? state.sensor);
      if (state.time && this.isWall(state.site)) this.newest = later(this.newest, new Date(state.time));
    }
    return touched;
  }

  /** The port's own sensors; recordings have sites with a clock of their own. */
  get wallSensors() {
    return [...this.sensors.values()].filter((sensor) => this.isWall(sensor.site));
  }

  /* Where no site has the wall's clock, the port itself is played. */
  isWall(site) {
    return this.played || this.sites.get(site)?.clock !== "recording";
  }

  /** The state of a sensor; a Bluetooth reader's is the worst, then the newest, of the corridors that end at it. */
  stateOf(sensor) {
    if (!sensor.corridors?.length) return this.states.get(sensor.id);
    const states = sensor.corridors.map((thing) => this.states.get(thing)).filter(Boolean);
    return states.sort((a, b) => rank(b.level) - rank(a.level) || (b.time ?? "").localeCompare(a.time ?? ""))[0];
  }

  level(sensor) {
    const state = this.stateOf(sensor);
    if (!state || state.verdict === "sensor") return "unknown";
    return state.level ?? (state.time ? null : "unknown");
  }

  speaks(sensor) {
    const state = this.stateOf(sensor);
    return Boolean(state?.time) && !isSilent(state);
  }

  /** How many of the port's own sensors speak. */
  get speaking() {
    return this.wallSensors.filter((sensor) => this.speaks(sensor)).length;
  }

  /** The ways that a road sensor speaks for, found once by `find`. */
  waysOf(sensor, find) {
    if (!this.ways.has(sensor.id)) this.ways.set(sensor.id, find(sensor, this));
    return this.ways.get(sensor.id);
  }

  siteLevel(site) {
    return worst((this.bySite.get(site) ?? []).map((sensor) => this.level(sensor)));
  }

  /** What is wrong now, worst first: sensors of one site, kind and direction together, silent ones by site. */
  open() {
    const groups = groupBy([...this.sensors.values()].filter((sensor) => this.matters(sensor)), (sensor) => this.together(sensor));
    return [...groups].map(([key, sensors]) => this.situation(key, sensors)).sort(bySeverity);
  }

  /* A site of a recording is a whole city: there every station stands for itself. */
  together(sensor) {
    if (!this.isWall(sensor.site)) return sensor.id;
    return [sensor.site, ...(this.silent(sensor) ? ["silent"] : [sensor.kind, sensor.direction])].join(" ");
  }

  matters(sensor) {
    return this.silent(sensor) || rank(this.level(sensor)) >= 1;
  }

  silent(sensor) {
    return isSilent(this.stateOf(sensor));
  }

  situation(key, sensors) {
    const worstFirst = [...sensors].sort((a, b) => rank(this.level(b)) - rank(this.level(a)));
    const states = sensors.map((sensor) => this.stateOf(sensor));
    const since = states.map((state) => state.since).filter(Boolean).sort()[0] ?? null;
    const level = this.level(worstFirst[0]);
    return { key, sensors: worstFirst, level, since: since && new Date(since), alarming: rank(level) >= ALARMING };
  }
}

function bySeverity(a, b) {
  return rank(b.level) - rank(a.level) || (b.since ?? 0) - (a.since ?? 0) || a.key.localeCompare(b.key);
}

const later = (a, b) => (a && a > b ? a : b);
const index = (things) => new Map(things.map((thing) => [thing.id, thing]));

export function groupBy(things, key) {
  const groups = new Map();
  for (const thing of things) {
    const name = key(thing);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(thing);
  }
  return groups;
}
