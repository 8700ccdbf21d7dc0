function maps() {
  const drawn = data.networks.filter(network => network.map);
  if (drawn.length === 0) return;
  const points = data.points;
  const seen = { label: null, mistakes: false, point: null };
  const panels = drawn.map(network => panel(network));

  function redraw() {
    for (const one of panels) one.draw();
  }

  function panel(network) {
    const canvas = h("canvas", { role: "img", "aria-label": `t-SNE of ${network.title}` });
    const { x, y } = network.map;
    const [lowX, highX, lowY, highY] = [Math.min(...x), Math.max(...x), Math.min(...y), Math.max(...y)];
    const span = Math.max(highX - lowX, highY - lowY) || 1;
    const room = 16;
    let side = 1;
    const placeX = i => side / 2 + (x[i] - (lowX + highX) / 2) / span * (side - 2 * room);
    const placeY = i => side / 2 - (y[i] - (lowY + highY) / 2) / span * (side - 2 * room);
    const wrong = i => network.predictions[i] !== points.labels[i];
    const shown = i => (seen.label == null || points.labels[i] === seen.label) && (!seen.mistakes || wrong(i));

    function draw() {
      side = canvas.clientWidth;
      canvas.width = canvas.height = Math.round(side * devicePixelRatio);
      const pen = canvas.getContext("2d");
      pen.scale(devicePixelRatio, devicePixelRatio);
      const size = Math.min(4.5, Math.max(1.8, 2.4 * Math.sqrt(2000 / x.length) * side / 420));
      const behind = variable("--line");
      // What is filtered out stays as a gray ground.
      for (const front of [false, true])
        for (let i = 0; i < x.length; i++) {
          if (shown(i) !== front) continue;
          pen.fillStyle = pen.strokeStyle = front ? classColor(points.labels[i]) : behind;
          pen.globalAlpha = front ? .85 : .6;
          pen.beginPath();
          pen.arc(placeX(i), placeY(i), size, 0, 2 * Math.PI);
          pen.fill();
        }
      pen.globalAlpha = 1;
      if (seen.point == null) return;
      pen.strokeStyle = variable("--ink");
      pen.lineWidth = 2;
      pen.beginPath();
      pen.arc(placeX(seen.point), placeY(seen.point), size + 5, 0, 2 * Math.PI);
      pen.stroke();
    }

    function nearest(event) {
      const box = canvas.getBoundingClientRect();
      const [px, py] = [event.clientX - box.left, event.clientY - box.top];
      let [best, distance] = [null, 14 ** 2];
      for (let i = 0; i < x.length; i++) {
        if (!shown(i)) continue;
        const d = (placeX(i) - px) ** 2 + (placeY(i) - py) ** 2;
        if (d < distance) [best, distance] = [i, d];
      }
      return best;
    }

    canvas.addEventListener("pointermove", event => {
      const at = nearest(event);
      if (at !== seen.point) { seen.point = at; redraw(); }
      if (at == null) hideTip();
      else showTip(event, tile(points.sheet, at, 112), h("div", {}, h("b", {}, classes[points.labels[at]])),
        h("table", {}, drawn.map(other => h("tr", {}, h("td", {}, other.title),
          h("td", { class: other.predictions[at] === points.labels[at] ? "better" : "worse" },
            (other.predictions[at] === points.labels[at] ? "✓ " : "✗ ") + classes[other.predictions[at]])))));
    });
    canvas.addEventListener("pointerleave", () => { seen.point = null; hideTip(); redraw(); });
    canvas.addEventListener("click", event => { const at = nearest(event); single(at == null ? null : points.labels[at]); });
    return { draw, element: h("div", {}, h("h3", {}, network.title), canvas) };
  }

  const keys = classes.map((name, k) => points.labels.includes(k) ? h("button", { type: "button", "aria-pressed": "false", onclick: () => single(seen.label === k ? null : k) },
    h("i", { class: "key", style: `background:${classColor(k)}` }), name) : null);
  function single(label) {
    seen.label = label;
    keys.forEach((key, k) => key?.setAttribute("aria-pressed", String(k === label)));
    redraw();
  }

  section("maps", "What the features look like",
    `t-SNE of the features before the classifier, ${whole(points.labels.length)} test images each, colored by true class. Distances within a picture have meaning, positions and axes have none. `
    + "Point at an image to see it and find it in the other pictures; click a class to single it out.",
    h("div", { class: "controls" },
      h("label", {}, h("input", { type: "checkbox", onchange: event => { seen.mistakes = event.target.checked; redraw(); } }), "only what each network gets wrong"),
      h("button", { type: "button", onclick: () => single(null) }, "all classes")),
    h("div", { class: panels.length === 4 ? "panels four" : "panels" }, panels.map(one => one.element)),
    h("div", { class: "classkeys" }, keys));
  redraws.push(redraw);
  new ResizeObserver(redraw).observe(panels[0].element);
}
