/* The open alarms, the situations behind them and the load, as the server tells them. No DOM. */

import { send } from "./sender.js";
import { get } from "./source.js";

const MOST = 200;
/* How many cards are told in full: more nobody reads at once, and each is a request. */
const IN_FULL = 12;
/* Events come in bursts: one question answers them all. */
const GATHER_MS = 250;
const RETRY_MS = 5000;
const PRIORITIES = ["high", "medium", "low"];
const WAITING = new Set(["unacknowledged", "returned_unacknowledged"]);
const HIDDEN = new Set(["shelved", "suppressed", "out_of_service"]);

export const isWaiting = (alarm) => WAITING.has(alarm.state);
export const isHidden = (alarm) => HIDDEN.has(alarm.state);

export class AlarmBook {
  constructor(port, changed) {
    Object.assign(this, { port, changed, all: [], details: new Map(), situations: new Map(), flood: null, recent: null, failed: null });
    this.timer = null;
  }

  /** Ask again soon; many calls within a moment are one. */
  refresh(after = GATHER_MS) {
    this.timer ??= setTimeout(() => this.load(), after);
  }

  async load() {
    try {
      const [alarms, situations, kpi] = await Promise.all([get("alarms", { open: true, limit: MOST }), get("situations"), get("kpi")]);
      this.all = alarms.items.filter(({ recording }) => !recording || this.port.played).sort(byUrgency);
      this.situations = new Map(situations.items.map((item) => [item.situation, item]));
      Object.assign(this, { flood: kpi.flood, recent: kpi, failed: null });
      await this.detail();
    } catch (error) {
      this.failed = error.message;
    }
    this.timer = null;
    if (this.failed) this.refresh(RETRY_MS);
    this.changed();
  }

  async detail() {
    const stale = this.shown.slice(0, IN_FULL).filter(({ id, version }) => this.details.get(id)?.version !== version);
    const told = await Promise.all(stale.map(({ id }) => get(`alarms/${id}`)));
    for (const alarm of told) this.details.set(alarm.id, alarm);
    const open = new Set(this.all.map(({ id }) => id));
    for (const id of this.details.keys()) if (!open.has(id)) this.details.delete(id);
  }

  get shown() {
    return this.all.filter((alarm) => !isHidden(alarm));
  }

  get hidden() {
    return this.all.filter(isHidden);
  }

  get waiting() {
    return this.all.filter(isWaiting);
  }

  /** Act on an alarm as it was shown; what somebody else changed meanwhile is refused by the server. */
  async act(alarm, action, body) {
    const answer = await send(`alarms/${alarm.id}/${action}`, body, alarm.version);
    this.details.set(answer.id, answer);
    this.all = this.all.map((each) => (each.id === answer.id ? answer : each)).filter(({ closed }) => !closed);
    this.changed();
    this.refresh();
  }
}

/* What waits for an answer first, by priority, of those the newest. */
function byUrgency(a, b) {
  const waits = Number(isWaiting(b)) - Number(isWaiting(a));
  return waits || PRIORITIES.indexOf(a.priority) - PRIORITIES.indexOf(b.priority) || b.onset.localeCompare(a.onset);
}
