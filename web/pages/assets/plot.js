// A small plot: a line over the last samples, filled below, from 0 to its largest value.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 200;
const HEIGHT = 40;
const MARGIN = 2;

/**
 * Draw `values`, oldest first, into an svg element of 200 by 40.
 * @param {SVGElement} svg
 * @param {(number | null)[]} values what is null is a gap, drawn as 0
 * @param {number} room how many values the whole width has room for
 */
export function drawPlot(svg, values, room) {
  const most = Math.max(1e-9, ...values.map((value) => value ?? 0));
  const step = WIDTH / (room - 1);
  const first = room - values.length; // what is new comes in at the right
  const points = values.map((value, i) => {
    const y = HEIGHT - MARGIN - ((value ?? 0) / most) * (HEIGHT - 2 * MARGIN);
    return `${((first + i) * step).toFixed(1)},${y.toFixed(1)}`;
  });
  if (!points.length) return;
  const [left, right] = [points[0], points[points.length - 1]].map((point) => point.split(",")[0]);
  set(svg, "polygon", `${left},${HEIGHT} ${points.join(" ")} ${right},${HEIGHT}`);
  set(svg, "polyline", points.join(" "));
}

function set(svg, name, points) {
  let shape = svg.querySelector(name);
  if (!shape) {
    shape = svg.appendChild(document.createElementNS(SVG, name));
    if (name === "polyline") shape.setAttribute("vector-effect", "non-scaling-stroke");
  }
  shape.setAttribute("points", points);
}
