function headline() {
  document.getElementById("title").textContent = data.title;
  document.getElementById("subtitle").textContent =
    `${counted(data.runs.length, "run")} on ${[...new Set(data.runs.map(run => run.dataset))].join(", ")}`
    + (data.images ? ` · measured on ${whole(data.images)} test images` : "");
  document.getElementById("foot").textContent = `Made by DistillSharp ${data.version} on ${data.made}. This page holds all its data and asks no network for anything.`;
  figures();
}

function table() {
  const anew = data.runs.some(run => run.studentNetwork != null && run.precision && run.precision !== "fp32")
    ? " Training measured in bf16; all else on this page was measured anew in fp32, so last digits can differ." : "";
  section("runs", "Runs", aboutAccuracy + anew, ...notes(data.runs), runTable(data.runs, { link: run => "#recipe-" + data.runs.indexOf(run) }).element);
}

show(JSON.parse(document.getElementById("data").textContent));
headline();
table();
curves();
pictures();
recipes();
addEventListener("hashchange", () => { const at = location.hash && document.getElementById(location.hash.slice(1)); if (at?.tagName === "DETAILS") at.open = true; });
