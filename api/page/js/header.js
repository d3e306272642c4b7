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
    const age = this.port.newest ? Math.max(0, now - this.port.newest) : null;
    setText(byId("age"), age === null ? "–" : span(age));
    const lost = this.lostAt !== null && performance.now() - this.lostAt >= GRACE_MS;
    const late = age !== null && age > STALE_MS;
    document.body.classList.toggle("stale", lost || late);
    banner(lost ? t("stale.lost", { span: span(age ?? performance.now() - this.lostAt) }) : late ? t("stale.old", { span: span(age) }) : "");
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
