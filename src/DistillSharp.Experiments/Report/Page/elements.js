// What is drawn: runs, networks, classes, pictures. The report reads it once, the live page as it comes.
let data = { runs: [], networks: [], classes: [] };
let classes = [];
const root = document.documentElement;
const redraws = [];
// Where sections go, and where their links do.
const place = { page: document.getElementById("page"), contents: document.getElementById("contents") };

function show(drawn) {
  data = drawn;
  classes = data.classes ?? [];
}

// An element: attributes, then children; a string becomes text, never markup.
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
  element.append(...children.flat().filter(child => child != null));
  return element;
}

function section(id, title, lead, ...content) {
  place.contents?.append(h("a", { href: "#" + id }, title));
  const element = h("section", { id, "aria-labelledby": id + "-title" }, h("h2", { id: id + "-title" }, title), lead ? h("p", { class: "lead" }, lead) : null, ...content);
  place.page.append(element);
  return element;
}

const number = (value, digits = 2) => value == null || !isFinite(value) ? "–" : value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const percent = (value, digits = 2) => value == null || !isFinite(value) ? "–" : number(value, digits) + " %";
// What rounds to zero has no sign.
const signed = (value, digits = 1) => { const at = +value.toFixed(digits); return (at > 0 ? "+" : at < 0 ? "−" : "±") + number(Math.abs(at), digits); };
const whole = value => value == null ? "–" : Math.round(value).toLocaleString("en");
const counted = (count, one) => `${whole(count)} ${one}${count === 1 ? "" : "s"}`;
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
  return h("div", { class: "buttons", role: "group" }, buttons);
}

// The run that a section shows first: the headline's, where the section has it.
const firstOf = runs => runs.find(run => run === bestPair()?.run) ?? runs[0];

function runPicker(runs, pick) {
  if (runs.length < 2) return null;
  return h("label", {}, "run", h("select", { onchange: event => pick(runs[event.target.value]) },
    runs.map((run, i) => h("option", { value: i, selected: run === firstOf(runs) }, run.name))));
}

function setTheme(dark) {
  root.classList.toggle("dark", dark);
  for (const redraw of redraws) redraw();
}
document.getElementById("theme").addEventListener("click", () => setTheme(!root.classList.contains("dark")));
const preference = matchMedia("(prefers-color-scheme: dark)");
preference.addEventListener("change", () => setTheme(preference.matches));
root.classList.toggle("dark", preference.matches);
