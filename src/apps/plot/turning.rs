//! A page that shows points in space and turns them.

use super::space::Dot;
use super::svg::escaped;

/// A page by itself: dragging turns, the wheel zooms, the nearest point under the mouse tells its
/// row, a click on a label hides its points, and a double click brings everything back.
pub(super) fn page(title: &str, axes: &[String; 3], classes: &[i64], dots: &[Dot]) -> String {
    let number = |x: &f64| (x * 1e4).round() / 1e4;
    let places: Vec<f64> = dots.iter().flat_map(|d| d.place.iter().map(number)).collect();
    let shades: Vec<String> = dots
        .iter()
        .map(|d| format!("#{:02x}{:02x}{:02x}", d.colour[0], d.colour[1], d.colour[2]))
        .collect();
    let groups: Vec<usize> = dots.iter().map(|d| d.class).collect();
    let notes: Vec<&str> = dots.iter().map(|d| d.note.as_str()).collect();
    // A script ends at the first `</`, whatever it stands in.
    let safe = |text: String| text.replace('<', "\\u003c");
    let data = safe(format!(
        "const places = new Float32Array({places:?}), shades = {shades:?}, groups = {groups:?}, \
         notes = {notes:?}, labels = {classes:?}, axes = {};",
        strings(axes)
    ));
    let heading = escaped(title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{heading}</title>\n\
         <style>{STYLE}</style>\n<h1>{heading}</h1>\n<div id=\"note\"></div>\n\
         <div id=\"legend\"></div>\n<canvas width=\"1400\" height=\"1200\"></canvas>\n\
         <script>\n{data}\n{SCRIPT}</script>\n</html>\n"
    )
}

/// As a list of the script's language.
fn strings(texts: &[String]) -> String {
    let text = |t: &String| {
        let plain: String = t.chars().filter(|c| !c.is_control()).collect();
        format!("\"{}\"", plain.replace('\\', "\\\\").replace('"', "\\\""))
    };
    format!("[{}]", texts.iter().map(text).collect::<Vec<_>>().join(", "))
}

const STYLE: &str = "
body { margin: 1em; font-family: Helvetica, Arial, sans-serif; color: #222 }
h1 { font-size: 17px; font-weight: normal }
canvas { width: 700px; height: 600px; cursor: grab; touch-action: none }
#legend { position: absolute; left: 730px; font-size: 13px; cursor: pointer; line-height: 1.5 }
#note { position: fixed; padding: .2em .5em; background: #222; color: #fff; font-size: 13px;
  border-radius: 3px; pointer-events: none; display: none }
";

const SCRIPT: &str = "
const canvas = document.querySelector('canvas'), pen = canvas.getContext('2d');
const note = document.getElementById('note'), legend = document.getElementById('legend');
const n = shades.length, x = new Float32Array(n), y = new Float32Array(n), z = new Float32Array(n);
const order = Uint32Array.from({ length: n }, (_, i) => i), hidden = new Set();
const home = [0.6, 0.45, 1], size = n > 4000 ? 2.4 : 4;
let [turn, tilt, zoom] = home, held = null, due = false;
const see = (a, b, c) => {
  const r = a * Math.cos(turn) - b * Math.sin(turn), d = a * Math.sin(turn) + b * Math.cos(turn);
  const s = 360 * zoom;
  return [700 + s * r, 600 - s * (c * Math.cos(tilt) + d * Math.sin(tilt)),
          c * Math.sin(tilt) - d * Math.cos(tilt)]; };
const draw = () => { due = false;
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.strokeStyle = '#ccc'; pen.fillStyle = '#222'; pen.font = '26px sans-serif';
  for (let axis = 0; axis < 3; axis++) {
    for (const [a, b] of [[-1, -1], [-1, 1], [1, -1], [1, 1]]) {
      const end = v => { const p = [a, b]; p.splice(axis, 0, v); return see(...p); };
      const [from, to] = [end(-1), end(1)];
      pen.beginPath(); pen.moveTo(from[0], from[1]); pen.lineTo(to[0], to[1]); pen.stroke(); }
    const p = [-1.12, axis === 2 ? 1.12 : -1.12]; p.splice(axis, 0, 0);
    const at = see(...p);
    pen.fillText(axes[axis], at[0] - pen.measureText(axes[axis]).width / 2, at[1]); }
  for (let i = 0; i < n; i++)
    [x[i], y[i], z[i]] = see(places[3 * i], places[3 * i + 1], places[3 * i + 2]);
  order.sort((a, b) => z[a] - z[b]);
  pen.globalAlpha = 0.8;
  for (const i of order) {
    if (hidden.has(groups[i])) continue;
    pen.fillStyle = shades[i]; pen.fillRect(x[i] - size, y[i] - size, 2 * size, 2 * size); }
  pen.globalAlpha = 1; };
const show = () => { if (!due) { due = true; requestAnimationFrame(draw); } };
const at = e => { const r = canvas.getBoundingClientRect();
  return [(e.clientX - r.left) * canvas.width / r.width,
          (e.clientY - r.top) * canvas.height / r.height]; };
canvas.addEventListener('pointerdown', e => { held = [e.clientX, e.clientY]; });
window.addEventListener('pointerup', () => { held = null; });
canvas.addEventListener('pointermove', e => {
  if (held && e.buttons) {
    turn += (e.clientX - held[0]) * 0.008;
    tilt = Math.max(-1.57, Math.min(1.57, tilt + (e.clientY - held[1]) * 0.008));
    held = [e.clientX, e.clientY]; show(); }
  const [u, v] = at(e); let best = -1, least = 144;
  for (let i = 0; i < n; i++) {
    const d = (x[i] - u) ** 2 + (y[i] - v) ** 2;
    if ((d < least || (d === least && z[i] > z[best])) && !hidden.has(groups[i])) {
      least = d; best = i; } }
  note.style.display = best < 0 ? 'none' : 'block';
  if (best >= 0) { note.textContent = notes[best];
    note.style.left = e.clientX + 14 + 'px'; note.style.top = e.clientY + 10 + 'px'; } });
canvas.addEventListener('wheel', e => { e.preventDefault();
  zoom *= Math.exp(-e.deltaY * 0.001); show(); }, { passive: false });
canvas.addEventListener('dblclick', () => { [turn, tilt, zoom] = home; hidden.clear();
  for (const line of legend.children) line.style.opacity = 1; show(); });
labels.slice(0, 64).forEach((label, group) => {
  const line = document.createElement('div'), dot = document.createElement('span');
  const own = groups.indexOf(group);
  dot.textContent = '● '; dot.style.color = own < 0 ? '#999' : shades[own];
  line.append(dot, String(label));
  line.addEventListener('click', () => {
    if (!hidden.delete(group)) hidden.add(group);
    line.style.opacity = hidden.has(group) ? 0.3 : 1; show(); });
  legend.append(line); });
draw();
";
