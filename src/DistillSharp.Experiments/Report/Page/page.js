const data = JSON.parse(document.getElementById("data").textContent);
const root = document.documentElement;
const classes = data.classes;
const redraws = [];

// An element: attributes, then children; a string becomes text, never markup.
function h(tag, attributes = {}, ...children) {
  const space = ["svg", "g", "line", "path", "text", "circle", "rect"].includes(tag) ? "http://www.w3.org/2000/svg" : "http://www.w3.org/1999/xhtml";
  const element = document.createElementNS(space, tag);
  for (const [name, value] of Object.entries(attributes))
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
  element.append(...children.flat().filter(child => child != null));
  return element;
}

function section(id, title, lead, ...content) {
  document.getElementById("contents").append(h("a", { href: "#" + id }, title));
  const element = h("section", { id }, h("h2", {}, title), lead ? h("p", { class: "lead" }, lead) : null, ...content);
  document.getElementById("page").append(element);
  return element;
}

const number = (value, digits = 2) => value == null || !isFinite(value) ? "–" : value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const percent = (value, digits = 2) => value == null || !isFinite(value) ? "–" : number(value, digits) + " %";
// What rounds to zero has no sign.
const signed = (value, digits = 1) => { const at = +value.toFixed(digits); return (at > 0 ? "+" : at < 0 ? "−" : "±") + number(Math.abs(at), digits); };
const whole = value => value == null ? "–" : Math.round(value).toLocaleString("en");
const variable = name => getComputedStyle(root).getPropertyValue(name).trim();

function duration(seconds) {
  if (!(seconds > 0)) return "–";
  if (seconds < 90) return number(seconds, 0) + " s";
  if (seconds < 5400) return number(seconds / 60, 0) + " min";
  return number(seconds / 3600, 1) + " h";
}

// Twenty colors that people can tell apart; beyond them the golden angle spreads hues, and two lightnesses alternate.
const twenty = ["#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf",
  "#aec7e8", "#ffbb78", "#98df8a", "#ff9896", "#c5b0d5", "#c49c94", "#f7b6d2", "#c7c7c7", "#dbdb8d", "#9edae5"];
const classColor = k => classes.length <= 20 ? twenty[k] : `hsl(${(k * 137.508) % 360} ${k % 3 === 0 ? 75 : 55}% ${[48, 62, 40][k % 3]}%)`;
const runColor = i => twenty[i % 10];

const tip = document.getElementById("tip");
function showTip(event, ...content) {
  tip.replaceChildren(...content);
  tip.hidden = false;
  const [width, height] = [tip.offsetWidth, tip.offsetHeight];
  tip.style.left = Math.max(6, event.clientX + 18 + width > innerWidth ? event.clientX - width - 14 : event.clientX + 18) + "px";
  tip.style.top = Math.max(6, Math.min(event.clientY + 14, innerHeight - height - 6)) + "px";
}
const hideTip = () => { tip.hidden = true; };

// One picture of a sheet of pictures, enlarged.
function tile(sheet, at, side) {
  const scale = side / Math.max(sheet.width, sheet.height);
  const element = h("div", { class: "tile" });
  Object.assign(element.style, {
    width: sheet.width * scale + "px", height: sheet.height * scale + "px",
    backgroundImage: `url(${sheet.source})`,
    backgroundSize: `${sheet.columns * sheet.width * scale}px auto`,
    backgroundPosition: `${-(at % sheet.columns) * sheet.width * scale}px ${-Math.floor(at / sheet.columns) * sheet.height * scale}px`,
  });
  return element;
}

// Buttons of which one is pressed.
function choice(options, chosen, pick) {
  const buttons = options.map(([value, text]) => h("button", {
    type: "button", "aria-pressed": String(value === chosen),
    onclick: () => { buttons.forEach((b, i) => b.setAttribute("aria-pressed", String(options[i][0] === value))); pick(value); },
  }, text));
  return h("div", { class: "buttons" }, buttons);
}

// The run that a section shows first: the headline's, where the section has it.
const firstOf = runs => runs.find(run => run === bestPair()?.run) ?? runs[0];

function runPicker(runs, pick) {
  if (runs.length < 2) return null;
  return h("label", {}, "run", h("select", { onchange: event => pick(runs[event.target.value]) },
    runs.map((run, i) => h("option", { value: i, selected: run === firstOf(runs) }, run.name))));
}

function headline() {
  document.getElementById("title").textContent = data.title;
  document.getElementById("subtitle").textContent =
    `${data.runs.length} run${data.runs.length === 1 ? "" : "s"} on ${[...new Set(data.runs.map(run => run.dataset))].join(", ")}`
    + (data.images ? ` · measured on ${whole(data.images)} test images` : "");
  document.getElementById("foot").textContent = `Made by DistillSharp ${data.version} on ${data.made}. This page holds all its data and asks no network for anything.`;

  const pair = bestPair();
  if (!pair) return;
  const [student, teacher] = [data.networks[pair.run.studentNetwork], data.networks[pair.run.teacherNetwork]];
  const figure = (value, text) => h("div", { class: "figure" }, h("b", {}, value), h("span", {}, text));
  document.getElementById("page").append(h("div", { class: "figures" },
    figure(percent(student.acc1), `student ${pair.run.student} (${pair.run.method})`),
    teacher ? figure(percent(teacher.acc1), `teacher ${pair.run.teacher}`) : null,
    teacher ? figure(signed(student.acc1 - teacher.acc1, 2), "student against teacher, in points") : null,
    teacher ? figure(percent(pair.run.comparison.agreement, 1), "of images on which they agree") : null,
    teacher ? figure(number(pair.run.comparison.correlation.mean, 4), "mean difference of their logit correlations") : null));
}

function bestPair() {
  const measured = data.runs.filter(run => run.studentNetwork != null);
  if (measured.length === 0) return null;
  return { run: measured.reduce((best, run) => data.networks[run.studentNetwork].acc1 > data.networks[best.studentNetwork].acc1 ? run : best) };
}

function table() {
  const best = Math.max(...data.runs.map(run => run.finalAcc1 ?? -1));
  const columns = ["run", "student", "teacher", "method", "seed", "epochs", "Acc1", "Acc5", "best Acc1", "images/s", "time", "state"];
  const numeric = new Set(["seed", "epochs", "Acc1", "Acc5", "best Acc1", "images/s", "time"]);
  const cell = (name, text, extra = {}) => h("td", { "data-column": name, ...extra, class: [numeric.has(name) ? "number" : "", extra.class].join(" ") }, text);
  const anew = data.runs.some(run => run.studentNetwork != null && run.precision && run.precision !== "fp32")
    ? " Training measured in bf16; all else on this page was measured anew in fp32, so last digits can differ." : "";
  section("runs", "Runs", "Accuracies are of the last measured epoch, in percent. Best Acc1 names its epoch; it was chosen by looking at the test images, so it flatters." + anew,
    ...data.runs.filter(run => run.missing).map(run => h("p", { class: "note" }, `${run.name}: ${run.missing}`)),
    ...data.runs.filter(run => run.failure).map(run => h("p", { class: "note" }, `${run.name} failed: ${run.failure}`)),
    h("div", { class: "scroll" }, h("table", {},
      h("thead", {}, h("tr", {}, columns.map(name => h("th", { class: numeric.has(name) ? "number" : "" }, name)))),
      h("tbody", {}, data.runs.map((run, i) => h("tr", { "data-run": run.name },
        cell("run", h("a", { href: "#recipe-" + i }, run.name)),
        cell("student", run.student), cell("teacher", run.teacher ?? "–"), cell("method", run.method), cell("seed", String(run.seed)),
        cell("epochs", run.epochsDone === run.epochs ? String(run.epochs) : `${run.epochsDone} of ${run.epochs}`),
        cell("Acc1", number(run.finalAcc1), { class: data.runs.length > 1 && run.finalAcc1 === best ? "best" : "" }), cell("Acc5", number(run.finalAcc5)),
        cell("best Acc1", run.bestAcc1 == null ? "–" : `${number(run.bestAcc1)} (${run.bestEpoch})`),
        cell("images/s", whole(run.imagesPerSecond)), cell("time", duration(run.seconds)),
        cell("state", h("span", { class: "state " + run.state }, run.state))))))));
}

function recipes() {
  const lines = text => text.trimEnd().split("\n").flatMap(line => {
    const comment = /^\s*#/.test(line) ? [h("em", {}, line)] : null;
    const key = /^(\s*(?:- )?)([\w.-]+)(:.*)$/.exec(line);
    return [...(comment ?? (key ? [key[1], h("b", {}, key[2]), key[3]] : [line])), "\n"];
  });
  section("recipes", "Recipes", "Each run's recipe as it was resolved: with it the run can be repeated.",
    ...data.runs.map((run, i) => h("details", { id: "recipe-" + i, open: data.runs.length === 1 }, h("summary", {}, run.name),
      h("p", { class: "lead" }, [run.machine, run.libtorch && "libtorch " + run.libtorch, run.precision, run.parameters && whole(run.parameters) + " parameters"].filter(Boolean).join(" · ")),
      h("pre", {}, lines(run.recipe)))));
  addEventListener("hashchange", () => { const at = location.hash && document.getElementById(location.hash.slice(1)); if (at?.tagName === "DETAILS") at.open = true; });
}
