/* Numbers and times as people of the port read them: their language, the time zone of the port. */

import { language, t } from "./i18n.js";

const cache = new Map();
let zone = "Europe/Paris";

/** The zone of all times from now on, by its IANA name. */
export function setTimeZone(name) {
  zone = name;
}

export const timeZone = () => zone;

function formatter(Type, options) {
  const key = Type.name + language() + JSON.stringify(options);
  if (!cache.has(key)) cache.set(key, new Type(language() === "fr" ? "fr-FR" : "en-GB", options));
  return cache.get(key);
}

/* B612 has no narrow no-break space: the plain one keeps the face. */
const plain = (text) => text.replaceAll("\u202f", "\u00a0");

export function number(value, digits = 0) {
  return plain(formatter(Intl.NumberFormat, { maximumFractionDigits: digits }).format(value));
}

/** A measured value with as many digits as it deserves. */
export function measured(value) {
  const size = Math.abs(value);
  return number(value, size >= 20 || Number.isInteger(value) ? 0 : size >= 2 ? 1 : 2);
}

export function percent(share) {
  return plain(formatter(Intl.NumberFormat, { style: "percent" }).format(share));
}

export function quantity(value, unit) {
  if (value === null || value === undefined) return "–";
  if (unit === "%") return percent(value / 100);
  if (unit === "s" && value >= 120) return span(1000 * value);
  if (unit?.startsWith("1/")) return `${measured(value)}${unit.slice(1)}`;
  return unit === "1" || !unit ? measured(value) : `${measured(value)}\u00a0${unit}`;
}

const clock = (options) => (date) => formatter(Intl.DateTimeFormat, { timeZone: zone, ...options }).format(date);
export const timeOfDay = clock({ hour: "2-digit", minute: "2-digit" });
export const timeWithSeconds = clock({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
export const dayOfWeek = clock({ weekday: "short", day: "numeric", month: "short" });
const fullDay = clock({ day: "numeric", month: "short", year: "numeric" });
const dayKey = clock({ year: "numeric", month: "2-digit", day: "2-digit" });

/** `07:12` on the day of `now`, `sun 22 Nov 07:12` in the week around it, with the year further away. */
export function moment(date, now) {
  if (dayKey(date) === dayKey(now)) return timeOfDay(date);
  const near = Math.abs(now - date) < 7 * 86_400_000;
  return `${near ? dayOfWeek(date) : fullDay(date)} ${timeOfDay(date)}`;
}

/** A span of time in its natural unit. */
export function span(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return t("span.s", { n: number(seconds) });
  if (seconds < 7200) return t("span.min", { n: number(Math.round(seconds / 60)) });
  if (seconds < 172_800) return t("span.h", { n: number(Math.round(seconds / 3600)) });
  return t("span.d", { n: number(Math.round(seconds / 86_400)) });
}

/** A direction of the wind as a word: eight points of the compass. */
export const compass = (degrees) => t("compass").split(" ")[Math.round((((degrees % 360) + 360) % 360) / 45) % 8];
