/* Messages by key from the catalogue of the language: `{name}` is filled in, `{n|one|other}` chosen by plural rule. */

const KEY = "vigie.language";
const LANGUAGES = ["fr", "en"];
const catalogues = {};
let current = initial();

function initial() {
  const wanted = [localStorage.getItem(KEY), ...navigator.languages.map((tag) => tag.slice(0, 2))];
  return wanted.find((code) => LANGUAGES.includes(code)) ?? "en";
}

/* Only what is read is fetched. */
let files = ["messages"];

async function fetchCatalogue(code) {
  const parts = await Promise.all(files.map((file) => import(`./${file}-${code}.js`)));
  catalogues[code] = Object.assign({}, ...parts.map((part) => part.default));
}

await fetchCatalogue(current);

export const language = () => current;

/** Have the messages of the pages of one thing too, from now on. */
export async function fetchStories() {
  files = ["messages", "story-messages"];
  await fetchCatalogue(current);
}

export async function setLanguage(code) {
  await fetchCatalogue(code);
  current = code;
  localStorage.setItem(KEY, code);
  document.documentElement.lang = code;
}

/** A label in both languages, as the kinds carry them. */
export const label = (texts) => texts[current] ?? texts.en;

/** The message of a key. */
export function t(key, values = {}) {
  const message = catalogues[current][key];
  if (message === undefined) throw new Error(`no message ${key} in ${current}`);
  return message
    .replace(/\{(\w+)\|([^|{}]*)\|([^|{}]*)\}/g, (_, name, one, other) => (plural(values[name]) === "one" ? one : other))
    .replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

export const has = (key) => key in catalogues[current];

/** The message of a key that what the service says is part of; there may be none. */
export const worded = (key, otherwise = "") => (has(key) ? t(key) : otherwise);

function plural(n) {
  return new Intl.PluralRules(current).select(Number(n));
}
