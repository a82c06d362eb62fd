const svg = document.querySelector('svg'), whole = svg.viewBox.baseVal;
const home = [whole.x, whole.y, whole.width, whole.height];
let view = home.slice(), held = null;
const show = () => svg.setAttribute('viewBox', view.join(' '));
const at = e => {
  const r = svg.getBoundingClientRect();
  return [view[0] + (e.clientX - r.left) / r.width * view[2],
          view[1] + (e.clientY - r.top) / r.height * view[3]];
};
svg.addEventListener('wheel', e => {
  e.preventDefault();
  const [x, y] = at(e), f = Math.exp(e.deltaY * 0.001);
  view = [x - (x - view[0]) * f, y - (y - view[1]) * f, view[2] * f, view[3] * f];
  show();
}, { passive: false });
svg.addEventListener('pointerdown', e => { held = at(e); });
window.addEventListener('pointerup', () => { held = null; });
svg.addEventListener('pointermove', e => {
  if (!held || !e.buttons) return;
  const [x, y] = at(e);
  view[0] += held[0] - x;
  view[1] += held[1] - y;
  show();
});
svg.addEventListener('dblclick', () => { view = home.slice(); show(); });
