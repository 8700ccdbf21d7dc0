// What can be drawn over the epochs: the run's curve of it, and how a value is written.
const metrics = [
  ["acc1", "test Acc1", "test Acc1 (%)", 2], ["acc5", "test Acc5", "test Acc5 (%)", 2], ["loss", "loss", "training loss", 4], ["lr", "learning rate", "learning rate", null],
].map(([key, short, title, digits]) => ({ key, short, title, text: value => value == null ? "–" : digits == null ? String(+value.toPrecision(4)) : number(value, digits) }));

const hasValues = (runs, metric) => runs.some(run => run.curves[metric.key].some(value => value != null));

// The section of training curves. What it returns takes the same runs again when they have grown.
function curves() {
  const content = h("div");
  section("curves", "Training", null, content);
  let drawn = null, shown = metrics[0].key;

  function update() {
    const there = metrics.filter(metric => hasValues(data.runs, metric));
    if (there.length === 0) return content.replaceChildren(h("p", { class: "lead" }, "No epoch has ended yet."));
    if (drawn?.there === there.map(metric => metric.key).join()) return drawn.chart.update();
    if (!there.some(metric => metric.key === shown)) shown = there[0].key;
    const drawing = h("div");
    const draw = key => {
      drawn?.chart?.end();
      shown = key;
      drawn = { there: there.map(metric => metric.key).join(), chart: chart(there.find(metric => metric.key === key), drawing) };
    };
    content.replaceChildren(
      h("p", { class: "lead" }, "Point at the chart to read its values; drag over it to look closer, and press twice to see all again. With the keyboard: left and right, Escape."),
      h("div", { class: "controls" }, choice(there.map(metric => [metric.key, metric.short]), shown, draw)), drawing);
    draw(shown);
  }

  update();
  redraws.push(() => drawn?.chart?.paint());
  return { update };
}

// Runs' curves over the epochs that any of them has.
function aligned(metric) {
  const epochs = [...new Set(data.runs.flatMap(run => run.curves.epoch))].sort((a, b) => a - b);
  const at = new Map(epochs.map((epoch, i) => [epoch, i]));
  return [epochs, ...data.runs.map(run => {
    const values = new Array(epochs.length).fill(null);
    run.curves.epoch.forEach((epoch, i) => { values[at.get(epoch)] = run.curves[metric.key][i]; });
    return values;
  })];
}

// Values of single epochs are dots: a line alone would pretend to know what lies between.
function dotted(plot, of) {
  const there = plot.data[0].filter((_, i) => plot.data[of][i] != null);
  return there.length === 1 || there.length > 0 && there.length < (there.at(-1) - there[0]) / 1.5;
}

function chart(metric, into) {
  const axis = { stroke: () => variable("--soft"), grid: { stroke: () => variable("--line"), width: 1 }, ticks: { stroke: () => variable("--soft"), size: 5 }, font: "13px system-ui, sans-serif", labelFont: "13px system-ui, sans-serif" };
  const frame = h("div", { class: "curve", tabindex: 0, role: "group", "aria-label": `${metric.title} over the epochs; its values are in the table below` });
  const legend = h("div", { class: "legend", role: "group", "aria-label": "curves" }, data.runs.map((run, i) => h("button", {
    type: "button", "aria-pressed": "true",
    onclick: event => { const on = !plot.series[i + 1].show; event.currentTarget.setAttribute("aria-pressed", String(on)); plot.setSeries(i + 1, { show: on }); },
  }, h("i", { class: "key", style: `background:${runColor(i)}` }), run.name)));
  const values = h("div", { class: "scroll" });
  const list = h("details", { class: "values", ontoggle: () => fillValues() }, h("summary", {}, "as a table"), values);
  into.replaceChildren(frame, legend, list);

  const plot = new uPlot({
    ...size(),
    legend: { show: false },
    scales: { x: { time: false, range: (_, low, high) => low === high ? [low - 1, high + 1] : [low, high] } },
    axes: [{ ...axis, grid: { show: false }, label: "epoch", labelSize: 22, size: 34, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] },
      { ...axis, label: metric.title, labelSize: 22, size: (_, labels) => 16 + 7.5 * Math.max(1, ...(labels ?? []).map(label => label.length)) }],
    series: [{}, ...data.runs.map((run, i) => ({ label: run.name, stroke: runColor(i), width: 2, spanGaps: true, points: { show: dotted, size: 7, fill: runColor(i) } }))],
    cursor: { y: false, points: { size: 8 }, drag: { x: true, y: false } },
    hooks: { setCursor: [read] },
  }, aligned(metric), frame);

  function size() {
    const width = Math.max(240, frame.clientWidth);
    return { width, height: Math.round(Math.min(380, Math.max(240, width * .6))) };
  }

  function read(chart) {
    const at = chart.cursor.idx;
    const there = at == null ? [] : data.runs.map((run, i) => ({ run, i, value: chart.data[i + 1][at] })).filter(one => one.value != null && chart.series[one.i + 1].show);
    if (there.length === 0) return hideTip();
    const box = chart.over.getBoundingClientRect();
    showTip({ clientX: box.left + chart.cursor.left, clientY: box.top + Math.max(0, chart.cursor.top) }, h("div", {}, `epoch ${chart.data[0][at]}`),
      h("table", {}, there.map(({ run, i, value }) => h("tr", {},
        h("td", {}, h("i", { class: "key", style: `background:${runColor(i)}` })), h("td", {}, run.name), h("td", { class: "number" }, metric.text(value))))));
  }

  // The cursor goes from epoch to epoch.
  frame.addEventListener("keydown", event => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") { plot.setCursor({ left: -10, top: -10 }); hideTip(); }
    if (!step) return;
    event.preventDefault();
    const last = plot.data[0].length - 1, at = Math.min(last, Math.max(0, (plot.cursor.idx ?? (step > 0 ? -1 : last + 1)) + step));
    plot.setCursor({ left: plot.valToPos(plot.data[0][at], "x"), top: plot.over.clientHeight / 3 });
  });
  frame.addEventListener("blur", hideTip);

  function fillValues() {
    if (!list.open) return;
    const [epochs, ...all] = plot.data;
    values.replaceChildren(h("table", {}, h("thead", {}, h("tr", {}, h("th", { class: "number", scope: "col" }, "epoch"), data.runs.map(run => h("th", { class: "number", scope: "col" }, run.name)))),
      h("tbody", {}, epochs.map((epoch, i) => all.some(one => one[i] != null) ? h("tr", {}, h("td", { class: "number" }, String(epoch)), all.map(one => h("td", { class: "number" }, metric.text(one[i])))) : null))));
  }

  function update() {
    plot.setData(aligned(metric));
    fillValues();
    frame.dataset.points = plot.data.slice(1).reduce((sum, one) => sum + one.filter(value => value != null).length, 0);
  }

  const resized = new ResizeObserver(() => { if (frame.clientWidth > 0 && size().width !== plot.width) plot.setSize(size()); });
  resized.observe(frame);
  update();
  return { update, paint: () => plot.redraw(), end: () => { resized.disconnect(); plot.destroy(); } };
}
