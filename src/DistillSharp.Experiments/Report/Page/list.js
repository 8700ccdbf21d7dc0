// All runs, filtered and sorted; those chosen can be laid side by side.
function listView() {
  const facets = [["dataset", "data set"], ["teacher", "teacher"], ["student", "student"], ["method", "method"], ["state", "state"]];
  const atFirst = 250;
  const more = h("button", { type: "button", id: "more", onclick: all });
  const count = h("p", { class: "lead", id: "count", role: "status" });
  const problems = h("div");
  const compareLink = h("a", { class: "button", id: "compare", role: "button" });
  const selects = new Map(facets.map(([key, text]) => [key, h("select", { id: "filter-" + key, "aria-label": text, onchange: event => { list.filters[key] = event.target.value; update(); } })]));
  const search = h("input", { type: "search", id: "search", placeholder: "name contains", "aria-label": "name contains", value: list.text, oninput: event => { list.text = event.target.value; update(); } });
  const setting = h("input", { id: "setting", placeholder: "setting: train.lr=0.05", "aria-label": "setting of the recipe, such as train.lr=0.05", value: list.setting, onchange: event => bySetting(event.target.value.trim()) });
  const table = runTable([], {
    link: run => addressOf(run.name), order: list.order, limit: atFirst, sorted: order => { list.order = order; },
    before: {
      head: () => h("th", { scope: "col" }, h("span", { class: "unseen" }, "compare")),
      cell: run => h("td", { class: "pick" }, h("input", { type: "checkbox", "aria-label": `compare ${run.name}`, checked: list.chosen.has(run.name), onchange: event => choose(run.name, event.target.checked) })),
    },
  });

  function choose(name, on) {
    if (on) list.chosen.add(name); else list.chosen.delete(name);
    chosen();
  }

  function chosen() {
    const names = [...list.chosen];
    compareLink.textContent = names.length < 2 ? "choose two runs or more to compare them" : `compare ${names.length} runs`;
    if (names.length < 2) compareLink.removeAttribute("href"); else compareLink.setAttribute("href", addressOf(...names));
    compareLink.setAttribute("aria-disabled", String(names.length < 2));
  }

  // Settings are in the registry, not on this page.
  async function bySetting(text) {
    [list.setting, list.matching] = [text, null];
    try {
      if (text) list.matching = new Set(await ask("api/names?" + new URLSearchParams({ set: text })));
      setting.setCustomValidity("");
    } catch (error) {
      setting.setCustomValidity(error.message);
      setting.reportValidity();
    }
    update();
  }

  function options() {
    for (const [key, select] of selects) {
      const values = [...new Set([...live.rows.values()].map(run => run[key] ?? ""))].sort(collator.compare);
      const known = values.join("\n");
      if (select.dataset.known === known) continue;
      select.dataset.known = known;
      const all = facets.find(one => one[0] === key)[1];
      select.replaceChildren(h("option", { value: "*" }, `any ${all}`), ...values.map(value => h("option", { value }, value || "none")));
      select.value = values.includes(list.filters[key]) ? list.filters[key] : "*";
    }
  }

  // What is running comes first, then what began last.
  const latest = (a, b) => (b.state === "running") - (a.state === "running") || (a.created < b.created ? 1 : -1);
  const seen = run => run.name.toLowerCase().includes(list.text.toLowerCase()) && (!list.matching || list.matching.has(run.name))
    && facets.every(([key]) => (list.filters[key] ?? "*") === "*" || (run[key] ?? "") === list.filters[key]);

  function update() {
    options();
    const all = [...live.rows.values()], shown = all.filter(seen);
    const running = all.filter(run => run.state === "running").length;
    head("Runs", live.root);
    count.textContent = live.version === "" ? "Reading the folder …" : all.length === 0 ? "No run yet. One that is started with distill train appears here by itself."
      : `${shown.length === all.length ? counted(all.length, "run") : `${whole(shown.length)} of ${counted(all.length, "run")}`}, ${running} running`;
    more.hidden = shown.length <= atFirst;
    more.textContent = `show all ${whole(shown.length)}`;
    if (list.order.column == null) shown.sort(latest);
    table.fill(shown);
    tellProblems();
    chosen();
  }

  function tellProblems() {
    const known = live.problems.join("\n");
    if (problems.dataset.known === known) return;
    problems.dataset.known = known;
    problems.replaceChildren(...(known === "" ? [] : [h("details", {}, h("summary", {}, `${counted(live.problems.length, "thing")} could not be read`),
      h("ul", {}, live.problems.map(text => h("li", {}, text))))]));
  }

  section("runs", "All runs", null, h("div", { class: "controls", role: "search" }, search, [...selects.values()], setting), count, problems,
    h("div", { class: "controls" }, compareLink, h("button", { type: "button", onclick: clear }, "choose none")), table.element, more,
    h("p", { class: "lead after" }, aboutAccuracy));
  update();

  function all() {
    table.first(Infinity);
    more.remove();
  }

  function clear() {
    list.chosen.clear();
    for (const box of table.element.querySelectorAll("input:checked")) box.checked = false;
    chosen();
  }

  return { rows: update };
}
