const compared = () => data.runs.filter(run => run.comparison);

function perClass() {
  const runs = data.runs.filter(run => run.studentNetwork != null);
  if (runs.length === 0) return;
  const rows = h("div", { class: "classrows" });
  const seen = { run: firstOf(runs), order: "gap" };
  const orders = [["gap", "by difference"], ["student", "by the student's accuracy"], ["name", "by name"]];

  function draw() {
    const student = data.networks[seen.run.studentNetwork].classAccuracy, teacher = data.networks[seen.run.teacherNetwork]?.classAccuracy;
    const gap = k => teacher ? student[k] - teacher[k] : 0;
    const by = { gap: (a, b) => gap(a) - gap(b) || student[a] - student[b], student: (a, b) => student[a] - student[b], name: (a, b) => classes[a].localeCompare(classes[b], "en") };
    const order = classes.map((_, k) => k).filter(k => student[k] != null).sort(by[teacher ? seen.order : seen.order === "gap" ? "student" : seen.order]);
    rows.replaceChildren(...order.map(k => {
      const how = gap(k) >= .5 ? "better" : gap(k) <= -.5 ? "worse" : "";
      const row = h("div", { class: "classrow", "data-class": classes[k] }, h("span", { class: "name", title: classes[k] }, classes[k]),
        h("span", { class: "track" },
          teacher ? h("u", { class: how, style: `left:${Math.min(student[k], teacher[k])}%;width:${Math.abs(gap(k))}%` }) : null,
          teacher ? h("i", { class: "teacher", style: `left:${teacher[k]}%` }) : null,
          h("i", { class: "student", style: `left:${student[k]}%` })),
        h("span", { class: "gap " + how }, teacher ? signed(gap(k), 0) : number(student[k], 0)));
      row.addEventListener("pointermove", event => showTip(event, h("b", {}, classes[k]), h("table", {},
        teacher ? h("tr", {}, h("td", {}, "teacher"), h("td", {}, percent(teacher[k], 1))) : null,
        h("tr", {}, h("td", {}, "student"), h("td", {}, percent(student[k], 1))))));
      row.addEventListener("pointerleave", hideTip);
      return row;
    }));
  }

  const hasTeacher = runs.some(run => run.teacherNetwork != null);
  section("classes", "Accuracy by class", "From 0 % at the left to 100 % at the right" + (hasTeacher ? "; the number is the student's accuracy less the teacher's, in points, and for a run without a teacher the accuracy itself." : "."),
    h("div", { class: "controls" }, runPicker(runs, run => { seen.run = run; draw(); }),
      choice(hasTeacher ? orders : orders.slice(1), hasTeacher ? "gap" : "student", order => { seen.order = order; draw(); }),
      h("div", { class: "legend" }, hasTeacher ? h("span", {}, h("i", { class: "key", style: "border:2.5px solid var(--teacher);border-radius:50%" }), "teacher") : null,
        h("span", {}, h("i", { class: "key", style: "background:var(--student);border-radius:50%" }), "student"))),
    rows);
  draw();
}

function examples() {
  const runs = compared().filter(run => run.comparison.examples.length > 0);
  if (runs.length === 0) return;
  const grid = h("div", { class: "examples" });
  const lead = h("p", { class: "lead" });
  function draw(run) {
    const { examples, teacherOnly, studentOnly } = run.comparison;
    lead.textContent = `The teacher alone is right on ${whole(teacherOnly)} images, the student alone on ${whole(studentOnly)}. `
      + `Here are the ${examples.length} of the former where the student is surest of its mistake.`;
    grid.replaceChildren(...examples.map(one => h("div", { class: "example" }, tile(data.examples, one.tile, 128),
      h("div", {}, h("b", {}, classes[one.label])),
      h("div", { class: "better" }, `teacher ✓ ${percent(100 * one.teacherProbability, 0)}`),
      h("div", { class: "worse" }, `student ✗ ${classes[one.predicted]} ${percent(100 * one.studentProbability, 0).replace(" ", "\u00a0")}`),
      h("small", {}, `test image ${one.image}`))));
  }
  section("examples", "What the teacher knows and the student does not", null, lead, h("div", { class: "controls" }, runPicker(runs, draw)), grid);
  draw(firstOf(runs));
}

// A matrix as a picture of one pixel for each cell.
function matrix(label, values, count, color, describe) {
  const canvas = h("canvas", { width: count, height: count, role: "img", "aria-label": label });
  function draw() {
    const pen = canvas.getContext("2d"), picture = pen.createImageData(count, count), paint = color();
    for (let at = 0; at < count * count; at++) picture.data.set([...paint(values[at]), 255], 4 * at);
    pen.putImageData(picture, 0, 0);
  }
  canvas.addEventListener("pointermove", event => {
    const box = canvas.getBoundingClientRect();
    const cell = at => Math.min(count - 1, Math.max(0, Math.floor(at * count)));
    const [row, column] = [cell((event.clientY - box.top) / box.height), cell((event.clientX - box.left) / box.width)];
    showTip(event, ...describe(row, column, values[row * count + column]));
  });
  canvas.addEventListener("pointerleave", hideTip);
  draw();
  redraws.push(draw);
  return canvas;
}

const rgb = name => { const hex = variable(name); return [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16)); };
const blend = (from, to, share) => from.map((value, i) => Math.round(value + (to[i] - value) * Math.min(1, Math.max(0, share))));

function matrices() {
  const runs = data.runs.filter(run => run.studentNetwork != null);
  if (runs.length === 0) return;
  const content = h("div", { class: "matrices" });
  const count = classes.length;

  function draw(run) {
    redraws.splice(kept);
    const student = data.networks[run.studentNetwork], teacher = data.networks[run.teacherNetwork];
    const counts = student.confusion;
    const sums = classes.map((_, k) => counts.slice(k * count, (k + 1) * count).reduce((a, b) => a + b, 0));
    const shares = counts.map((value, at) => value / (sums[Math.floor(at / count)] || 1));
    const confusion = h("div", {}, h("h3", {}, "Which class the student takes for which, in shares of the true class (rows)"),
      matrix("confusion of classes", shares, count, () => { const [from, to] = [rgb("--middle"), rgb("--accent")]; return share => blend(from, to, Math.sqrt(share)); },
        (row, column, share) => [h("div", {}, h("b", {}, classes[row])), h("div", {}, `taken for ${classes[column]}: ${percent(100 * share, 1)}`)]),
      // The shade goes by the square root, so that rare confusions show: half of it is a quarter.
      h("div", { class: "scale" }, "0 %", h("i", { style: "background:linear-gradient(90deg,var(--middle),color-mix(in srgb,var(--middle),var(--accent)))" }), "25 %",
        h("i", { style: "background:linear-gradient(90deg,color-mix(in srgb,var(--middle),var(--accent)),var(--accent))" }), "100 %"));

    const common = h("div", {}, h("h3", {}, "Its commonest confusions"), h("div", { class: "scroll" }, h("table", {},
      h("thead", {}, h("tr", {}, h("th", {}, "true"), h("th", {}, "taken for"), h("th", { class: "number" }, "student"), teacher ? h("th", { class: "number" }, "teacher") : null)),
      h("tbody", {}, student.commonest.map(([label, predicted, images]) => h("tr", {}, h("td", {}, classes[label]), h("td", {}, classes[predicted]),
        h("td", { class: "number" }, whole(images)), teacher ? h("td", { class: "number" }, whole(teacher.confusion[label * count + predicted])) : null))))));

    let correlation = null;
    if (run.comparison) {
      const { values, mean, largest } = run.comparison.correlation;
      correlation = h("div", {}, h("h3", {}, `Teacher's logit correlations less the student's: mean |difference| ${number(mean, 4)}`),
        matrix("differences of correlation", values, count, () => { const [low, middle, high] = [rgb("--low"), rgb("--middle"), rgb("--high")];
          return value => value < 0 ? blend(middle, low, -value / (largest || 1)) : blend(middle, high, value / (largest || 1)); },
          (row, column, value) => [h("div", {}, `${classes[row]} and ${classes[column]}`), h("div", {}, h("b", {}, signed(value, 3)))]),
        h("div", { class: "scale" }, signed(-largest, 2), h("i", { style: "background:linear-gradient(90deg,var(--low),var(--middle),var(--high))" }), signed(largest, 2)));
    }
    content.replaceChildren(...[correlation, confusion, common].filter(Boolean));
  }

  section("matrices", "How classes relate",
    (compared().length > 0 ? "Where the map of correlations is pale, the student relates classes as its teacher does. " : "")
    + "Rows and columns are classes in the data set's order; point at a cell to read it.",
    h("div", { class: "controls" }, runPicker(runs, draw)), content);
  const kept = redraws.length;
  draw(firstOf(runs));
}

function bestPair() {
  const measured = data.runs.filter(run => run.studentNetwork != null);
  if (measured.length === 0) return null;
  return { run: measured.reduce((best, run) => data.networks[run.studentNetwork].acc1 > data.networks[best.studentNetwork].acc1 ? run : best) };
}

function figures() {
  const pair = bestPair();
  if (!pair) return;
  const [student, teacher] = [data.networks[pair.run.studentNetwork], data.networks[pair.run.teacherNetwork]];
  const figure = (value, text) => h("div", { class: "figure" }, h("b", {}, value), h("span", {}, text));
  place.page.append(h("div", { class: "figures" },
    figure(percent(student.acc1), `student ${pair.run.student} (${pair.run.method})`),
    teacher ? figure(percent(teacher.acc1), `teacher ${pair.run.teacher}`) : null,
    teacher ? figure(signed(student.acc1 - teacher.acc1, 2), "student against teacher, in points") : null,
    teacher ? figure(percent(pair.run.comparison.agreement, 1), "of images on which they agree") : null,
    teacher ? figure(number(pair.run.comparison.correlation.mean, 4), "mean difference of their logit correlations") : null));
}

// All that needs the networks' outputs.
function pictures() {
  maps();
  perClass();
  examples();
  matrices();
}
