// One run, or several side by side.
function runsView(names) {
  let drawn = null;
  const gone = new Set();
  head(names.length === 1 ? names[0] : `${names.length} runs`, "");
  const waiting = h("p", { class: "lead" }, "Reading …");
  place.page.append(waiting);

  function run(told) {
    Object.assign(told, live.rows.get(told.name) ?? {});
    const runs = names.map(name => live.heard.get(name)).filter(Boolean);
    if (runs.length + gone.size < names.length) return;
    // A run that was resumed is told anew.
    if (drawn) { redraws.length = 0; place.page.replaceChildren(); }
    else waiting.remove();
    for (const name of gone) place.page.append(h("p", { class: "note" }, `There is no run named ${name}, or its folder cannot be read.`));
    if (runs.length > 0) drawn = draw(runs);
  }

  function draw(runs) {
    show({ ...data, runs });
    head(runs.length === 1 ? runs[0].name : `${runs.length} runs`, [...new Set(runs.map(run => run.dataset))].join(", "));
    const facts = h("div");
    const table = runTable(runs, { link: run => addressOf(run.name) });
    section("runs", runs.length === 1 ? "Run" : "Runs", aboutAccuracy, facts, table.element);
    const training = curves();
    if (runs.length > 1) differences(runs);
    const pictured = picturesSection(runs);
    const logs = logSection(runs);
    recipes();
    const again = () => {
      facts.replaceChildren(...notes(runs), ...runs.filter(run => run.state === "running").map(progressOf));
      // Rows are told apart by their objects.
      table.fill(runs.map(run => ({ ...run })));
    };
    again();
    return { again, training, pictured, logs };
  }

  return {
    names,
    run,
    absent: told => { gone.add(told.name); run(told); },
    rows: told => {
      let changed = false;
      for (const row of told) if (live.heard.has(row.name)) { Object.assign(live.heard.get(row.name), row); changed = true; }
      if (changed) drawn?.again();
    },
    grown: () => drawn?.training.update(),
    logged: told => drawn?.logs.add(told),
    pictures: told => drawn?.pictured.told(told),
  };
}

function progressOf(run) {
  const left = run.epochsDone > 0 ? run.seconds / run.epochsDone * (run.epochs - run.epochsDone) : null;
  return h("div", { class: "going" }, h("progress", { max: run.epochs, value: run.epochsDone, "aria-label": `epochs of ${run.name}` }),
    h("span", {}, `${run.name}: epoch ${run.epochsDone} of ${run.epochs}` + (left ? `, about ${duration(left)} left` : "")));
}

// The settings in which they differ.
async function differences(runs) {
  const body = h("div");
  section("differences", "In what they differ", null, body);
  try {
    const told = await ask("api/compare?" + new URLSearchParams(runs.map(run => ["run", run.name])));
    const rows = told.settings.map(({ path, values }) => h("tr", {}, h("th", { scope: "row" }, path), values.map(value => h("td", {}, value ?? "–"))));
    const lines = [told.settings.length === 0 ? "Their settings are the same." : null, told.sameMachine ? null : "They ran on different machines: their speeds do not compare.",
      told.sameVersions ? null : "They ran with different versions."].filter(Boolean);
    body.replaceChildren(...lines.map(line => h("p", { class: "lead" }, line)), ...(rows.length === 0 ? [] : [h("div", { class: "scroll" }, h("table", {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "setting"), runs.map(run => h("th", { scope: "col" }, run.name)))), h("tbody", {}, rows)))]));
  } catch (error) {
    body.replaceChildren(h("p", { class: "note" }, error.message));
  }
}

function logSection(runs) {
  const texts = new Map(runs.map(run => [run.name, h("pre", { class: "log", tabindex: 0, role: "log", "aria-label": `log of ${run.name}` }, run.log)]));
  section("log", runs.length === 1 ? "Log" : "Logs", null, ...runs.map(run => h("details", { open: runs.length === 1 }, h("summary", {}, run.name),
    run.log ? null : h("p", { class: "lead" }, "Nothing was written yet, or the run is from a version that kept no log."), texts.get(run.name))));
  const down = text => { text.scrollTop = text.scrollHeight; };
  for (const text of texts.values()) down(text);
  return {
    add: ({ name, text }) => {
      const log = texts.get(name);
      // Who reads further up is left there.
      const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
      log.append(text);
      if (atEnd) down(log);
    },
  };
}

// t-SNE, mistakes and matrices need the networks: they are run over the test images when someone asks.
function picturesSection(runs) {
  const amount = h("select", { id: "images", "aria-label": "how many test images" }, [["1000", "1,000 test images"], ["2000", "2,000 test images"], ["", "all test images"]].map(([value, text]) => h("option", { value }, text)));
  const button = h("button", { type: "button", id: "draw", onclick: start }, "Draw");
  const state = h("div", { class: "going", role: "status" });
  const into = h("div", { id: "pictures" });
  const query = new URLSearchParams(runs.map(run => ["run", run.name]));
  // Quick work is told of before the request for it is answered.
  let key = null, last = null;
  section("networks", "What the networks see", "t-SNE of the features, accuracy by class, the student's mistakes, confusion and correlation. Student and teacher are run over the test images "
    + "by this server, which takes cores from a training that is under way.", h("div", { class: "controls" }, amount, button), state);
  place.page.append(into);

  async function start() {
    const images = amount.value;
    try {
      key = (await ask("api/pictures?" + query + (images ? `&images=${images}` : ""), { method: "POST", headers: { "X-Distill": "1" } })).key;
      button.disabled = true;
      if (last?.key === key) await follow(last);
    } catch (error) {
      state.replaceChildren(h("p", { class: "note" }, error.message));
    }
  }

  const stop = () => ask("api/pictures", { method: "DELETE", headers: { "X-Distill": "1" } });

  function told(state) {
    last = state;
    if (state.key === key) follow(state);
  }

  async function follow({ state: what, message, done, total, secondsLeft }) {
    button.disabled = what === "working";
    if (what === "working")
      state.replaceChildren(h("progress", total > 0 ? { max: total, value: done, "aria-label": message } : { "aria-label": message }),
        h("span", {}, message + (secondsLeft > 0 ? `, about ${duration(secondsLeft)} left` : "")), h("button", { type: "button", onclick: stop }, "stop"));
    else if (what === "done") {
      state.replaceChildren(h("span", {}, "Drawn."));
      draw(await ask("api/pictures?key=" + encodeURIComponent(key)));
    } else state.replaceChildren(h("p", { class: "note" }, message));
  }

  function draw(told) {
    told.runs.forEach(one => {
      const run = runs.find(known => known.name === one.name);
      for (const name of ["studentNetwork", "teacherNetwork", "comparison", "missing"]) run[name] = one[name];
    });
    show({ ...told, runs });
    const page = place.page;
    into.replaceChildren(...runs.filter(run => run.missing).map(run => h("p", { class: "note" }, `${run.name}: ${run.missing}`)));
    place.page = into;
    figures();
    pictures();
    place.page = page;
  }

  return { told };
}
