/* Light or dark: what the system says until somebody chooses, then what was chosen. */

const KEY = "vigie.theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

const chosen = () => localStorage.getItem(KEY);
export const theme = () => chosen() ?? (dark.matches ? "dark" : "light");

function apply() {
  document.documentElement.dataset.theme = theme();
}

export function toggleTheme() {
  localStorage.setItem(KEY, theme() === "dark" ? "light" : "dark");
  apply();
}

apply();
dark.addEventListener("change", apply);
