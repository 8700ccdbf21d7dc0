const marks = { finished: "✓", running: "▶", failed: "✗", interrupted: "‖", missing: "·" };

// Every sweep that was started here, as a matrix of pairs by methods, a mark for each seed.
function sweepsView() {
  head("Sweeps", live.root);
  const content = h("div");
  place.page.append(content);

  function update() {
    const rows = new Map([...live.rows.values()].map(row => [row.digest, row]));
    const parts = live.sweeps.length === 0
      ? [h("section", {}, h("h2", {}, "Sweeps"), h("p", { class: "lead" }, "None yet. One that is started with distill sweep appears here by itself."))]
      : live.sweeps.map(sweep => matrixOf(sweep, run => ({ ...run, row: rows.get(run.digest), state: rows.get(run.digest)?.state ?? "missing" })));
    content.replaceChildren(...parts);
  }

  update();
  return { rows: update, sweeps: update };
}

function matrixOf(sweep, stateOf) {
  const runs = sweep.runs.map(stateOf);
  // Cross-entropy has no teacher: pairs of one student share it.
  const pairs = [...new Map(runs.filter(run => run.teacher).map(run => [`${run.teacher} → ${run.student}`, run])).values()];
  for (const run of runs) if (!run.teacher && !pairs.some(pair => pair.student === run.student)) pairs.push(run);
  const methods = [...new Set(runs.map(run => run.method))];
  const inCell = (pair, method) => runs.filter(run => run.method === method && run.student === pair.student && (!run.teacher || run.teacher === pair.teacher));
  const count = state => runs.filter(run => run.state === state).length;
  const parts = ["finished", "running", "failed", "interrupted", "missing"].filter(state => count(state) > 0)
    .map(state => h("span", { class: "mark " + state }, h("i", { "aria-hidden": "true" }, marks[state]), ` ${count(state)} ${state === "missing" ? "to come" : state}`));
  return h("section", { "aria-label": sweep.name }, h("h2", {}, sweep.name),
    h("div", { class: "going" }, h("progress", { max: runs.length, value: count("finished"), "aria-label": `finished runs of ${sweep.name}` }), h("div", { class: "legend" }, parts)),
    h("div", { class: "scroll" }, h("table", { class: "sweep" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "pair"), methods.map(method => h("th", { scope: "col" }, method)))),
      h("tbody", {}, pairs.map(pair => h("tr", {}, h("th", { scope: "row" }, pair.teacher ? `${pair.teacher} → ${pair.student}` : pair.student),
        methods.map(method => h("td", {}, cell(inCell(pair, method))))))))));
}

function cell(runs) {
  const known = runs.filter(run => run.state === "finished" && run.row.finalAcc1 != null);
  const mean = known.reduce((sum, run) => sum + run.row.finalAcc1, 0) / known.length;
  return [h("div", { class: "seeds" }, runs.map(run => {
    const text = `seed ${run.seed}: ${run.state === "missing" ? "to come" : run.state}`
      + (run.row ? `, ${run.row.epochsDone} of ${run.row.epochs} epochs` + (run.row.finalAcc1 == null ? "" : `, Acc1 ${number(run.row.finalAcc1)}`) : "");
    const inner = [marks[run.state], run.state === "running" ? ` ${Math.round(100 * run.row.epochsDone / run.row.epochs)} %` : ""];
    return run.row ? h("a", { class: "mark " + run.state, href: addressOf(run.row.name), title: text, "aria-label": text }, inner)
      : h("span", { class: "mark missing", role: "img", title: text, "aria-label": text }, inner);
  })), known.length > 0 ? h("div", { class: "mean" }, number(mean)) : null];
}
