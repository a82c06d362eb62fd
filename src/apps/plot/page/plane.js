// A plane: `view` says where on the canvas a point lies, and draws what is around.
const inner = { left: 150, top: 20, width: 1230, height: 1060 };
const view = {
  reset() { this.x = ranges[0].slice(); this.y = ranges[1].slice(); },
  place(i) {
    const u = (places[2 * i] - this.x[0]) / (this.x[1] - this.x[0]);
    const v = (places[2 * i + 1] - this.y[0]) / (this.y[1] - this.y[0]);
    return [inner.left + u * inner.width, inner.top + (1 - v) * inner.height, 0];
  },
  drag(dx, dy) {
    const x = dx / inner.width * (this.x[1] - this.x[0]);
    const y = dy / inner.height * (this.y[1] - this.y[0]);
    this.x = this.x.map(a => a - x);
    this.y = this.y.map(a => a + y);
  },
  zoom(f, [u, v]) {
    const x = this.x[0] + (u - inner.left) / inner.width * (this.x[1] - this.x[0]);
    const y = this.y[1] - (v - inner.top) / inner.height * (this.y[1] - this.y[0]);
    this.x = this.x.map(a => x + (a - x) / f);
    this.y = this.y.map(a => y + (a - y) / f);
  },
  // Round numbers between two.
  ticks([low, high]) {
    const rough = (high - low) / 8, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].map(m => m * power).find(s => s >= rough) || 10 * power;
    const first = Math.ceil(low / step), count = Math.floor(high / step) - first + 1;
    return Array.from({ length: Math.max(0, Math.min(count, 20)) }, (_, i) => (first + i) * step);
  },
  around(pen) {
    const { left, top, width, height } = inner, bottom = top + height;
    const name = x => String(Number(x.toPrecision(6)));
    pen.strokeStyle = '#e4e4e4';
    pen.fillStyle = '#222';
    pen.font = '24px sans-serif';
    pen.textBaseline = 'middle';
    const line = (x0, y0, x1, y1) => {
      pen.beginPath(); pen.moveTo(x0, y0); pen.lineTo(x1, y1); pen.stroke();
    };
    for (const x of this.ticks(this.x)) {
      const u = left + (x - this.x[0]) / (this.x[1] - this.x[0]) * width;
      line(u, top, u, bottom + 8);
      pen.textAlign = 'center';
      pen.fillText(name(x), u, bottom + 26);
    }
    for (const y of this.ticks(this.y)) {
      const v = bottom - (y - this.y[0]) / (this.y[1] - this.y[0]) * height;
      line(left - 8, v, left + width, v);
      pen.textAlign = 'right';
      pen.fillText(name(y), left - 16, v);
    }
    pen.strokeStyle = '#969696';
    pen.strokeRect(left, top, width, height);
    pen.textAlign = 'center';
    pen.font = '26px sans-serif';
    pen.fillText(axes[0], left + width / 2, bottom + 72);
    pen.save();
    pen.translate(28, top + height / 2);
    pen.rotate(-Math.PI / 2);
    pen.fillText(axes[1], 0, 0);
    pen.restore();
    pen.beginPath();
    pen.rect(left, top, width, height);
    pen.clip();
  },
};
