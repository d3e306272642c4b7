/* Where everything comes from: the API's lists, and its two streams with the news that a stream is lost or back. */

const ROOT = "v1/";
const RETRY_MS = 2000;

/** How far the server's clock is ahead of this one, in milliseconds; from the newest answer. */
let ahead = 0;
/** What a played port takes for now: the time of its newest reading. */
let played = null;
export const serverNow = () => played ?? new Date(Date.now() + ahead);
export const playTo = (time) => (played = time);

/** Get a JSON document of the API; raises what went wrong as an Error with the server's words. */
export async function get(path, parameters = {}) {
  const url = new URL(ROOT + path, document.baseURI);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const response = await fetch(url, { headers: { accept: "application/json" } });
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
 * Follow a stream for ever. EventSource reconnects after a broken line by itself, but gives up for good on an error
 * answer of a restarting server, so a closed one is opened anew. `onState(live)` hears of every change.
 */
export function follow(path, events, onState) {
  let source;
  const open = () => {
    source = new EventSource(new URL(ROOT + path, document.baseURI));
    source.onopen = () => onState(true);
    source.onerror = () => {
      onState(false);
      if (source.readyState === EventSource.CLOSED) setTimeout(open, RETRY_MS);
    };
    for (const [name, heard] of Object.entries(events)) {
      source.addEventListener(name, (event) => heard(JSON.parse(event.data), event));
    }
  };
  open();
}
