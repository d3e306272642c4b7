/* Where labels go: each takes the cheapest place around its point, in a few rounds, none hiding what matters. Pure. */

const ANGLES = [0, 180, 330, 30, 210, 150, 270, 90, 300, 60, 240, 120, 345, 15, 195, 165];
/* For a large box every few degrees count. */
const FINE = Array.from({ length: 36 }, (_, i) => 10 * i);
const ROUNDS = 5;
/* Points are looked for in squares of so many pixels: about as high as a label with its margin. */
const CELL = 32;
/* Half a road and a little air. */
const CLEAR = 6;

/**
 * Place boxes around points. `labels`: [{x, y, width, height, reach, fine}]; `bounds`: {width, height}; `solid`: boxes
 * to stay clear of; `dots`: points [x, y, weight] better left visible. Returns a box {x, y, width, height} for each.
 */
export function place(labels, bounds, solid, dots) {
  const cells = inCells(dots);
  const boxes = labels.map(() => null);
  for (let round = 0; round < (labels.length > 1 ? ROUNDS : 1); round += 1) {
    const before = boxes.slice();
    labels.forEach((label, i) => {
      const others = boxes.filter((box, j) => box && j !== i).concat(solid);
      boxes[i] = cheapest(label, bounds, others, cells);
    });
    if (boxes.every((box, i) => same(box, before[i]))) break;
  }
  return boxes;
}

const same = (a, b) => a.x === b?.x && a.y === b.y;

function inCells(dots) {
  const cells = new Map();
  for (const dot of dots) {
    const key = `${Math.floor(dot[0] / CELL)} ${Math.floor(dot[1] / CELL)}`;
    if (!cells.has(key)) cells.set(key, []);
    cells.get(key).push(dot);
  }
  return cells;
}

function candidates(label) {
  const boxes = [];
  for (const distance of label.reach) {
    for (const angle of label.fine ? FINE : ANGLES) boxes.push(around(label, distance, (angle * Math.PI) / 180));
  }
  return boxes;
}

/* The box on the far side of a point on the circle: to the right of it when it lies right, above when above. */
function around({ x, y, width, height }, distance, angle) {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const shift = (value) => (Math.abs(value) < 0.2 ? 0.5 : value > 0 ? 0 : 1);
  return {
    x: x + cos * distance - width * shift(cos),
    y: y + sin * distance - height * (Math.abs(cos) > 0.95 ? 0.5 : shift(sin)),
    width,
    height,
    distance,
  };
}

/* The costly parts are reckoned only where the cheap ones leave a chance: below `most`. */
function cost(box, label, bounds, others, cells, most) {
  const covered = others.reduce((sum, other) => sum + overlap(box, other, 3), 0);
  const inBounds = overlap(box, { x: 4, y: 4, width: bounds.width - 8, height: bounds.height - 8 }, 0);
  let sum = covered * 4 + (box.width * box.height - inBounds) * 8 + (box.distance - label.reach[0]) * 3;
  if (sum < most) sum += hidden(box, cells) * 30;
  if (sum < most) sum += leader(box, label).filter(([x, y]) => others.some((other) => holds(other, x, y))).length * 60;
  return sum;
}

/* The weight of the points under a box. */
function hidden(box, cells) {
  const cell = (value) => Math.floor(value / CELL);
  let weight = 0;
  for (let i = cell(box.x - CLEAR); i <= cell(box.x + box.width + CLEAR); i += 1) {
    for (let j = cell(box.y - CLEAR); j <= cell(box.y + box.height + CLEAR); j += 1) {
      for (const dot of cells.get(`${i} ${j}`) ?? []) if (holds(box, dot[0], dot[1], CLEAR)) weight += dot[2];
    }
  }
  return weight;
}

/* Points along the line from the point to its box. */
function leader(box, { x, y }) {
  const dx = Math.min(Math.max(x, box.x), box.x + box.width) - x;
  const dy = Math.min(Math.max(y, box.y), box.y + box.height) - y;
  const steps = Math.floor(Math.hypot(dx, dy) / 8);
  return Array.from({ length: steps }, (_, i) => [x + (dx * i) / steps, y + (dy * i) / steps]);
}

const holds = (box, x, y, margin = 2) =>
  x > box.x - margin && x < box.x + box.width + margin && y > box.y - margin && y < box.y + box.height + margin;

function overlap(a, b, margin) {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x) + margin;
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y) + margin;
  return width > 0 && height > 0 ? width * height : 0;
}

function cheapest(label, bounds, others, cells) {
  let [best, least] = [null, Infinity];
  for (const box of candidates(label)) {
    const price = cost(box, label, bounds, others, cells, least);
    if (price < least) [best, least] = [box, price];
  }
  return best;
}
