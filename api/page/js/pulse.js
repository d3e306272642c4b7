/* When what came in is shown: a few times a second at the most, each part in a frame of its own, so that no burst of data
   keeps the page from answering to a hand. */

/* Shorter shows nothing that an eye could follow, longer feels late. */
const EVERY_MS = 200;

const frame = () => new Promise((done) => requestAnimationFrame(done));
const pause = () => new Promise((done) => setTimeout(done, EVERY_MS));

export class Pulse {
  /** `steps` are called in turn with the ids of the sensors that were touched since the last time. */
  constructor(steps) {
    Object.assign(this, { steps, touched: null, beating: false, shown: false });
  }

  touch(ids) {
    this.touched ??= new Set();
    for (const id of ids) this.touched.add(id);
    if (!this.beating) this.beat();
  }

  /* The first picture is drawn at once. */
  async beat() {
    this.beating = true;
    try {
      while (this.touched) {
        await this.show();
        await pause();
      }
    } finally {
      this.beating = false;
    }
  }

  async show() {
    const touched = this.touched;
    this.touched = null;
    for (const step of this.steps) {
      if (this.shown) await frame();
      step(touched);
    }
    this.shown = true;
  }
}
