/* Starts the page and wires its parts: catalogue, streams, map, lists, one sensor. */

import { AlarmBook } from "./alarm-book.js";
import { AlarmsView } from "./alarms-view.js";
import { AlertsView } from "./alerts-view.js";
import { Detail } from "./detail.js";
import { byId, h, setText } from "./dom.js";
import { Duty } from "./duty.js";
import { setTimeZone } from "./format.js";
import { banner, Header } from "./header.js";
import { language, setLanguage, t } from "./i18n.js";
import { badge } from "./level.js";
import { PortMap } from "./map.js";
import { Port } from "./port.js";
import { Pulse } from "./pulse.js";
import { SensorsView } from "./sensors-view.js";
import { follow, get, playTo } from "./source.js";
import { Story } from "./story.js";
import { toggleTheme } from "./theme.js";
import { wall } from "./wall.js";

const LISTS = ["sites", "sensors", "kinds", "corridors"];
const JOURNAL = 40;
const RETRY_MS = 2000;
const LIST_EVERY_MS = 15_000;
/* The server speaks once a second here: three beats missed and it is not there. The feed's own beat comes every 30 s. */
const SILENT_MS = 3500;
const FEED_SILENT_MS = 75_000;

async function start() {
  const lists = Promise.all(LISTS.map(async (name) => [name, (await get(name)).items]));
  const others = ["settings", "geometry/coast", "geometry/sections"].map((name) => get(name));
  const [settings, coast, roads, recent] = await Promise.all([...others, get("alerts", { newest: JOURNAL })]);
  const sections = roads.features.map(({ properties }) => properties);
  setTimeZone(settings.timezone);
  document.title = settings.title;
  await document.fonts.ready;
  run(new Port({ ...Object.fromEntries(await lists), sections }), coast, recent);
}

function run(port, coast, recent) {
  const detail = new Detail(port);
  const open = (id) => detail.open(id);
  const parts = {};
  const book = new AlarmBook(port, () => heardAlarms(port, parts));
  const story = new Story(port, book, open);
  Object.assign(parts, {
    detail,
    book,
    story,
    duty: new Duty(),
    alarms: new AlarmsView(port, book, (alarm) => story.ofAlarm(alarm)),
    map: new PortMap(port, coast, open),
    alerts: new AlertsView(port, book, open),
    sensors: new SensorsView(port, open),
    header: new Header(port),
  });
  parts.pulse = new Pulse(steps(port, parts));
  tabs(parts);
  switches(() => translate(parts));
  parts.alerts.remember(recent.items);
  translate(parts);
  book.load();
  wall(() => parts.map.layout());
  listen(port, parts, recent.next);
  setInterval(() => parts.book.refresh(), LIST_EVERY_MS);
}

function listen(port, parts, cursor) {
  const heard = ({ items }) => parts.pulse.touch(port.absorb(items));
  follow("states/stream", { snapshot: heard, states: heard }, (live, since) => parts.header.stream(live, since), SILENT_MS);
  const events = { alert: (event) => told(event, parts), heartbeat: () => {}, snapshot: () => parts.book.refresh() };
  follow(`alerts/stream?after=${cursor}`, events, (live) => live && parts.book.refresh(), FEED_SILENT_MS);
}

function told(event, parts) {
  parts.alerts.remember([event]);
  if (/^vigie\.(alarm|flood|congestion)\./.test(event.type)) parts.book.refresh();
}

/* Alarms or situations are others than before. */
function heardAlarms(port, parts) {
  port.situations = parts.book.situations;
  port.urgent = parts.book.shown.map(({ situation }) => situation).filter(Boolean);
  parts.alarms.render();
  parts.heardAlarms = true;
  if (port.states.size) parts.pulse.touch([]);
}

/* What follows from new states, one part after the other; alarms that come amid them are on the picture the next time. */
function steps(port, parts) {
  let alarmsDrawn = false;
  return [
    () => {
      alarmsDrawn = parts.heardAlarms;
      if (port.played) playTo(port.newest);
    },
    () => port.played && [parts.alerts.renderJournal(), parts.alarms.render()],
    ...parts.map.frames.map((frame) => (touched) => frame.update(touched)),
    () => parts.alerts.render(),
    (touched) => parts.sensors.update(touched),
    (touched) => touched.has(parts.detail.sensor?.id) && parts.detail.render(),
    () => {
      parts.header.count();
      parts.header.tick();
      if (port.states.size) document.body.dataset.ready = "";
      if (alarmsDrawn) document.body.dataset.alarms = "";
    },
  ];
}

function translate(parts) {
  document.documentElement.lang = language();
  for (const element of document.querySelectorAll("[data-text]")) setText(element, t(element.dataset.text));
  for (const element of document.querySelectorAll("[data-title]")) {
    element.setAttribute("title", t(element.dataset.title));
    element.setAttribute("aria-label", t(element.dataset.title));
  }
  byId("legend").replaceChildren(
    h("li", {}, badge("fluid"), t("legend.fluid")),
    ...["dense", "congested", "jammed", "unknown"].map((level) => h("li", {}, badge(level), t(`level.${level}`))),
  );
  parts.map.translate();
  parts.alarms.render();
  parts.duty.render();
  parts.story.render();
  parts.alerts.renderJournal();
  parts.alerts.render();
  parts.sensors.render();
  parts.header.count();
  parts.header.tick();
  parts.detail.render();
}

function switches(translated) {
  const choices = [...document.querySelectorAll("[data-language]")];
  const mark = () => choices.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.language === language())));
  for (const button of choices) {
    button.addEventListener("click", async () => {
      await setLanguage(button.dataset.language);
      mark();
      translated();
    });
  }
  byId("theme").addEventListener("click", toggleTheme);
  mark();
}

/* Two tabs after the WAI-ARIA pattern: arrows change between them. */
function tabs(parts) {
  const all = [...document.querySelectorAll('[role="tab"]')];
  const choose = (chosen) => {
    for (const tab of all) {
      tab.setAttribute("aria-selected", String(tab === chosen));
      tab.setAttribute("tabindex", tab === chosen ? "0" : "-1");
      byId(tab.getAttribute("aria-controls")).hidden = tab !== chosen;
    }
    parts.sensors.update(null);
  };
  all.forEach((tab, i) => {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      const next = all[(i + 1) % all.length];
      choose(next);
      next.focus();
    });
  });
}

/* The service may still be starting: keep asking, and say so. */
async function begin() {
  try {
    await start();
    banner("");
  } catch (error) {
    banner(t("stale.start", { reason: error.message }));
    setTimeout(begin, RETRY_MS);
    throw error;
  }
}

begin();
