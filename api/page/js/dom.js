/* Elements from plain values. Text always enters as text nodes, so a name with angle brackets shows as it is. */

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element: attributes by name, `on` + event for listeners, null and false left out. */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Replace the text of an element only when it differs: screen readers and layout stay quiet. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Replace the children of an element only where they differ: focus, layout and memory stay as they are. */
export function redraw(element, children) {
  const fresh = element.cloneNode(false);
  fresh.append(...children.flat(Infinity).filter(Boolean));
  if (element.innerHTML !== fresh.innerHTML) element.replaceChildren(...fresh.childNodes);
}

export const byId = (id) => document.getElementById(id);
