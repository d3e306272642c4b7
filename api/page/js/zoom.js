/* Zoom and pan of one picture by wheel, pointer, two fingers and keyboard: only the view box changes, nothing is redrawn. */

const MOST = 12;
const STEP = 1.25;
const PAN_SHARE = 0.15;
/* A press that moves less is a click. */
const SLOP_PX = 4;

export class Zoom {
  constructor(svg) {
    Object.assign(this, { svg, scale: 1, x: 0, y: 0, width: 1, height: 1, fingers: new Map(), moved: 0 });
    svg.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    svg.addEventListener("pointerdown", (event) => this.down(event));
    svg.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel", "pointerleave"]) svg.addEventListener(name, (event) => this.fingers.delete(event.pointerId));
    svg.addEventListener("click", (event) => this.moved > SLOP_PX && event.stopPropagation(), { capture: true });
    svg.addEventListener("dblclick", () => this.reset());
  }

  /** The whole picture in pixels; what was in sight stays. */
  size(width, height) {
    Object.assign(this, { width, height });
    this.apply();
  }

  apply() {
    const [w, h] = [this.width / this.scale, this.height / this.scale];
    this.x = Math.min(Math.max(this.x, 0), this.width - w);
    this.y = Math.min(Math.max(this.y, 0), this.height - h);
    this.svg.setAttribute("viewBox", `${this.x.toFixed(2)} ${this.y.toFixed(2)} ${w.toFixed(2)} ${h.toFixed(2)}`);
    this.svg.classList.toggle("zoomed", this.scale > 1);
  }

  reset() {
    this.scale = 1;
    this.apply();
  }

  /** By a factor around a point of the element, each 0 to 1. */
  by(factor, u = 0.5, v = 0.5) {
    const scale = Math.min(Math.max(this.scale * factor, 1), MOST);
    this.x += (this.width / this.scale - this.width / scale) * u;
    this.y += (this.height / this.scale - this.height / scale) * v;
    this.scale = scale;
    this.apply();
  }

  pan(dx, dy) {
    this.x += dx / this.scale;
    this.y += dy / this.scale;
    this.apply();
  }

  /** + and - zoom, 0 shows all, arrows with Shift pan. Returns whether the key was taken. */
  key({ key, shiftKey }) {
    const way = shiftKey && { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
    if (way) this.pan(way[0] * PAN_SHARE * this.width, way[1] * PAN_SHARE * this.height);
    else if (key === "+" || key === "=") this.by(STEP);
    else if (key === "-") this.by(1 / STEP);
    else if (key === "0") this.reset();
    else return false;
    return true;
  }

  share({ clientX, clientY }) {
    const { left, top, width, height } = this.svg.getBoundingClientRect();
    return [(clientX - left) / width, (clientY - top) / height];
  }

  wheel(event) {
    if (this.scale === 1 && event.deltaY > 0) return;
    event.preventDefault();
    this.by(event.deltaY < 0 ? STEP : 1 / STEP, ...this.share(event));
  }

  down(event) {
    this.fingers.set(event.pointerId, [event.clientX, event.clientY]);
    this.moved = 0;
  }

  move(event) {
    const before = this.fingers.get(event.pointerId);
    if (!before) return;
    const now = [event.clientX, event.clientY];
    const other = [...this.fingers].find(([id]) => id !== event.pointerId)?.[1];
    this.moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
    if (other) this.by(Math.hypot(now[0] - other[0], now[1] - other[1]) / (Math.hypot(before[0] - other[0], before[1] - other[1]) || 1), ...this.share(event));
    else if (this.moved > SLOP_PX) this.pan(before[0] - now[0], before[1] - now[1]);
    this.fingers.set(event.pointerId, now);
  }
}
