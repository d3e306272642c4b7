/* The line above: the time in the port, how old the data are, how many sensors speak; and the banner when they stop. */

import { byId, setText } from "./dom.js";
import { dayOfWeek, number, span, timeWithSeconds } from "./format.js";
import { t } from "./i18n.js";
import { serverNow } from "./source.js";

const STALE_MS = 90_000;
/* A line that is back sooner was never lost to a reader; longer, and five seconds may pass on a busy machine. */
const GRACE_MS = 2000;

export class Header {
  constructor(port) {
    this.port = port;
    this.lostAt = null;
    setInterval(() => this.tick(), 1000);
  }

  /** Hear whether the stream of states lives, or since when it does not. */
  stream(live, since) {
    this.lostAt = live ? null : (this.lostAt ?? since);
    this.tick();
    if (!live) setTimeout(() => this.tick(), GRACE_MS);
  }

  tick() {
    const now = serverNow();
    const unknown = this.port.played && !this.port.newest;
    setText(byId("clock"), unknown ? "–" : timeWithSeconds(now));
    setText(byId("date"), [!unknown && dayOfWeek(now), this.port.played && t("header.played")].filter(Boolean).join(" · "));
    const silence = this.lostAt === null ? 0 : performance.now() - this.lostAt;
    const lost = this.lostAt !== null && silence >= GRACE_MS;
    const age = this.age(now, lost ? silence : 0);
    setText(byId("age"), age === null ? "–" : span(age));
    const late = age !== null && age > STALE_MS;
    document.body.classList.toggle("stale", lost || late);
    banner(lost ? t("stale.lost", { span: span(age ?? silence) }) : late ? t("stale.old", { span: span(age) }) : "");
  }

  /* A played port's clock stands with its data: there the silence of the line is their age. */
  age(now, silence) {
    return this.port.newest ? Math.max(0, now - this.port.newest, this.port.played ? silence : 0) : null;
  }

  count() {
    const [speaking, all] = [this.port.speaking, this.port.wallSensors.length];
    setText(byId("speaking"), t("header.sensors", { speaking: number(speaking), all: number(all) }));
  }
}

/** A message across the page, or none. */
export function banner(text) {
  const element = byId("banner");
  element.hidden = !text;
  setText(element, text);
}
