"use strict";
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const data = read("data"), specs = read("specs");
  const MARKS = { expert: "◆", good: "●", biased: "■", careless: "▼", spammer: "✚", adversarial: "▲", too_few: "▶" };
  const PAGE = 50, MOST_MATCHES = 24, MOST_IN_MATRIX = 20;
  const byId = (id) => document.getElementById(id);

  // Every text that comes from the data becomes a text node: none of it is ever parsed as HTML.
  function element(name, given = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(given)) {
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }
  const percent = (x, digits = 1) => (x === null || x === undefined ? "–" : `${(100 * x).toFixed(digits)}%`);
  const number = (x, digits = 2) => (x === null || x === undefined ? "–" : x.toFixed(digits));
  const count = (x) => (x === null || x === undefined ? "–" : x.toLocaleString("en-US"));
  const own = (table, key) => (Object.hasOwn(table, key) ? table[key] : undefined);

  // ---- dark and light -----------------------------------------------------------------------------------------
  const root = document.documentElement, button = byId("theme");
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  try { chosen = localStorage.getItem("consensus-theme"); } catch { /* a page opened from a file may have no storage */ }
  const isDark = () => (chosen ? chosen === "dark" : prefersDark.matches);

  function dress() {
    if (chosen) root.dataset.theme = chosen;
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-pressed", String(isDark()));
    drawAll();
  }
  button.addEventListener("click", () => {
    chosen = isDark() ? "light" : "dark";
    try { localStorage.setItem("consensus-theme", chosen); } catch { /* then it lasts as long as the page */ }
    dress();
  });
  prefersDark.addEventListener("change", dress);

  // ---- charts ---------------------------------------------------------------------------------------------------
  const views = new Map();
  function config() {
    const style = getComputedStyle(root), of = (name) => style.getPropertyValue(name).trim();
    const text = { labelColor: of("--ink"), titleColor: of("--ink"), titleFontWeight: "normal", titleFontSize: 12, labelFontSize: 11, labelLimit: 150 };
    return {
      background: "transparent", font: "system-ui, sans-serif", view: { stroke: null },
      axis: { ...text, gridColor: of("--line"), domainColor: of("--soft"), tickColor: of("--soft") },
      legend: { ...text, orient: "bottom", columns: 4 }, text: { color: of("--ink") }, mark: { tooltip: true },
    };
  }
  async function draw(id) {
    views.get(id)?.finalize();
    const spec = { ...specs[id], width: "container", autosize: { type: "fit-x", contains: "padding" }, config: config() };
    const made = await vegaEmbed(`#chart-${id}`, spec, { actions: false, renderer: "svg", ast: true });
    views.set(id, made);
    if (id === "workers") made.view.addEventListener("click", (_, item) => item?.datum?.worker && showWorker(item.datum.worker));
  }
  async function drawAll() {
    for (const id of Object.keys(specs)) await draw(id);
    root.dataset.drawn = "yes";
  }

  // ---- workers --------------------------------------------------------------------------------------------------
  const at = Object.fromEntries(data.workers.columns.map((name, i) => [name, i]));
  const of = (row, name) => row[at[name]];
  const COLUMNS = [
    ["worker", "worker", "text"], ["verdict", "verdict", "text"], ["n_judgments", "judgments", "number"], ["accuracy", "accuracy", "number"],
    ["gold_accuracy", "on gold", "number"], ["agreement", "agreement", "number"], ["informativeness", "bits", "number"], ["worth", "worth", "number"], ["reason", "why", "text"],
  ];
  const state = { key: "n_judgments", down: true, text: "", verdict: "", shown: PAGE, worker: null };

  function sorted() {
    const wanted = state.text.toLowerCase();
    const rows = data.workers.rows.filter((row) =>
      (!state.verdict || of(row, "verdict") === state.verdict) && (!wanted || of(row, "worker").toLowerCase().includes(wanted)));
    const sign = state.down ? -1 : 1;
    return rows.sort((a, b) => {
      const x = of(a, state.key), y = of(b, state.key);
      if (x === null || y === null) return (x === null) - (y === null);
      return sign * (typeof x === "number" ? x - y : x.localeCompare(y, "en", { numeric: true }));
    });
  }
  function accuracy(row) {
    const [p, low, high] = ["accuracy", "accuracy_low", "accuracy_high"].map((name) => of(row, name));
    const cell = element("td", { class: "number" }, p === null ? "–" : `${percent(p)} [${percent(low, 0).replace("%", "")}, ${percent(high, 0)}]`);
    if (p !== null) {
      const left = (x) => `${(100 * x).toFixed(1)}%`;
      cell.append(element("span", { class: "interval", "aria-hidden": "true" },
        element("i", { style: `left:${left(low)};width:${left(high - low)}` }), element("b", { style: `left:${left(p)}` })));
    }
    return cell;
  }
  const verdict = (name) => element("span", { class: "verdict", "data-mark": MARKS[name] ?? "" }, name === null ? "–" : name.replace("_", " "));

  function tableOfWorkers() {
    const table = byId("worker-table"), rows = sorted();
    table.tHead.replaceChildren(element("tr", {}, ...COLUMNS.map(([key, title, kind]) =>
      element("th", { scope: "col", class: kind === "number" ? "number" : null, "aria-sort": key === state.key ? (state.down ? "descending" : "ascending") : null },
        element("button", { type: "button", onclick: () => order(key, kind) }, title + (key === state.key ? (state.down ? " ↓" : " ↑") : ""))))));
    table.tBodies[0].replaceChildren(...rows.slice(0, state.shown).map((row) => {
      const worker = of(row, "worker");
      return element("tr", { "aria-selected": worker === state.worker ? "true" : null },
        element("td", {}, element("button", { type: "button", onclick: () => showWorker(worker) }, worker)),
        element("td", {}, of(row, "kind") === "human" ? verdict(of(row, "verdict")) : of(row, "kind")),
        element("td", { class: "number" }, count(of(row, "n_judgments"))), accuracy(row),
        element("td", { class: "number" }, of(row, "gold_n") ? `${percent(of(row, "gold_accuracy"))} of ${count(of(row, "gold_n"))}` : "–"),
        element("td", { class: "number" }, percent(of(row, "agreement"))), element("td", { class: "number" }, number(of(row, "informativeness"))),
        element("td", { class: "number" }, number(of(row, "worth"))), element("td", { class: "wide" }, of(row, "reason") ?? "–"));
    }));
    byId("worker-count").textContent = `${count(rows.length)} of ${count(data.workers.rows.length)} workers`;
    byId("worker-more").hidden = rows.length <= state.shown;
  }
  function order(key, kind) {
    state.down = key === state.key ? !state.down : kind === "number";
    state.key = key;
    tableOfWorkers();
    byId("worker-table").querySelector(`th[aria-sort] button`)?.focus();
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
    const found = new Map(cells.map((cell) => [JSON.stringify([cell[0], cell[1]]), cell]));
    return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Confusion matrix" }, element("table", { class: "matrix" },
      element("caption", {}, `Confusion matrix: of items of the label on the left, how many percent get the label above; empty: no judgments${weight.size > names.length ? ` (${names.length} of ${weight.size} labels)` : ""}`),
      element("thead", {}, element("tr", {}, element("td", {}), ...names.map((name) => element("th", { scope: "col" }, name)))),
      element("tbody", {}, ...names.map((t) => element("tr", {}, element("th", { scope: "row" }, t), ...names.map((l) => {
        const cell = found.get(JSON.stringify([t, l]));
        if (!cell) return element("td", { title: "no judgments" }, "");
        const [, , n, p, low, high] = cell;
        if (p === null) return element("td", {}, "–");
        const ink = isDark() && p < 0.67 ? "#fff" : "#000"; // enough contrast at every shade
        return element("td", { style: `background:rgba(var(--heat),${(0.9 * p).toFixed(2)});color:${ink}`, title: `${percent(p)} [${percent(low)} to ${percent(high)}], ${number(n, 1)} judgments` }, (100 * p).toFixed(0));
      }))))));
  }
  function evidence(worker) {
    const rows = own(data.evidence, worker);
    if (!rows || !rows.length) return null;
    return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Evidence" }, element("table", {},
      element("caption", {}, "The judgments that weigh most against and for the worker"),
      element("thead", {}, element("tr", {}, ...["side", "item", "said", "others say", "P(right)", "votes of the others", "gold"].map((name) => element("th", { scope: "col", class: name === "P(right)" ? "number" : null }, name)))),
      element("tbody", {}, ...rows.map((row) => element("tr", {}, element("td", {}, row.side), element("td", {}, row.item), element("td", {}, row.label),
        element("td", {}, row.true_label), element("td", { class: "number" }, percent(row.p_right, 2)), element("td", {}, row.others ?? ""), element("td", {}, row.gold ?? ""))))));
  }
  function showWorker(worker) {
    state.worker = worker;
    const row = data.workers.rows.find((one) => of(one, "worker") === worker), panel = byId("worker-detail");
    tableOfWorkers();
    if (!row) return;
    const drift = own(data.drift, worker);
    panel.replaceChildren(...[element("h3", {}, worker), element("p", {}, of(row, "kind") === "human" ? verdict(of(row, "verdict")) : of(row, "kind"), `: ${of(row, "reason") ?? ""}`),
      drift ? element("p", {}, drift) : null, of(row, "kind") === "human" ? matrix(worker) : null, evidence(worker)].filter(Boolean));
    panel.hidden = false;
    panel.focus({ preventScroll: true });
    panel.scrollIntoView({ block: "nearest" });
  }
  byId("worker-search").addEventListener("input", (event) => { state.text = event.target.value; state.shown = PAGE; tableOfWorkers(); });
  byId("worker-verdict").addEventListener("change", (event) => { state.verdict = event.target.value; state.shown = PAGE; tableOfWorkers(); });
  byId("worker-more").addEventListener("click", () => { state.shown += 4 * PAGE; tableOfWorkers(); });

  // ---- items ----------------------------------------------------------------------------------------------------
  function matches() {
    const wanted = byId("item-search").value.toLowerCase();
    const found = wanted ? data.items.filter((item) => item.id.toLowerCase().includes(wanted)) : data.items;
    found.sort((a, b) => (b.id.toLowerCase() === wanted) - (a.id.toLowerCase() === wanted));
    byId("item-count").textContent = `${count(found.length)} of ${count(data.items.length)} items${found.length > MOST_MATCHES ? `, the first ${MOST_MATCHES}` : ""}`;
    byId("item-matches").replaceChildren(...found.slice(0, MOST_MATCHES).map((item) =>
      element("li", {}, element("button", { type: "button", title: item.id, onclick: () => showItem(item) }, item.id))));
    return found;
  }
  function bar(push, most) {
    const side = push < 0 ? "against" : "for";
    return element("div", { class: "push", "aria-hidden": "true" }, element("span", { class: side, style: `width:${(100 * Math.abs(push) / most).toFixed(1)}%` }));
  }
  function showItem(item) {
    const parts = [["everyone", "how common the labels are", item.prior, null], ...item.models.map(([who, said, push, flips]) => [`model ${who}`, said, push, flips]), ...item.readings, ...item.calibration, ...item.votes];
    const most = Math.max(...parts.map(([, , push]) => Math.abs(push ?? 0)), 1e-9);
    const rows = parts.map(([who, said, push, flips]) => element("tr", {}, element("td", {}, who), element("td", {}, said), element("td", { class: "number" }, number(push)),
      element("td", {}, bar(push ?? 0, most)), element("td", {}, flips ? `then ${flips} wins` : "")));
    const panel = byId("item-detail");
    panel.replaceChildren(element("h3", {}, item.id),
      element("p", {}, item.gold !== null ? `Gold: ${item.gold}. Without it the judgments would say ${item.label}` : `Label ${item.label ?? "left open (a tie)"}`,
        item.runner_up === null ? "." : `, before ${item.runner_up}.`, item.confidence === null ? "" : ` Confidence ${percent(item.confidence, 2)}.`, ` Status: ${item.status}.`),
      element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Judgments of the item" }, element("table", {},
        element("caption", {}, `What pushes towards ${item.label} (right) or ${item.runner_up ?? "others"} (left), in nats; together ${number(item.log_odds)}`),
        element("thead", {}, element("tr", {}, ...["who", "said", "push", "against or for", "if it were not there"].map((name) => element("th", { scope: "col", class: name === "push" ? "number" : null }, name)))),
        element("tbody", {}, ...rows))));
    panel.hidden = false;
    panel.focus({ preventScroll: true });
  }
  byId("item-search").addEventListener("input", () => { const found = matches(); if (found.length === 1) showItemQuietly(found[0]); });
  function showItemQuietly(item) {
    showItem(item);
    byId("item-search").focus({ preventScroll: true });
  }

  tableOfWorkers();
  matches();
  dress();
})();
