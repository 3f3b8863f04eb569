// The report's only script: theme, search, sorting, folded notes, enlarged figures, traces and the explorer.
// Pages are opened from disk, where fetch() is not allowed: data are scripts that enter themselves into DATA.
"use strict";
window.DATA = {};
const base = document.documentElement.dataset.base;
const all = (selector, from = document) => [...from.querySelectorAll(selector)];
const one = (selector, from = document) => from.querySelector(selector);

// An element with attributes and children; text is never read as HTML.
function make(name, attributes = {}, ...children) {
  const element = name === "svg" || make.drawing ? document.createElementNS("http://www.w3.org/2000/svg", name)
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
}
const drawn = (name, attributes, ...children) => {
  make.drawing = true;
  try { return make(name, attributes, ...children); } finally { make.drawing = false; }
};

// The data of a name, loaded once; they are compressed JSON in base64.
const loaded = {};
async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).json();
}
function load(name) {
  return loaded[name] ??= new Promise((found, failed) => {
    const script = make("script", { src: `${base}${name === "search" ? "assets/search" : name}.js` });
    script.onload = () => unpack(DATA[name]).then(found, failed);
    script.onerror = () => failed(new Error(`${name} is not in this folder`));
    document.head.append(script);
  });
}

function digits(value) {
  if (value === null || value === undefined) return "none";
  return typeof value === "number" ? String(value).replace("-", "\u2212") : String(value);
}
const short = (value, places = 4) => value === null ? "none" : value.toFixed(places).replace("-", "\u2212");

// Theme: the system's until a reader chooses; a browser that stores nothing still switches.
function theme() {
  const button = one("#theme"), root = document.documentElement;
  const stored = { get: () => { try { return localStorage.getItem("theme"); } catch { return null; } },
                   set: value => { try { localStorage.setItem("theme", value); } catch { /* not stored */ } } };
  const dark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const show = () => { button.textContent = dark() ? "Light mode" : "Dark mode";
                       button.setAttribute("aria-label", `Switch to ${dark() ? "light" : "dark"} colors`); };
  if (stored.get()) root.dataset.theme = stored.get();
  button.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; stored.set(root.dataset.theme); show(); });
  show();
}

// Search: every word has to occur; tables and figures come before variables and specifications.
function search() {
  const field = one("#search"), panel = one("#found"), status = one("p", panel), list = one("ul", panel);
  const close = () => { panel.hidden = true; };
  const show = entries => {
    // Without their endings, so that "study" finds "studies".
    const words = field.value.toLowerCase().split(/\s+/).map(word => word.replace(/(ies|y|s)$/, "") || word).filter(Boolean);
    list.replaceChildren();
    panel.hidden = !words.length;
    if (!words.length) return;
    const hits = entries.filter(([kind, text]) => words.every(word => `${kind} ${text} ${text.replaceAll("_", " ")}`.toLowerCase().includes(word)))
      .sort((a, b) => (a[0] === "Specification") - (b[0] === "Specification"));
    status.textContent = `${hits.length} found${hits.length > 40 ? "; the first 40 are shown" : ""}`;
    for (const [kind, text, place] of hits.slice(0, 40)) {
      const study = place.split("/")[0].replaceAll("_", " ");
      list.append(make("li", {}, make("a", { href: base + place }, text), " ", make("small", {}, `${kind}, ${study}`)));
    }
  };
  field.addEventListener("input", () => load("search").then(show));
  document.addEventListener("keydown", event => {
    if (event.key === "Escape" && !panel.hidden) { close(); field.focus(); }
    if (event.key === "/" && !/INPUT|SELECT|TEXTAREA/.test(event.target.tagName)) { event.preventDefault(); field.focus(); }
  });
  list.addEventListener("click", close);
  field.form.addEventListener("submit", event => { event.preventDefault(); one("a", list)?.click(); });
}

// Sorting: within each block of rows, by number where the first line is one; a third click restores the order.
const first = cell => (cell.innerText || cell.textContent).trim().split("\n")[0];
function order(text) {
  const number = parseFloat(text.replace("\u2212", "-").replace(/[,%$(\[]/g, ""));
  return Number.isNaN(number) ? text.toLowerCase() : number;
}
function compare(a, b) {
  return typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? -1 : 1;
}
function sortable(table) {
  const bodies = [...table.tBodies].map(body => [...body.rows].filter(row => !one("th[scope=rowgroup]", row)));
  const heads = [...(table.tHead?.rows[table.tHead.rows.length - 1]?.cells || [])];
  heads.forEach((head, place) => {
    if (head.tagName !== "TH" || head.colSpan > 1 || heads.slice(0, place).some(cell => cell.colSpan > 1)) return;
    const words = head.textContent.trim();
    const button = make("button", { type: "button", class: "sort" }, words || make("span", { class: "unseen" }, "Rows"));
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const next = { none: "ascending", ascending: "descending", descending: "none" }[head.getAttribute("aria-sort") || "none"];
      heads.forEach(other => other.removeAttribute("aria-sort"));
      if (next !== "none") head.setAttribute("aria-sort", next);
      for (const rows of bodies) {
        const keyed = rows.map(row => [order(first(row.cells[place])), row]);
        if (next !== "none") keyed.sort((a, b) => compare(a[0], b[0]) * (next === "ascending" ? 1 : -1));
        keyed.forEach(([, row]) => row.parentNode.append(row));
      }
    });
  });
}

// Notes: three lines, the rest on request. What is cut is whole words.
function fold(notes) {
  const paragraphs = all(":scope > p", notes);
  if (!paragraphs.length) return;
  const whole = make("div", { class: "whole" }, ...paragraphs.flatMap(paragraph => [paragraph, " "]));
  const start = make("div", { class: "start", "aria-hidden": "true" });
  const box = make("div", { class: "fold folded" }, start, whole);
  notes.prepend(box);
  const words = whole.textContent.trim().split(/\s+/);
  const fits = count => {
    start.textContent = words.slice(0, count).join(" ") + (count < words.length ? " \u2026" : "");
    return start.scrollHeight <= 3.2 * parseFloat(getComputedStyle(start).lineHeight);
  };
  if (fits(words.length)) { box.classList.remove("folded"); return; }
  let few = 0, many = words.length;
  while (many - few > 1) { const middle = (few + many) >> 1; if (fits(middle)) few = middle; else many = middle; }
  fits(few);
  const button = make("button", { type: "button", class: "more", "aria-expanded": "false" }, "Whole note");
  button.addEventListener("click", () => {
    const open = !box.classList.toggle("folded");
    button.setAttribute("aria-expanded", open);
    button.textContent = open ? "Three lines" : "Whole note";
  });
  box.after(button);
}

function dialog(id, title, ...body) {
  one(`#${id}`)?.remove();
  const close = make("button", { type: "button" }, "Close");
  const box = make("dialog", { id, "aria-labelledby": `${id}-title` },
    make("header", {}, make("h2", { id: `${id}-title` }, title), close), ...body);
  const before = document.activeElement;
  close.addEventListener("click", () => box.close());
  box.addEventListener("click", event => { if (event.target === box) box.close(); });
  box.addEventListener("close", () => { box.remove(); before?.focus(); });
  document.body.append(box);
  box.showModal();
  return box;
}

function enlarge(link) {
  const image = one("img", link), copy = make("img", { src: image.getAttribute("src"), alt: image.alt });
  const scale = make("input", { type: "range", min: 50, max: 400, value: 150, "aria-label": "Size in percent" });
  const size = () => { copy.style.width = `${scale.value * 8}px`; };
  scale.addEventListener("input", size);
  size();
  const title = one("figcaption", link.closest("figure")).textContent;
  dialog("enlarged", title, make("p", { class: "files", style: "padding: .5rem 1rem 0" }, "Size ", scale),
    make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Enlarged figure" }, copy));
}

// Traces: each number of a table is a button; arrows move between them, so that a table is one stop of the tab key.
function traced(section) {
  const rows = all("tbody tr", section).filter(row => !one("th[scope=rowgroup]", row));
  rows.forEach((row, down) => all("td", row).forEach((cell, across) => {
    if (!/\d/.test(cell.textContent)) return;
    const button = make("button", { type: "button", class: "cell", tabindex: -1, "aria-haspopup": "dialog" });
    button.append(...cell.childNodes);
    cell.append(button);
    button.addEventListener("click", () => load(section.dataset.trace).then(trace => {
      const line = trace.rows[down], column = trace.columns[across];
      show(trace, line, column, trace.cells[`${line.key}|${column.key}`]);
    }));
  }));
  const start = one("button.cell", section);
  if (start) start.tabIndex = 0;
  one("table", section).addEventListener("keydown", event => {
    const [down, across] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] || [0, 0];
    const cell = event.target.closest("td");
    if (!cell || !(down || across) || !event.target.matches("button.cell")) return;
    event.preventDefault();
    const lines = all("tbody tr", section);
    let row = lines.indexOf(cell.parentNode), column = cell.cellIndex, next = null;
    do { row += down; column += across; next = lines[row]?.cells[column]; } while (next && !one("button.cell", next));
    const target = next && one("button.cell", next);
    if (!target) return;
    event.target.tabIndex = -1;
    target.tabIndex = 0;
    target.focus();
  });
}

function points(figure) {
  const list = make("ul"), box = make("details", { class: "points" }, make("summary", {}, "Where the plotted numbers come from"), list);
  one("details", figure).after(box);
  box.addEventListener("toggle", () => load(figure.dataset.trace).then(trace => {
    if (list.children.length) return;
    trace.rows.forEach(row => {
      const cell = trace.cells[`${row.key}|point`];
      const button = make("button", { type: "button", class: "cell", "aria-haspopup": "dialog" },
        `${[row.heading, row.label].filter(Boolean).join(", ")}: ${digits(cell.value)}`);
      button.addEventListener("click", () => show(trace, row, null, cell));
      list.append(make("li", {}, button));
    });
  }));
}

const list = items => make("ul", {}, ...items.map(item => make("li", {}, item)));
const code = text => make("code", {}, text);
const proof = about => about.sha256 ? ` SHA-256 ${about.sha256}` : about.git_blob ? ` git blob ${about.git_blob}` : "";
const grouped = value => typeof value === "number" ? value.toLocaleString("en-US") : digits(value);
// A rule of the sample flow: its words, then what it was before and after.
function counts(row) {
  const before = Object.keys(row).filter(key => key.endsWith("_before")).map(key => key.slice(0, -7));
  const others = Object.keys(row).filter(key => !/_(before|after)$/.test(key) && !["step", "rule"].includes(key));
  return [row.rule, ...before.map(key => `${key} ${grouped(row[`${key}_before`])} to ${grouped(row[`${key}_after`])}`),
    ...others.map(key => `${key.replaceAll("_", " ")} ${grouped(row[key])}`)].filter(Boolean).join("; ");
}

function show(trace, row, column, cell) {
  const shared = trace.shared, spec = shared.specifications[cell.specification], analysis = shared.analyses[cell.analysis];
  const facts = [];
  const say = (term, ...words) => { if (words.some(word => word)) facts.push(make("dt", {}, term), make("dd", {}, ...words)); };
  say("Printed", (cell.printed || []).join(" "));
  say("Value", `${digits(cell.value)} (${cell.quantity || cell.origin})`);
  if ("std_error" in cell) say("Standard error", digits(cell.std_error));
  if (cell.interval) say("Interval", `${digits(cell.interval[0])} to ${digits(cell.interval[1])}`);
  if (cell.second_engine) say("Independent software", `${digits(cell.second_engine.value)} (difference ${digits(cell.second_engine.difference)})`);
  if (cell.expected) say("Committed value", `${digits(cell.expected.value)} in ${cell.expected.file}: ${cell.expected.equal ? "equal" : "NOT EQUAL"}`);
  if (cell.published) say("Published", ["publication", "place", "source", "note"].map(key => cell.published[key]).filter(Boolean).join(", "));
  if (cell.file) say("File", code(cell.file), cell.line ? `, line ${cell.line}` : "", proof(shared.files[cell.file] || {}));
  if (spec) {
    say("Specification", make("a", { href: `explorer.html#${cell.specification}` }, cell.specification), `, row ${cell.row || "att"}, in `, code(spec.file));
    say("Estimator", spec.estimator);
    say("Outcome", [spec.outcome.label, spec.outcome.unit].filter(Boolean).join(", "));
    say("Equation", spec.equation);
    const sample = spec.sample;
    say("Sample", `${grouped(sample.observations)} observations, ${grouped(sample.units)} units, ${grouped(sample.clusters)} clusters`
      + (sample.clustered_by ? ` (clustered by ${sample.clustered_by})` : ""));
    if (sample.dropped?.length) say("Noted", list(sample.dropped));
  }
  if (analysis) say("Analysis", `${cell.analysis}: ${analysis.kind}. ${analysis.summary}`);
  const panels = spec ? [spec.panel] : analysis ? analysis.panels : [];
  for (const name of panels) say("Panel", code(shared.panels[name].file), proof(shared.panels[name]));
  const recipes = panels.length ? panels.map(name => shared.panels[name].recipe) : Object.keys(shared.recipes);
  for (const name of new Set(recipes)) {
    const recipe = shared.recipes[name];
    if (!recipe) continue;
    say("Cleaned by", code(recipe.file), " ", code(recipe.command));
    if (recipe.flow.length) say("Sample flow", list(recipe.flow.map(counts)));
    if (recipe.raw.length) say("Raw files", list(recipe.raw.map(raw => { const about = shared.raw[raw];
      return `${about.file}${proof(about)}. ${about.citation}`; })));
  }
  const about = shared.code[(spec || analysis || {}).code];
  if (about) say("Code", `${about.module}, digest ${about.digest}, ${about.package}`);
  const command = (spec || analysis || {}).command;
  if (command) say("Command", code(command));
  const place = [row.heading, row.label, column?.heading, column?.label].filter(Boolean).join(", ");
  dialog("trace", `${trace.title}: ${place}`, make("dl", {}, ...facts));
}

// The explorer. A specification is [id, codes of its choices, estimate, standard error, low, high, observations, clusters, path].
const ID = 0, CODES = 1, ESTIMATE = 2, ERROR = 3, LOW = 4, HIGH = 5, COUNT = 6, CLUSTERS = 7, PATH = 8;
function explorer(form, data) {
  const numbered = data.specs.filter(spec => spec[ESTIMATE] !== null);
  let chosen = data.specs.find(spec => spec[ID] === decodeURIComponent(location.hash.slice(1))) || data.specs[data.start];
  const agree = (a, b) => a[CODES].reduce((sum, value, place) => sum + (value === b[CODES][place] ? 1 + 1 / (place + 2) : 0), 0);
  const selects = data.choices.map((choice, place) => {
    const select = make("select", { id: `choice-${place}` }, ...choice.values.map((value, code) => make("option", { value: code }, value)));
    select.addEventListener("change", () => choose(nearest(place, +select.value), place));
    return select;
  });
  const variant = make("select", { id: "variant" });
  const variants = make("div", { class: "wide" }, make("label", { for: "variant" }, "Variant with the same choices"), variant);
  variant.addEventListener("change", () => choose(data.specs.find(spec => spec[ID] === variant.value)));
  const status = make("p", { role: "status", class: "aside" }), number = make("p", { class: "number" }), detail = make("p", { class: "aside" });
  const curve = make("div"), path = make("div");
  const range = make("input", { type: "range", min: 1, step: 1, "aria-label": "Position in the specification curve" });
  range.addEventListener("input", () => choose(ranked()[range.value - 1]));
  form.append(make("fieldset", {}, make("legend", { class: "unseen" }, "Specification"),
    ...data.choices.map((choice, place) => make("div", {}, make("label", { for: `choice-${place}` }, choice.label), selects[place])),
    variants), status, number, detail,
    make("h2", {}, "Position in the specification curve"), curve, range, make("h2", {}, "Event study"), path);
  form.addEventListener("submit", event => event.preventDefault());

  const nearest = (place, code) => data.specs.filter(spec => spec[CODES][place] === code)
    .reduce((best, spec) => agree(spec, chosen) > agree(best, chosen) ? spec : best);
  const ranked = () => numbered.filter(spec => spec[CODES][0] === chosen[CODES][0]).sort((a, b) => a[ESTIMATE] - b[ESTIMATE]);
  const words = spec => spec[CODES].map((code, place) => data.choices[place].values[code]);

  function choose(spec, place = null) {
    const before = chosen;
    chosen = spec;
    const changed = data.choices.filter((_, other) => place !== null && other !== place && before[CODES][other] !== spec[CODES][other]);
    status.textContent = changed.length ? `That combination was not estimated. Changed with it: ${changed.map(choice =>
      `${choice.label.toLowerCase()} to "${words(spec)[data.choices.indexOf(choice)]}"`).join("; ")}.` : "";
    draw();
    history.replaceState(null, "", `#${encodeURIComponent(spec[ID])}`);
  }
  function draw() {
    selects.forEach((select, place) => { select.value = chosen[CODES][place]; });
    const alike = data.specs.filter(spec => spec[CODES].every((code, place) => code === chosen[CODES][place]));
    variant.replaceChildren(...alike.map((spec, place) => make("option", { value: spec[ID] }, `${place + 1} of ${alike.length}, named below`)));
    variants.hidden = alike.length < 2;
    variant.value = chosen[ID];
    const unit = data.units[chosen[CODES][0]];
    number.textContent = chosen[ESTIMATE] === null ? "No overall effect" : `${short(chosen[ESTIMATE])} (${short(chosen[ERROR])})`;
    detail.textContent = `${chosen[LOW] === null ? "" : `Confidence interval ${short(chosen[LOW])} to ${short(chosen[HIGH])}. `}`
      + `${unit ? `Unit of the outcome: ${unit}. ` : ""}${chosen[COUNT]?.toLocaleString("en-US")} observations, ${chosen[CLUSTERS]} clusters. Specification ${chosen[ID]}.`;
    const order = ranked(), rank = order.indexOf(chosen);
    range.max = order.length;
    range.disabled = rank < 0;
    range.value = rank + 1;
    const below = order.filter(spec => spec[HIGH] < 0).length, above = order.filter(spec => spec[LOW] > 0).length;
    const place = rank < 0 ? "It has no overall effect and so no position in the curve." : `Rank ${rank + 1} of ${order.length}, from the smallest estimate.`;
    range.setAttribute("aria-valuetext", place);
    curve.replaceChildren(chart(order.map((spec, index) => [index, spec[ESTIMATE], spec[LOW], spec[HIGH], spec === chosen ? "chosen" : ""]),
      `Specification curve. ${place}`, label(unit), "Specifications of this outcome, ordered by estimate"),
      make("p", { class: "aside" }, `${place} ${words(chosen)[0]}: ${below} intervals lie below zero, ${above} above it. Arrows: intervals that extend beyond the axis.`));
    events();
  }
  // A regression without event times has its event study in another specification: the one that agrees most.
  function events() {
    const others = data.specs.filter(spec => spec[PATH].length > 1 && spec[CODES][0] === chosen[CODES][0]);
    const shown = chosen[PATH].length > 1 ? chosen : others.length ? others.reduce((best, spec) => agree(spec, chosen) > agree(best, chosen) ? spec : best) : null;
    if (!shown) { path.replaceChildren(make("p", { class: "aside" }, "No event study of this outcome was estimated.")); return; }
    const apart = data.choices.filter((_, place) => shown[CODES][place] !== chosen[CODES][place]).map(choice =>
      `${choice.label.toLowerCase()} (${words(shown)[data.choices.indexOf(choice)]})`);
    const whose = shown === chosen ? "" : `This specification has no event times. The closest event study is shown${apart.length ? `; it differs in ${apart.join(", ")}` : ""}.`;
    const title = `Event study: ${words(shown).slice(0, 2).join(", ")}`;
    const rows = shown[PATH].map(row => make("tr", {}, make("th", { scope: "row" }, digits(row[0])), ...row.slice(1).map(value => make("td", { class: "r" }, short(value)))));
    const heads = ["Event time", "Estimate", "Low", "High"].map(head => make("th", { scope: "col" }, head));
    const unit = label(data.units[chosen[CODES][0]]);
    path.replaceChildren(chart(shown[PATH].map(row => [...row, "event"]), `${title}; its numbers are in the table below.`, unit, "Event time", true),
      make("p", { class: "aside" }, whose), make("details", {}, make("summary", {}, "Numbers of the event study"),
        make("table", {}, make("caption", {}, title), make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows))));
  }
  const label = unit => unit?.startsWith("log ") ? "Effect (log points)" : unit ? `Effect (${unit})` : "Effect";
  // Points [x, estimate, low, high, class] with their intervals, as wide as the page, so that type keeps its size.
  function chart(dots, title, vertical, horizontal, ticks = false) {
    const width = Math.max(320, Math.min(900, form.clientWidth)), height = 320, left = 78, bottom = ticks ? 44 : 28;
    const ends = dots.flatMap(dot => [dot[2] ?? dot[1], dot[3] ?? dot[1]]).concat(0).sort((a, b) => a - b);
    // A few very long intervals would flatten the others: they end in an arrow at the edge.
    const trim = Math.floor(ends.length / 100), points = dots.map(dot => dot[1]);
    let [low, high] = [Math.min(ends[trim], ...points), Math.max(ends[ends.length - 1 - trim], ...points)];
    if (low === high) [low, high] = [low - 1, high + 1];
    const xs = dots.map(dot => dot[0]), from = Math.min(...xs) - .5, to = Math.max(...xs) + .5;
    const x = value => left + (value - from) / (to - from) * (width - left - 5);
    const y = value => 10 + (high - Math.min(high, Math.max(low, value))) / (high - low) * (height - bottom - 20);
    const every = Math.ceil(28 * (to - from) / (width - left));
    const line = (a, b, c, d, name) => drawn("line", { x1: a.toFixed(1), y1: b.toFixed(1), x2: c.toFixed(1), y2: d.toFixed(1), class: name });
    const parts = [];
    const step = 10 ** Math.floor(Math.log10(high - low)), unit = (high - low) / step < 2.5 ? step / 2 : (high - low) / step < 5 ? step : step * 2;
    for (let tick = Math.ceil(low / unit); tick * unit <= high; tick++) parts.push(line(left, y(tick * unit), width - 5, y(tick * unit), tick ? "axis" : "zero"),
      drawn("text", { x: left - 8, y: y(tick * unit) + 4, "text-anchor": "end" }, digits(+(tick * unit).toPrecision(3))));
    for (const [at, estimate, below, above, name] of [...dots].sort((a, b) => (a[4] === "chosen") - (b[4] === "chosen"))) {
      if (below !== null) parts.push(line(x(at), y(below), x(at), y(above), `bar ${name}`));
      for (const [cut, edge, way] of [[below < low, y(low), -5], [above > high, y(high), 5]])
        if (below !== null && cut) parts.push(drawn("path", { d: `M${x(at) - 3} ${edge + way}L${x(at)} ${edge}L${x(at) + 3} ${edge + way}`, class: "arrow" }));
      parts.push(drawn("circle", { cx: x(at).toFixed(1), cy: y(estimate).toFixed(1), r: name ? 5 : 1.5, class: `dot ${name ? "chosen" : ""}` }));
      if (ticks && at % every === 0) parts.push(drawn("text", { x: x(at), y: height - 24, "text-anchor": "middle" }, digits(at)));
    }
    parts.push(drawn("text", { x: (left + width) / 2, y: height - 5, "text-anchor": "middle" }, horizontal),
      drawn("text", { transform: `translate(14 ${(height - bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, vertical));
    return drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title }, ...parts);
  }
  addEventListener("hashchange", () => { const spec = data.specs.find(one => one[ID] === decodeURIComponent(location.hash.slice(1))); if (spec && spec !== chosen) choose(spec); });
  draw();
}

// What was compared with the committed numbers when the report was written; files that disagree come first.
function compared(box, rows) {
  const total = key => rows.reduce((sum, row) => sum + row[key], 0), failed = total("failed");
  if (!rows.length) { box.replaceChildren(make("p", {}, "No numbers are committed for this study.")); return; }
  const said = `${grouped(total("cells"))} cells of ${rows.length} files were compared when this report was written: `
    + (failed ? `${grouped(failed)} disagree.` : "all agree.");
  const lines = rows.map(row => make("tr", {}, make("th", { scope: "row" }, code(row.file)), make("td", { class: "r" }, grouped(row.cells)),
    make("td", { class: "r" }, grouped(row.failed)), make("td", { class: "l" }, row.message)));
  const heads = ["File", "Cells", "Disagree", "First difference"].map(head => make("th", { scope: "col" }, head));
  const table = make("table", { id: "verify", class: "data" }, make("caption", {}, "Committed files"),
    make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...lines));
  box.replaceChildren(make("p", {}, said), make("details", failed ? { open: "" } : {}, make("summary", {}, "Every file"),
    make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Committed files" }, table)));
  sortable(table);
}

function filtered(field) {
  const rows = all("tbody tr", one(`#${field.dataset.filters}`)), status = one("[role=status]", field.closest("p"));
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    rows.forEach(row => { row.hidden = !words.every(word => row.textContent.toLowerCase().includes(word)); });
    status.textContent = words.length ? `${rows.filter(row => !row.hidden).length} of ${rows.length} rows` : "";
  });
}

all(".scripted").forEach(element => { element.hidden = false; });
theme();
search();
all("main .notes").forEach(fold);
all("main table").filter(table => !table.closest(".summary")).forEach(sortable);
all("section[data-trace]").forEach(traced);
all("figure[data-trace]").forEach(points);
all("a.zoom").forEach(link => link.addEventListener("click", event => { event.preventDefault(); enlarge(link); }));
all("input[data-filters]").forEach(filtered);
all("#compared").forEach(box => load(box.dataset.source).then(rows => compared(box, rows)));
all("#explorer").forEach(form => load(form.dataset.source).then(data => explorer(form, data)));
if (matchMedia("(min-width: 64rem)").matches) all("details.contents").forEach(box => { box.open = true; });
