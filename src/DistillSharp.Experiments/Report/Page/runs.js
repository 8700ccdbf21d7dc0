// The columns of every table of runs: what is shown, what it is sorted by, and whether it is a number.
const columns = [
  ["run", run => run.name, run => run.name],
  ["student", run => run.student, run => run.student],
  ["teacher", run => run.teacher ?? "–", run => run.teacher ?? ""],
  ["method", run => run.method, run => run.method],
  ["seed", run => String(run.seed), run => run.seed, true],
  ["epochs", run => run.epochsDone === run.epochs ? String(run.epochs) : `${run.epochsDone} of ${run.epochs}`, run => run.epochsDone, true],
  ["Acc1", run => number(run.finalAcc1), run => run.finalAcc1, true],
  ["Acc5", run => number(run.finalAcc5), run => run.finalAcc5, true],
  ["best Acc1", run => run.bestAcc1 == null ? "–" : `${number(run.bestAcc1)} (${run.bestEpoch})`, run => run.bestAcc1, true],
  ["images/s", run => whole(run.imagesPerSecond), run => run.imagesPerSecond, true],
  ["time", run => duration(run.seconds), run => run.seconds, true],
  ["state", run => h("span", { class: "state " + run.state }, run.state), run => run.state],
].map(([name, text, by, numeric = false]) => ({ name, text, by, numeric }));

// A table whose columns sort it when their heads are pressed. The links and the cells before are the caller's. What it returns
// takes the runs anew; rows of runs that stayed the same stay, and so does the focus.
function runTable(runs, { link, before = null, order = { column: null, down: false }, limit = Infinity, sorted = () => { } }) {
  const rows = new Map();
  const body = h("tbody");
  const heads = columns.map(column => h("th", { class: column.numeric ? "number" : "", scope: "col" },
    h("button", { type: "button", class: "sort", onclick: () => sort(column) }, column.name)));

  function sort(column) {
    order = { column: column.name, down: order.column === column.name ? !order.down : column.numeric && column.name !== "seed" };
    arrange();
    sorted(order);
  }

  // What has no value comes last, whichever way.
  function arrange() {
    const column = columns.find(one => one.name === order.column);
    heads.forEach((head, i) => columns[i] === column
      ? head.setAttribute("aria-sort", order.down ? "descending" : "ascending") : head.removeAttribute("aria-sort"));
    const missing = run => column != null && column.by(run) == null;
    const by = (a, b) => missing(a) - missing(b) || compare(column.by(a), column.by(b)) * (order.down ? -1 : 1) || compare(a.name, b.name);
    const best = runs.length > 1 ? Math.max(...runs.map(run => run.finalAcc1 ?? -1)) : null;
    const place = (column ? runs.toSorted(by) : runs).slice(0, limit).map(element);
    if (place.length !== body.children.length || place.some((row, i) => body.children[i] !== row)) body.replaceChildren(...place);
    for (const { run, element } of rows.values()) element.querySelector("[data-column=Acc1]").classList.toggle("best", run.finalAcc1 === best);
  }

  function element(run) {
    if (!rows.has(run.name)) rows.set(run.name, { run, element: row(run) });
    return rows.get(run.name).element;
  }

  // Rows are copied in less time than they are made anew.
  const empty = h("tr", {}, columns.map(column => h("td", { "data-column": column.name, class: column.numeric ? "number" : null })));
  function row(run) {
    const element = empty.cloneNode(true);
    element.dataset.run = run.name;
    columns.forEach((column, i) => element.children[i].append(column.name === "run" ? h("a", { href: link(run) }, run.name) : column.text(run)));
    if (before) element.prepend(before.cell(run));
    return element;
  }

  // Of long lists only the first rows are made; all can be asked for.
  function first(count) {
    limit = count;
    fill(runs);
  }

  function fill(shown) {
    const focused = document.activeElement, focusedIn = focused?.closest?.("tr[data-run]");
    const at = focusedIn && body.contains(focusedIn) ? [...focusedIn.querySelectorAll("a, input")].indexOf(focused) : -1;
    runs = shown;
    const names = new Set(runs.map(run => run.name));
    for (const name of rows.keys()) if (!names.has(name)) rows.delete(name);
    for (const run of runs) if (rows.get(run.name)?.run !== run) rows.delete(run.name);
    arrange();
    if (at >= 0 && document.activeElement !== focused) rows.get(focusedIn.dataset.run)?.element.querySelectorAll("a, input")[at]?.focus();
  }

  fill(runs);
  return { fill, first, element: h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, before?.head(), heads)), body)) };
}

const compare = (a, b) => typeof a === "string" ? collator.compare(a, b) : (a ?? 0) - (b ?? 0);
const collator = new Intl.Collator("en", { numeric: true });

function notes(runs) {
  return [
    ...runs.filter(run => run.missing).map(run => h("p", { class: "note" }, `${run.name}: ${run.missing}`)),
    ...runs.filter(run => run.failure).map(run => h("p", { class: "note" }, `${run.name} failed: ${run.failure}`)),
  ];
}

const aboutAccuracy = "Accuracies are of the last measured epoch, in percent. Best Acc1 names its epoch; it was chosen by looking at the test images, so it flatters.";

// A recipe's text with its keys and comments set apart.
const recipeText = text => h("pre", { tabindex: 0 }, text.trimEnd().split("\n").flatMap(line => {
  const comment = /^\s*#/.test(line) ? [h("em", {}, line)] : null;
  const key = /^(\s*(?:- )?)([\w.-]+)(:.*)$/.exec(line);
  return [...(comment ?? (key ? [key[1], h("b", {}, key[2]), key[3]] : [line])), "\n"];
}));

const machineOf = run => [run.machine, run.libtorch && "libtorch " + run.libtorch, run.precision, run.parameters && whole(run.parameters) + " parameters"].filter(Boolean).join(" · ");

function recipes(lead = "Each run's recipe as it was resolved: with it the run can be repeated.") {
  section("recipes", data.runs.length === 1 ? "Recipe" : "Recipes", lead,
    ...data.runs.map((run, i) => h("details", { id: "recipe-" + i, open: data.runs.length === 1 }, h("summary", {}, run.name),
      h("p", { class: "lead" }, machineOf(run)), recipeText(run.recipe))));
}
