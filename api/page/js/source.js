/* Where everything comes from: the API's lists, and its two streams with the news that a stream is lost or back. */

const ROOT = "v1/";
const RETRY_MS = 2000;
/* A server that hangs accepts and never answers: without an end to the waiting a question would stand for ever. */
const ANSWER_MS = 10_000;
const WATCH_MS = 250;

/** How far the server's clock is ahead of this one, in milliseconds; from the newest answer. */
let ahead = 0;
/** What a played port takes for now: the time of its newest reading. */
let played = null;
export const serverNow = () => played ?? new Date(Date.now() + ahead);
export const playTo = (time) => (played = time);

/** Ends a request that is not answered. */
export const patience = () => AbortSignal.timeout(ANSWER_MS);

/** Get a JSON document of the API; raises what went wrong as an Error with the server's words. */
export async function get(path, parameters = {}) {
  const url = new URL(ROOT + path, document.baseURI);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const response = await fetch(url, { headers: { accept: "application/json" }, signal: patience() });
  setClock(response.headers.get("date"));
  const body = await response.json();
  if (!response.ok) throw new Error(body.detail ?? body.title ?? `${response.status}`);
  return body;
}

/* The Date header has whole seconds: its middle is the best guess, and small differences are noise. */
function setClock(header) {
  const offset = header ? Date.parse(header) + 500 - Date.now() : 0;
  ahead = Math.abs(offset) > 2000 ? offset : 0;
}

/**
 * Follow a stream for ever, from where it broke off. `onState(live, since)` hears of every change; a stream that says
 * nothing for `silentMs` counts as lost. EventSource reconnects after a broken line by itself, but neither from a line that is
 * silent nor after an error answer of a restarting server: it is opened anew then.
 */
export function follow(path, events, onState, silentMs) {
  let source;
  let last = "";
  let heardAt = performance.now();
  const heard = () => (heardAt = performance.now());
  const open = () => {
    heard();
    source?.close();
    const url = new URL(ROOT + path, document.baseURI);
    if (last) url.searchParams.set("after", last);
    source = new EventSource(url);
    source.onopen = () => {
      heard();
      onState(true);
    };
    source.onerror = () => onState(false, performance.now());
    for (const [name, hear] of Object.entries(events)) {
      source.addEventListener(name, (event) => {
        heard();
        last = event.lastEventId || last;
        hear(JSON.parse(event.data), event);
      });
    }
  };
  setInterval(() => {
    const silence = performance.now() - heardAt;
    if (source.readyState === EventSource.CLOSED ? silence < RETRY_MS : silence < silentMs) return;
    onState(false, heardAt);
    open();
  }, WATCH_MS);
  open();
}
