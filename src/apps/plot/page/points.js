const canvas = document.querySelector('canvas'), pen = canvas.getContext('2d');
const note = document.getElementById('note'), legend = document.getElementById('legend');
const n = shades.length, x = new Float32Array(n), y = new Float32Array(n), z = new Float32Array(n);
const order = Uint32Array.from({ length: n }, (_, i) => i), hidden = new Set();
const size = n > 4000 ? 2.4 : 4;
let held = null, due = false;
const draw = () => {
  due = false;
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.save();
  view.around(pen);
  for (let i = 0; i < n; i++) [x[i], y[i], z[i]] = view.place(i);
  order.sort((a, b) => z[a] - z[b]);
  pen.globalAlpha = 0.8;
  for (const i of order) {
    if (hidden.has(groups[i])) continue;
    pen.fillStyle = shades[i];
    pen.fillRect(x[i] - size, y[i] - size, 2 * size, 2 * size);
  }
  pen.restore();
};
const show = () => { if (!due) { due = true; requestAnimationFrame(draw); } };
const at = e => {
  const r = canvas.getBoundingClientRect();
  return [(e.clientX - r.left) * canvas.width / r.width,
          (e.clientY - r.top) * canvas.height / r.height];
};
canvas.addEventListener('pointerdown', e => { held = at(e); });
window.addEventListener('pointerup', () => { held = null; });
canvas.addEventListener('pointermove', e => {
  const [u, v] = at(e);
  if (held && e.buttons) {
    view.drag(u - held[0], v - held[1]);
    held = [u, v];
    show();
  }
  let best = -1, least = 144;
  for (let i = 0; i < n; i++) {
    const d = (x[i] - u) ** 2 + (y[i] - v) ** 2;
    if ((d < least || (d === least && best >= 0 && z[i] > z[best])) && !hidden.has(groups[i])) {
      least = d;
      best = i;
    }
  }
  note.style.display = best < 0 ? 'none' : 'block';
  if (best >= 0) {
    note.textContent = notes[best];
    note.style.left = e.clientX + 14 + 'px';
    note.style.top = e.clientY + 10 + 'px';
  }
});
canvas.addEventListener('pointerleave', () => { note.style.display = 'none'; });
canvas.addEventListener('wheel', e => {
  e.preventDefault();
  view.zoom(Math.exp(-e.deltaY * 0.001), at(e));
  show();
}, { passive: false });
canvas.addEventListener('dblclick', () => {
  view.reset();
  hidden.clear();
  for (const line of legend.children) line.style.opacity = 1;
  show();
});
labels.slice(0, 64).forEach((label, group) => {
  const line = document.createElement('div'), dot = document.createElement('span');
  dot.textContent = '\u25cf ';
  dot.style.color = own[group];
  line.append(dot, label);
  line.addEventListener('click', () => {
    if (!hidden.delete(group)) hidden.add(group);
    line.style.opacity = hidden.has(group) ? 0.3 : 1;
    show();
  });
  legend.append(line);
});
if (labels.length > 64) legend.append(labels.length - 64 + ' more');
if (bar.length) {
  const colours = document.createElement('div');
  colours.className = 'bar';
  colours.style.background = 'linear-gradient(' + bar.join(', ') + ')';
  legend.append(ends[0], colours, ends[1]);
}
view.reset();
draw();
