// The page without its tables: theme, charts, links. Wrapped in one function with workers.js, items.js and a start.
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const data = read("data"), specs = read("specs");
const MARKS = { expert: "◆", good: "●", biased: "■", careless: "▼", weak: "◀", spammer: "✚", adversarial: "▲", too_few: "▶" };
const PAGE = 50, MOST_IN_MATRIX = 20;
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
  const made = await vegaEmbed(`#chart-${id}`, spec, { actions: false, renderer: "svg", ast: true, defaultStyle: false, tooltip: { disableDefaultStyle: true } });
  views.set(id, made);
  if (id === "workers") made.view.addEventListener("click", (_, item) => item?.datum?.worker && go("worker", item.datum.worker));
}
async function drawAll() {
  for (const id of Object.keys(specs)) {
    try { await draw(id); } catch { // the rest of the page stays
      byId(`chart-${id}`).replaceChildren("This chart can't be drawn. Its numbers stand in the tables.");
    }
  }
  if (!root.dataset.drawn) follow(); // only now nothing moves any more
  root.dataset.drawn ??= String(Math.round(performance.now())); // milliseconds from the start of the page
}

// ---- links: every worker and item has an address that can be sent -----------------------------------------------
const address = (kind, id) => `#${kind}=${encodeURIComponent(id)}`;
const link = (kind, id, text = id) => element("a", { href: address(kind, id), class: text.length <= 20 ? "short" : null }, text);
function go(kind, id) {
  if (location.hash === address(kind, id)) follow();
  else location.hash = address(kind, id);
}
function follow() {
  const [, kind, id] = /^#(worker|item)=(.*)$/s.exec(location.hash) ?? [];
  let name = id;
  try { name = decodeURIComponent(id ?? ""); } catch { /* a broken address names what it says */ }
  if (kind === "worker") showWorker(name);
  if (kind === "item") showItem(name);
}
window.addEventListener("hashchange", follow);
function opened(panel, ...children) {
  panel.replaceChildren(...children.filter(Boolean));
  panel.hidden = false;
  panel.focus({ preventScroll: true });
  panel.scrollIntoView({ block: "start" });
}
const cell = (title, given, ...children) => element("td", { "data-title": title, ...given }, ...children);
const words = (name) => (name === null || name === undefined ? "–" : own(data.words, name) ?? name.replaceAll("_", " "));
function headed(table, columns, state, order) {
  table.tHead.replaceChildren(element("tr", {}, ...columns.map(([key, title, kind, about]) =>
    element("th", { scope: "col", class: kind === "number" ? "number" : null, title: about, "aria-sort": key === state.key ? (state.down ? "descending" : "ascending") : null },
      element("button", { type: "button", onclick: () => order(key, kind) }, title + (key === state.key ? (state.down ? " ↓" : " ↑") : ""))))));
}
function byKey(rows, value, state) {
  const sign = state.down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const x = value(a), y = value(b);
    if (x === null || y === null) return (x === null) - (y === null);
    return sign * (typeof x === "number" ? x - y : x.localeCompare(y, "en", { numeric: true }));
  });
}
