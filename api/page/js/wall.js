/* The page on a wall: full screen and large, nothing to press; `?wall` opens it so, W and Escape change it. */

import { byId } from "./dom.js";

export const onWall = () => document.body.classList.contains("wall");

/** Start on the wall where the address says so; `changed` hears of every change. */
export function wall(changed) {
  const set = (on) => {
    document.body.classList.toggle("wall", on);
    if (on) document.documentElement.requestFullscreen?.().catch(() => {}); // without a person's touch a browser refuses: large is enough
    else if (document.fullscreenElement) document.exitFullscreen();
    changed();
  };
  byId("to-wall").addEventListener("click", () => set(true));
  document.addEventListener("keydown", (event) => {
    if (event.target.closest?.("input, select, dialog") || event.ctrlKey || event.metaKey) return;
    if (event.key === "w") set(!onWall());
    else if (event.key === "Escape" && onWall()) set(false);
  });
  if (new URLSearchParams(location.search).has("wall")) set(true);
}
