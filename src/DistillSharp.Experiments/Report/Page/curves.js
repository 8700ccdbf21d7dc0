// Round steps for an axis: 1, 2 or 5 times a power of ten.
function ticks(low, high, wanted, integers = false) {
  const raw = (high - low) / wanted, power = 10 ** Math.floor(Math.log10(raw));
  let step = power * [1, 2, 5, 10].find(factor => raw <= factor * power * 1.000001);
  if (integers) step = Math.max(1, step);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const values = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) values.push(i * step || 0);
  return { values, digits, step };
}

function curves() {
  const metrics = [["acc1", "test Acc1", "test Acc1 (%)"], ["acc5", "test Acc5", "test Acc5 (%)"], ["loss", "loss", "training loss"], ["lr", "learning rate", "learning rate"]]
    .filter(([key]) => data.runs.some(run => run.curves[key].some(value => value != null)));
  if (metrics.length === 0) {
    section("curves", "Training", "No epoch has ended yet.");
    return;
  }
  const drawing = h("div");
  const draw = key => drawing.replaceChildren(chart(metrics.find(metric => metric[0] === key)));
  section("curves", "Training", "Point at the chart to read its values.", h("div", { class: "controls" }, choice(metrics.map(([key, text]) => [key, text]), metrics[0][0], draw)), drawing,
    h("div", { class: "legend" }, data.runs.map((run, i) => h("span", {}, h("i", { class: "key", style: `background:${runColor(i)}` }), run.name))));
  draw(metrics[0][0]);
}

function chart([key, , title]) {
  const [width, height, left, right, top, bottom] = [1000, 380, 68, 16, 14, 48];
  const series = data.runs.map((run, i) => ({ name: run.name, color: runColor(i),
    points: run.curves.epoch.map((epoch, at) => [epoch, run.curves[key][at]]).filter(point => point[1] != null) }));
  const all = series.flatMap(one => one.points);
  let [lowX, highX] = [Math.min(...all.map(p => p[0])), Math.max(...all.map(p => p[0]))];
  let [lowY, highY] = [Math.min(...all.map(p => p[1])), Math.max(...all.map(p => p[1]))];
  if (lowX <= highX / 4) lowX = 0;
  if (lowX === highX) [lowX, highX] = [lowX - 1, highX + 1];
  if (lowY === highY) [lowY, highY] = [lowY - Math.abs(lowY || 1) * .05, highY + Math.abs(highY || 1) * .05];
  const step = ticks(lowY, highY, 6).step;
  [lowY, highY] = [Math.floor(lowY / step + 1e-9) * step, Math.ceil(highY / step - 1e-9) * step];
  const placeX = x => left + (x - lowX) / (highX - lowX) * (width - left - right);
  const placeY = y => height - bottom - (y - lowY) / (highY - lowY) * (height - top - bottom);

  const svg = h("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title });
  const [ys, xs] = [ticks(lowY, highY, 6), ticks(lowX, highX, 10, true)];
  for (const y of ys.values) svg.append(h("line", { class: "grid", x1: left, x2: width - right, y1: placeY(y), y2: placeY(y) }),
    h("text", { x: left - 8, y: placeY(y) + 4, "text-anchor": "end" }, number(y, ys.digits)));
  for (const x of xs.values) svg.append(h("line", { class: "axis", x1: placeX(x), x2: placeX(x), y1: height - bottom, y2: height - bottom + 5 }),
    h("text", { x: placeX(x), y: height - bottom + 20, "text-anchor": "middle" }, number(x, 0)));
  svg.append(h("line", { class: "axis", x1: left, x2: width - right, y1: height - bottom, y2: height - bottom }),
    h("text", { x: (left + width - right) / 2, y: height - 8, "text-anchor": "middle" }, "epoch"),
    h("text", { x: 16, y: (top + height - bottom) / 2, "text-anchor": "middle", transform: `rotate(-90 16 ${(top + height - bottom) / 2})` }, title));
  for (const { points, color } of series) {
    // Values of single epochs are dots: a line alone would pretend to know what lies between.
    if (points.length < (highX - lowX) / 1.5) points.forEach(([x, y]) => svg.append(h("circle", { cx: placeX(x), cy: placeY(y), r: 4, fill: color })));
    if (points.length > 1) svg.append(h("path", { d: "M" + points.map(([x, y]) => `${placeX(x).toFixed(1)},${placeY(y).toFixed(1)}`).join("L"),
      fill: "none", stroke: color, "stroke-width": 2, "stroke-linejoin": "round" }));
  }

  const cross = h("line", { class: "cross", y1: top, y2: height - bottom, visibility: "hidden" });
  svg.append(cross);
  svg.addEventListener("pointermove", event => {
    const box = svg.getBoundingClientRect();
    const at = lowX + ((event.clientX - box.left) / box.width * width - left) / (width - left - right) * (highX - lowX);
    const epoch = all.reduce((best, [x]) => Math.abs(x - at) < Math.abs(best - at) ? x : best, Infinity);
    const read = series.map(one => ({ ...one, value: one.points.find(([x]) => x === epoch)?.[1] })).filter(one => one.value != null);
    if (read.length === 0) return;
    cross.setAttribute("x1", placeX(epoch));
    cross.setAttribute("x2", placeX(epoch));
    cross.setAttribute("visibility", "visible");
    showTip(event, h("div", {}, `epoch ${epoch}`), h("table", {}, read.map(one => h("tr", {},
      h("td", {}, h("i", { class: "key", style: `background:${one.color}` })), h("td", {}, one.name), h("td", { class: "number" }, key === "lr" ? String(+one.value.toPrecision(4)) : number(one.value, key === "loss" ? 4 : 2))))));
  });
  svg.addEventListener("pointerleave", () => { cross.setAttribute("visibility", "hidden"); hideTip(); });
  return svg;
}
