/* Where labels go: each takes the cheapest place around its point, in a few rounds, none hiding what matters. Pure. */

const ANGLES = [0, 180, 330, 30, 210, 150, 270, 90, 300, 60, 240, 120, 345, 15, 195, 165];
/* For a large box every few degrees count. */
const FINE = Array.from({ length: 36 }, (_, i) => 10 * i);
const ROUNDS = 5;
/* Half a road and a little air. */
const CLEAR = 6;

/**
 * Place boxes around points. `labels`: [{x, y, width, height, reach, fine}]; `bounds`: {width, height}; `solid`: boxes
 * to stay clear of; `dots`: points [x, y, weight] better left visible. Returns a box {x, y, width, height} for each.
 */
export function place(labels, bounds, solid, dots) {
  const boxes = labels.map(() => null);
  const rounds = labels.length > 1 ? ROUNDS : 1;
  for (let round = 0; round < rounds; round += 1) {
    labels.forEach((label, i) => {
      const others = boxes.filter((box, j) => box && j !== i).concat(solid);
      boxes[i] = cheapest(candidates(label), (box) => cost(box, label, bounds, others, dots));
    });
  }
  return boxes;
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

function cost(box, label, bounds, others, dots) {
  const hidden = dots.reduce((sum, [x, y, weight]) => sum + (holds(box, x, y, CLEAR) ? weight : 0), 0);
  const covered = others.reduce((sum, other) => sum + overlap(box, other, 3), 0);
  const crossed = leader(box, label).filter(([x, y]) => others.some((other) => holds(other, x, y))).length;
  const inBounds = overlap(box, { x: 4, y: 4, width: bounds.width - 8, height: bounds.height - 8 }, 0);
  return covered * 4 + hidden * 30 + crossed * 60 + (box.width * box.height - inBounds) * 8 + (box.distance - label.reach[0]) * 3;
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

function cheapest(items, price) {
  return items.reduce((best, item) => {
    const cost = price(item);
    return best && best.cost <= cost ? best : { item, cost };
  }, null).item;
}
