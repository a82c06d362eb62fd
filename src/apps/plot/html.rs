//! A page around a picture.

/// `svg` with a script: the wheel zooms, dragging moves, a click on a dot of the legend hides its
/// class, and a double click brings everything back.
pub(super) fn page(svg: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>aezip</title>\n\
         <style>{STYLE}</style>\n<div id=\"note\"></div>\n{svg}<script>{SCRIPT}</script>\n</html>\n"
    )
}

const STYLE: &str = "
body { margin: 1em; font-family: Helvetica, Arial, sans-serif }
svg { max-width: 100%; height: auto; cursor: grab }
circle:hover { stroke: #000; stroke-width: 1 }
#note { position: fixed; padding: .2em .5em; background: #222; color: #fff; font-size: 13px;
  border-radius: 3px; pointer-events: none; display: none }
";

const SCRIPT: &str = "
const svg = document.querySelector('svg'), note = document.getElementById('note');
const whole = svg.viewBox.baseVal, home = [whole.x, whole.y, whole.width, whole.height];
let view = home.slice(), held = null;
const show = () => svg.setAttribute('viewBox', view.join(' '));
const at = e => { const r = svg.getBoundingClientRect();
  return [view[0] + (e.clientX - r.left) / r.width * view[2],
          view[1] + (e.clientY - r.top) / r.height * view[3]]; };
svg.addEventListener('wheel', e => { e.preventDefault();
  const [x, y] = at(e), f = Math.exp(e.deltaY * 0.001);
  view = [x - (x - view[0]) * f, y - (y - view[1]) * f, view[2] * f, view[3] * f]; show(); },
  { passive: false });
svg.addEventListener('pointerdown', e => { held = at(e); });
window.addEventListener('pointerup', () => { held = null; });
svg.addEventListener('pointermove', e => {
  if (held && e.buttons) { const [x, y] = at(e);
    view[0] += held[0] - x; view[1] += held[1] - y; show(); }
  const title = e.target.querySelector && e.target.tagName === 'circle'
    && e.target.querySelector('title');
  note.style.display = title ? 'block' : 'none';
  if (title) { note.textContent = title.textContent;
    note.style.left = e.clientX + 14 + 'px'; note.style.top = e.clientY + 10 + 'px'; } });
svg.addEventListener('dblclick', () => { view = home.slice(); show();
  for (const c of svg.querySelectorAll('circle')) c.style.display = ''; });
svg.addEventListener('click', e => {
  if (e.target.tagName !== 'circle' || e.target.querySelector('title')) return;
  for (const c of svg.querySelectorAll('circle.' + e.target.getAttribute('class')))
    if (c !== e.target) c.style.display = c.style.display ? '' : 'none'; });
";
