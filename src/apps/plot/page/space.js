// Space: `view` says where on the canvas a point lies and how near it is, and draws its box.
const edge = ranges.map(([low, high]) => [(low + high) / 2, (high - low) / 2]);
const view = {
  reset() { [this.turn, this.tilt, this.scale] = [0.6, 0.45, 1]; },
  see(a, b, c) {
    const right = a * Math.cos(this.turn) - b * Math.sin(this.turn);
    const depth = a * Math.sin(this.turn) + b * Math.cos(this.turn), s = 360 * this.scale;
    return [700 + s * right,
            600 - s * (c * Math.cos(this.tilt) + depth * Math.sin(this.tilt)),
            c * Math.sin(this.tilt) - depth * Math.cos(this.tilt)];
  },
  place(i) {
    return this.see(...edge.map(([middle, half], c) => (places[3 * i + c] - middle) / half));
  },
  drag(dx, dy) {
    this.turn += dx * 0.004;
    this.tilt = Math.max(-1.57, Math.min(1.57, this.tilt + dy * 0.004));
  },
  zoom(f) { this.scale *= f; },
  around(pen) {
    pen.strokeStyle = '#ccc';
    pen.fillStyle = '#222';
    pen.font = '26px sans-serif';
    pen.textAlign = 'center';
    for (let axis = 0; axis < 3; axis++) {
      const at = (v, a, b) => { const p = [a, b]; p.splice(axis, 0, v); return this.see(...p); };
      for (const [a, b] of [[-1, -1], [-1, 1], [1, -1], [1, 1]]) {
        const [from, to] = [at(-1, a, b), at(1, a, b)];
        pen.beginPath(); pen.moveTo(from[0], from[1]); pen.lineTo(to[0], to[1]); pen.stroke();
      }
      const name = at(0, -1.12, axis === 2 ? 1.12 : -1.12);
      pen.fillText(axes[axis], name[0], name[1]);
    }
  },
};
