// What the server has told, by the one stream of events that this page keeps open.
const live = { rows: new Map(), problems: [], sweeps: [], version: "", root: "", source: null, heard: new Map(), view: null };
// How the list was left, for when one comes back to it.
const list = { text: "", filters: {}, setting: "", matching: null, order: { column: null, down: false }, chosen: new Set() };

const statusLine = document.getElementById("status");
const say = (text, bad = false) => { statusLine.textContent = text; statusLine.classList.toggle("bad", bad); };

// The runs named are told of in full, and on from there.
function listen(names) {
  live.source?.close();
  live.heard.clear();
  const query = new URLSearchParams(names.map(name => ["run", name]));
  if (live.version) query.set("since", live.version);
  const source = live.source = new EventSource("events?" + query);
  const hear = (name, act) => source.addEventListener(name, event => act(JSON.parse(event.data), event));
  source.onopen = () => say("live");
  source.onerror = () => say(source.readyState === EventSource.CLOSED ? "the server no longer answers; reload this page when it runs again"
    : "connection lost; trying again", true);
  hear("rows", (told, event) => {
    live.version = event.lastEventId;
    if (told.all) live.rows.clear();
    for (const row of told.rows) live.rows.set(row.name, row);
    for (const name of told.removed) { live.rows.delete(name); list.chosen.delete(name); }
    [live.problems, live.root] = [told.problems, told.root];
    live.view?.rows?.(told.rows);
  });
  hear("sweeps", told => { live.sweeps = told; live.view?.sweeps?.(); });
  hear("run", told => { live.heard.set(told.name, told); live.view?.run?.(told); });
  hear("epochs", told => {
    const run = live.heard.get(told.name);
    for (const key of Object.keys(run.curves)) run.curves[key].push(...told.curves[key]);
    live.view?.grown?.(run);
  });
  hear("log", told => { live.heard.get(told.name).log += told.text; live.view?.logged?.(told); });
  hear("absent", told => live.view?.absent?.(told));
  hear("pictures", told => live.view?.pictures?.(told));
}

async function ask(path, options) {
  const answer = await fetch(path, options);
  if (!answer.ok) throw new Error(await answer.text() || `the server answered ${answer.status}`);
  return answer.status === 204 ? null : answer.json();
}

const addressOf = (...names) => (names.length === 1 ? "#/run/" : "#/compare/") + names.map(encodeURIComponent).join("/");

function head(title, subtitle = "") {
  document.getElementById("title").textContent = title;
  document.getElementById("subtitle").textContent = subtitle;
  document.title = title === "Runs" ? "DistillSharp" : `${title} · DistillSharp`;
}

// The address says what is shown: #/, #/run/NAME, #/compare/NAME/NAME, #/sweeps.
function go() {
  const [what, ...names] = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  hideTip();
  live.view?.end?.();
  redraws.length = 0;
  place.page.replaceChildren();
  show({ runs: [], networks: [], classes: [] });
  live.view = what === "run" || what === "compare" ? runsView(names.filter(Boolean)) : what === "sweeps" ? sweepsView() : listView();
  for (const link of document.querySelectorAll("#contents a"))
    link.toggleAttribute("aria-current", link.hash === (what === "sweeps" ? "#/sweeps" : what ? "" : "#/"));
  listen(live.view.names ?? []);
}

for (const [hash, text] of [["#/", "Runs"], ["#/sweeps", "Sweeps"]]) place.contents.append(h("a", { href: hash }, text));
place.contents = null;
addEventListener("hashchange", () => {
  go();
  scrollTo(0, 0);
  document.getElementById("title").focus();
});
document.getElementById("foot").textContent = `DistillSharp ${JSON.parse(document.getElementById("data").textContent).version}. Runs are started and stopped by the command distill, not here.`;
go();
