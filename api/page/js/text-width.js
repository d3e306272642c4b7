/* How wide a label is in the page's face, measured off screen before it is placed. */

const context = document.createElement("canvas").getContext("2d");

/** Width in pixels of a text of the map; `font` in the notation of CSS. */
export function textWidth(text, font = "11.5px B612") {
  context.font = font;
  return context.measureText(text).width;
}
