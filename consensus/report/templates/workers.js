// ---- workers ----------------------------------------------------------------------------------------------------
const at = Object.fromEntries(data.workers.columns.map((name, i) => [name, i]));
const of = (row, name) => row[at[name]];
const COLUMNS = [
  ["worker", "worker", "text"], ["urgency", "verdict", "number"], ["n_judgments", "judgments", "number"],
  ["accuracy", "accuracy", "number", data.about.accuracy], ["gold_accuracy", "on gold", "number", data.about.gold],
  ["agreement", "agreement", "number", data.about.agreement], ["worth", "counts as", "number", data.about["counts as"]], ["reason", "why", "text"],
];
const people = { key: "urgency", down: false, text: "", verdict: "", shown: PAGE, worker: null };
const isHuman = (row) => of(row, "kind") === "human";
const urgency = (row) => (data.urgency.indexOf(of(row, "verdict")) + data.urgency.length + 1) % (data.urgency.length + 1);
const ofWorker = (row, key) => (key === "urgency" ? urgency(row) : of(row, key));

function sortedWorkers() {
  const wanted = people.text.toLowerCase();
  const rows = data.workers.rows.filter((row) =>
    (!people.verdict || of(row, "verdict") === people.verdict) && (!wanted || of(row, "worker").toLowerCase().includes(wanted)));
  const first = people.key === "urgency" ? byKey(rows, (row) => of(row, "accuracy"), { down: false }) : rows;
  return byKey(first, (row) => ofWorker(row, people.key), people);
}
function accuracy(row) {
  const [p, low, high] = ["accuracy", "accuracy_low", "accuracy_high"].map((name) => of(row, name));
  const made = cell("accuracy", { class: "number" }, p === null ? "–" : `${percent(p)} [${percent(low, 0).replace("%", "")}, ${percent(high, 0)}]`);
  if (p !== null) {
    const left = (x) => `${(100 * x).toFixed(1)}%`;
    made.append(element("span", { class: "interval", "aria-hidden": "true" },
      element("i", { style: `left:${left(low)};width:${left(high - low)}` }), element("b", { style: `left:${left(p)}` })));
  }
  return made;
}
const verdict = (name) => element("span", { class: "verdict", "data-mark": MARKS[name] ?? "", title: own(data.verdicts, name) }, words(name));

function tableOfWorkers() {
  const table = byId("worker-table"), rows = sortedWorkers();
  headed(table, COLUMNS, people, orderWorkers);
  table.tBodies[0].replaceChildren(...rows.slice(0, people.shown).map((row) => {
    const worker = of(row, "worker");
    return element("tr", { "aria-selected": worker === people.worker ? "true" : null },
      cell("worker", {}, link("worker", worker)),
      cell("verdict", {}, of(row, "kind") === "human" ? verdict(of(row, "verdict")) : of(row, "kind")),
      cell("judgments", { class: "number" }, count(of(row, "n_judgments"))), accuracy(row),
      cell("on gold", { class: "number" }, of(row, "gold_n") ? `${percent(of(row, "gold_accuracy"))} of ${count(of(row, "gold_n"))}` : "–"),
      cell("agreement", { class: "number" }, percent(of(row, "agreement"))),
      cell("counts as", { class: "number" }, number(of(row, "worth"))), cell("why", { class: "wide" }, of(row, "reason") ?? "–"));
  }));
  byId("worker-count").textContent = `${count(rows.filter(isHuman).length)} of ${count(data.workers.rows.filter(isHuman).length)} workers`;
  byId("worker-more").hidden = rows.length <= people.shown;
}
function orderWorkers(key, kind) {
  people.down = key === people.key ? !people.down : kind === "number" && key !== "urgency";
  people.key = key;
  tableOfWorkers();
  byId("worker-table").querySelector("th[aria-sort] button")?.focus();
}
function matrix(worker) {
  const codes = own(data.confusions, worker);
  if (!codes) return element("p", { class: "note" }, "The confusion matrix of this worker stands in confusions.csv.");
  if (!codes.length) return element("p", { class: "note" }, "No judgments, no confusion matrix.");
  const cells = codes.map(([t, l, ...numbers]) => [data.labels[t], data.labels[l], ...numbers]);
  const weight = new Map();
  for (const [t, l, n] of cells) for (const name of [t, l]) weight.set(name, (weight.get(name) ?? 0) + (n ?? 0));
  const kept = new Set([...weight.keys()].sort((a, b) => weight.get(b) - weight.get(a)).slice(0, MOST_IN_MATRIX));
  const names = data.labels.filter((name) => kept.has(name));
  const found = new Map(cells.map((one) => [JSON.stringify([one[0], one[1]]), one]));
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Confusion matrix" }, element("table", { class: "matrix" },
    element("caption", {}, `Confusion matrix: of items of the label on the left, how many percent get the label above; empty: no judgments${weight.size > names.length ? ` (${names.length} of ${weight.size} labels)` : ""}`),
    element("thead", {}, element("tr", {}, element("td", {}), ...names.map((name) => element("th", { scope: "col" }, name)))),
    element("tbody", {}, ...names.map((t) => element("tr", {}, element("th", { scope: "row" }, t), ...names.map((l) => {
      const one = found.get(JSON.stringify([t, l]));
      if (!one) return element("td", { title: "no judgments" }, "");
      const [, , n, p, low, high] = one;
      if (p === null) return element("td", {}, "–");
      const ink = isDark() && p < 0.67 ? "#fff" : "#000"; // enough contrast at every shade
      return element("td", { style: `background:rgba(var(--heat),${(0.9 * p).toFixed(2)});color:${ink}`, title: `${percent(p)} [${percent(low)} to ${percent(high)}], ${number(n, 1)} judgments` }, (100 * p).toFixed(0));
    }))))));
}
function evidence(worker) {
  const rows = own(data.evidence, worker);
  if (!rows || !rows.length) return null;
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Evidence" }, element("table", { class: "stacked" },
    element("caption", {}, "The judgments that weigh most against and for the worker"),
    element("thead", {}, element("tr", {}, ...["side", "item", "said", "others say", "chance to be right", "votes of the others", "gold"].map((name) => element("th", { scope: "col", class: name === "chance to be right" ? "number" : null }, name)))),
    element("tbody", {}, ...rows.map((row) => element("tr", {}, cell("side", {}, row.side), cell("item", {}, link("item", row.item)), cell("said", {}, row.label),
      cell("others say", {}, row.true_label), cell("chance to be right", { class: "number" }, chance(row.p_right)), cell("votes of the others", {}, row.others ?? "–"), cell("gold", {}, row.gold ?? "–"))))));
}
// Nothing is certain, one way or the other.
const chance = (p) => (p === null ? percent(p) : p > 0.999 ? "over 99.9%" : p < 0.001 ? "below 0.1%" : percent(p));
// Some reasons begin with the verdict, such as "careless since March": it is not said twice.
const why = (reason, name) => (reason.startsWith(`${name} `) ? reason.slice(name.length) : `: ${reason}`);
function showWorker(worker) {
  const row = data.workers.rows.find((one) => of(one, "worker") === worker), panel = byId("worker-detail");
  people.worker = worker;
  tableOfWorkers();
  if (!row) {
    opened(panel, element("h3", {}, worker), element("p", {}, "This worker is not among those that the page shows; all stand in workers.csv."));
    return;
  }
  const drift = own(data.drift, worker), human = of(row, "kind") === "human", name = of(row, "verdict");
  opened(panel, element("h3", {}, worker), element("p", {}, human ? verdict(name) : of(row, "kind"), why(of(row, "reason") ?? "", words(name))),
    human && own(data.verdicts, name) ? element("p", { class: "about" }, `${words(name)}: ${data.verdicts[name]}`) : null,
    drift ? element("p", {}, drift) : null, human ? matrix(worker) : null, evidence(worker));
}
byId("worker-search").addEventListener("input", (event) => { people.text = event.target.value; people.shown = PAGE; tableOfWorkers(); });
byId("worker-verdict").addEventListener("change", (event) => { people.verdict = event.target.value; people.shown = PAGE; tableOfWorkers(); });
byId("worker-more").addEventListener("click", () => { people.shown += 4 * PAGE; tableOfWorkers(); });
