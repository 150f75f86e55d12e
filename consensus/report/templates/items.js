// ---- items ------------------------------------------------------------------------------------------------------
const OF_ITEMS = [["id", "item", "text"], ["label", "label", "text"], ["confidence", "confidence", "number", data.about.confidence], ["status", "status", "text"], ["n", "judgments", "number"], ["runner_up", "or", "text"]];
const items = { key: null, down: false, text: "", status: "", label: "", shown: PAGE / 2 };
for (const item of data.items) item.n = item.votes.length;

function foundItems() {
  const wanted = items.text.toLowerCase();
  const rows = data.items.filter((item) => (!wanted || item.id.toLowerCase().includes(wanted)) && (!items.status || item.status === items.status) && (!items.label || item.label === items.label));
  if (items.key) return byKey(rows, (item) => item[items.key], items);
  return rows.sort((a, b) => (b.id.toLowerCase() === wanted) - (a.id.toLowerCase() === wanted));
}
function tableOfItems() {
  const table = byId("item-table"), rows = foundItems();
  headed(table, OF_ITEMS, items, orderItems);
  table.tBodies[0].replaceChildren(...rows.slice(0, items.shown).map((item) => element("tr", {},
    cell("item", {}, link("item", item.id)), cell("label", {}, item.label ?? "–"), cell("confidence", { class: "number" }, percent(item.confidence)),
    cell("status", { title: own(data.statuses, item.status) }, words(item.status)), cell("judgments", { class: "number" }, count(item.n)), cell("or", {}, item.runner_up ?? "–"))));
  byId("item-count").textContent = `${count(rows.length)} of ${count(data.items.length)} items`;
  byId("item-more").hidden = rows.length <= items.shown;
  return rows;
}
function orderItems(key, kind) {
  items.down = key === items.key ? !items.down : kind === "number" && key !== "confidence";
  items.key = key;
  tableOfItems();
  byId("item-table").querySelector("th[aria-sort] button")?.focus();
}
function bar(weight, most) {
  const side = weight < 0 ? "against" : "for";
  return element("div", { class: "weight", "aria-hidden": "true" }, element("span", { class: side, style: `width:${(100 * Math.abs(weight) / most).toFixed(1)}%` }));
}
function times(weight) {
  if (weight === null || weight === undefined) return "–";
  const factor = Math.exp(Math.abs(weight));
  return `× ${factor < 100 ? factor.toPrecision(2) : count(Math.round(Math.min(factor, 1e9)))} ${weight < 0 ? "against" : "for"}`;
}
function elsewhere(id) {
  return data.item_url ? element("p", {}, element("a", { href: data.item_url.replaceAll("{item}", encodeURIComponent(id)), rel: "noopener noreferrer", target: "_blank" }, "Open this item where people judge it")) : null;
}
function showItem(id) {
  const item = data.items.find((one) => one.id === id), panel = byId("item-detail");
  if (!item) {
    opened(panel, element("h3", {}, id), element("p", {}, "This item is not among those that the page shows. Its label stands in labels.csv, and consensus explain tells why it has it."), elsewhere(id));
    return;
  }
  const named = (of) => ([who, ...rest]) => [of(who), ...rest]; // ids stay as they are, and only people are linked
  const parts = [["everyone", "how common the labels are", item.prior, null], ...item.models.map(named((who) => `model ${who}`)),
    ...item.readings.map(named(words)), ...item.calibration.map(named(words)), ...item.votes.map(named((who) => link("worker", who)))];
  const most = Math.max(...parts.map(([, , weight]) => Math.abs(weight ?? 0)), 1e-9), second = item.runner_up ?? "others";
  const rows = parts.map(([who, said, weight, flips]) => element("tr", {}, cell("who", {}, who), cell("said", {}, said), cell("weight", { class: "number" }, times(weight)),
    cell("against or for", {}, bar(weight ?? 0, most)), cell("if it were not there", {}, flips ? `then ${flips} wins` : "–")));
  opened(panel, element("h3", {}, item.id),
    element("p", {}, item.gold !== null ? `Gold: ${item.gold}. Without it the judgments would say ${item.label}` : `Label ${item.label ?? "left open (a tie)"}`,
      item.runner_up === null ? "." : `, before ${item.runner_up}.`, item.confidence === null ? "" : ` Confidence ${percent(item.confidence, 2)}.`, ` Status: ${words(item.status)}.`),
    elsewhere(item.id),
    element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Judgments of the item" }, element("table", { class: "stacked" },
      element("caption", {}, `By how much each makes ${item.label} likelier than ${second} (for), or less likely (against): × 2 doubles the odds. Together ${times(item.log_odds)}`),
      element("thead", {}, element("tr", {}, ...["who", "said", "weight", "against or for", "if it were not there"].map((name) => element("th", { scope: "col", class: name === "weight" ? "number" : null }, name)))),
      element("tbody", {}, ...rows))));
}
byId("item-search").addEventListener("input", (event) => { items.text = event.target.value; items.shown = PAGE / 2; tableOfItems(); });
byId("item-status").addEventListener("change", (event) => { items.status = event.target.value; items.shown = PAGE / 2; tableOfItems(); });
byId("item-label").addEventListener("change", (event) => { items.label = event.target.value; items.shown = PAGE / 2; tableOfItems(); });
byId("item-more").addEventListener("click", () => { items.shown += 4 * PAGE; tableOfItems(); });

tableOfWorkers();
tableOfItems();
dress();
