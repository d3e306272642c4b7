/* Evidence as words: each fact by its name in the API, in the unit that the name carries. What is a field of the kind of
   the sensor brings its own title. */

import { measured, percent, quantity } from "./format.js";
import { has, label, t, worded } from "./i18n.js";

const SHARE = /(^|_)(ratio|share)$|^out_of_most$/;
const ORIGIN = /_origin$/;
/* In the unit of what the level is judged by. */
const OF_LEVEL = new Set(["value", "congested_from"]);

/** Every fact of some evidence as a phrase; `kind` is that of the sensor that it is about. */
export function facts(evidence, kind) {
  const told = Object.entries(evidence ?? {}).filter(([, value]) => value !== null && typeof value !== "object");
  return told.map(([name, value]) => fact(name, value, kind)).filter(Boolean);
}

/** The numbers among them. */
export const numbers = (evidence) => facts(Object.fromEntries(Object.entries(evidence ?? {}).filter(([, value]) => typeof value === "number")));

/** A word that the service has for a state or an origin. */
export const word = (value) => worded(`word.${value}`, value);

function fact(name, value, kind) {
  const message = `fact.${ORIGIN.test(name) && !has(`fact.${name}`) ? "origin" : name}`;
  if (has(message)) return t(message, { value: shown(name, value, kind), n: value });
  const field = kind?.fields.find((each) => each.name === name);
  return field ? `${label(field.title)} ${quantity(value, field.unit)}` : "";
}

function shown(name, value, kind) {
  if (typeof value === "string") return word(value);
  if (SHARE.test(name)) return percent(value);
  if (OF_LEVEL.has(name) && kind?.level) return ofLevel(value, kind);
  return name.endsWith("_s") ? quantity(value, "s") : measured(value);
}

const ofLevel = (value, { level, fields }) => (level.of ? percent(value) : quantity(value, fields.find((each) => each.name === level.field)?.unit));
