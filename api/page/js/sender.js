/* Acts on the API: one request with a word of its own, so that a repeated click or a lost answer acts once. */

import { patience } from "./source.js";

const ROOT = "v1/";

/** POST a document; `version` is the ETag that must still hold. Raises the server's words as an Error. */
export async function send(path, body, version = null) {
  const headers = { "content-type": "application/json", "idempotency-key": crypto.randomUUID() };
  if (version !== null) headers["if-match"] = `"${version}"`;
  const response = await fetch(new URL(ROOT + path, document.baseURI), { method: "POST", headers, body: JSON.stringify(body), signal: patience() });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail ?? answer.title ?? `${response.status}`);
  return answer;
}
