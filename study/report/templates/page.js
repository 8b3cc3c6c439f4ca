"use strict";
// Tips of the marks, arms picked alone, tables sorted and filtered, light or dark. The page says the same without it.
const root = document.documentElement;
const all = (selector, from = document) => [...from.querySelectorAll(selector)];
const make = (tag, text = "", more = {}) => Object.assign(document.createElement(tag), { textContent: text }, more);

function remember(value) { // a page opened from a file may have no memory
  try { if (value) localStorage.setItem("theme", value); return localStorage.getItem("theme"); } catch { return value; }
}
const dark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
if (remember()) root.dataset.theme = remember();

function themes() {
  const button = document.getElementById("theme");
  const tell = () => { button.textContent = dark() ? "☀ light" : "☾ dark"; };
  button.hidden = false;
  button.onclick = () => { remember(root.dataset.theme = dark() ? "light" : "dark"); tell(); };
  tell();
}

function arms() {
  for (const chip of all(".chip")) {
    chip.onclick = () => {
      const alone = chip.getAttribute("aria-pressed") === "false" ? chip.dataset.arm : null;
      for (const one of all(".chip")) one.setAttribute("aria-pressed", String(one.dataset.arm === alone));
      for (const one of all("svg [data-arm]")) one.classList.toggle("dim", alone !== null && one.dataset.arm !== alone);
    };
  }
}

function tips() {
  const tip = document.getElementById("tip");
  let pinned = null, shown = null;
  const hide = () => { shown?.classList.remove("on"); tip.hidden = true; tip.className = ""; pinned = shown = null; };
  const show = (mark, pin) => {
    if (shown !== mark) hide();
    shown = mark;
    pinned = pin ? mark : pinned;
    mark.classList.add("on");
    const keys = all(".keys a", mark.closest("figure"));
    const own = (mark.dataset.keys || "").split(" ").filter(Boolean).map((place) => keys[place]);
    tip.replaceChildren(...mark.getAttribute("aria-label").split("\n").map((line) => make("div", line)));
    tip.append(...own.slice(0, 6).map((key) => make("a", key.textContent, { href: key.hash })));
    if (own.length > 6) tip.append(make("div", `and ${own.length - 6} more evaluations, listed under the figure`));
    tip.hidden = false;
    tip.classList.toggle("pinned", pinned === mark);
    place();
  };
  const place = () => {
    const at = shown.getBoundingClientRect(), box = tip.getBoundingClientRect();
    const above = at.top - box.height - 10;
    tip.style.left = `${Math.max(8, Math.min(at.left + at.width / 2 - box.width / 2, innerWidth - box.width - 8))}px`;
    tip.style.top = `${above > 44 ? above : at.bottom + 10}px`;
  };
  for (const svg of all("figure svg")) {
    const marks = all(".mark", svg);
    for (const mark of marks) {
      mark.setAttribute("role", "img");
      mark.setAttribute("aria-label", mark.querySelector("title").textContent);
      mark.setAttribute("tabindex", mark === marks[0] ? 0 : -1);
      mark.querySelector("title").remove();
      mark.addEventListener("focus", () => show(mark));
    }
    const nearest = (event) => {
      let best = null, least = 24;
      for (const mark of marks) {
        const at = mark.getBoundingClientRect();
        const away = Math.hypot(event.clientX - at.left - at.width / 2, event.clientY - at.top - at.height / 2);
        if (away < least && !mark.closest(".dim")) [best, least] = [mark, away];
      }
      return best;
    };
    svg.onpointermove = (event) => { const mark = nearest(event); if (!pinned) mark ? show(mark) : hide(); };
    svg.onpointerleave = () => { if (!pinned) hide(); };
    svg.onclick = (event) => { const mark = nearest(event); mark && mark !== pinned ? show(mark, true) : hide(); };
    svg.onkeydown = (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      const mark = event.target.closest(".mark");
      if (step && mark) { event.preventDefault(); marks.at((marks.indexOf(mark) + step) % marks.length).focus(); }
      if (event.key === "Enter" && mark) { show(mark, true); tip.querySelector("a")?.focus(); }
    };
    svg.addEventListener("focusout", () => { if (!pinned) hide(); });
  }
  addEventListener("keydown", (event) => { if (event.key === "Escape") { const back = pinned; hide(); back?.focus(); hide(); } });
  addEventListener("scroll", () => (pinned ? place() : hide()), { passive: true });
}

function number(text) { // "−1 234.5", "1,234.50", "×1.7", "0.34 h", "< 0.001", "beyond the ladder"
  if (/beyond|no limit|∞/.test(text)) return text.includes("−") ? -Infinity : Infinity;
  if (/below/.test(text)) return -Infinity;
  const plain = text.replace("−", "-").replace(/(\d)[\s,](?=\d{3})/g, "$1").replace(/^[×+]|^<\s*/, "");
  const value = parseFloat(plain) - (text.startsWith("<") ? 1e-9 : 0); // before what it lies below
  return / h$/.test(text) ? value * 3600 : value;
}

function fits(text, wanted) { // "siqa|none", "=m" exactly, ">3"
  return wanted.toLowerCase().split("|").some((part) => {
    const rest = part.slice(1).trim();
    if (part[0] === "=") return text.toLowerCase() === rest;
    if (part[0] === ">") return number(text) > number(rest);
    if (part[0] === "<") return number(text) < number(rest);
    return text.toLowerCase().includes(part.trim());
  });
}

function filters(table) { // a row of fields under the heading, made when first asked for
  if (table.inputs) return table.inputs;
  const row = table.tHead.insertRow();
  table.inputs = [...table.tHead.rows[0].cells].map((heading) => {
    const input = make("input", "", { type: "search" });
    input.setAttribute("aria-label", `filter by ${heading.textContent}`);
    input.oninput = () => apply(table);
    const cell = make("th");
    if (!heading.classList.contains("trace")) cell.append(input);
    row.append(cell);
    return input;
  });
  return table.inputs;
}

function apply(table) {
  const wanted = (table.inputs || []).map((input) => input.value);
  for (const row of table.tBodies[0].rows)
    row.hidden = wanted.some((text, place) => text && !fits(row.cells[place].textContent.trim(), text));
}

function tables() {
  for (const table of all("table")) {
    const body = table.tBodies[0];
    [...table.tHead.rows[0].cells].forEach((heading, place) => {
      if (heading.classList.contains("trace")) return;
      heading.setAttribute("aria-sort", "none");
      heading.tabIndex = 0;
      heading.onclick = () => {
        const up = heading.getAttribute("aria-sort") !== "ascending", numeric = heading.classList.contains("number");
        const value = (row) => { const text = row.cells[place].textContent.trim(); return numeric ? number(text) : text; };
        const order = (a, b) => (numeric ? (isNaN(a) - isNaN(b)) || (up ? a - b : b - a) || 0 : (up ? 1 : -1) * a.localeCompare(b));
        for (const one of all("[aria-sort]", table)) one.setAttribute("aria-sort", "none");
        heading.setAttribute("aria-sort", up ? "ascending" : "descending");
        body.append(...[...body.rows].map((row) => [value(row), row]).sort((a, b) => order(a[0], b[0])).map(([, row]) => row));
      };
      heading.onkeydown = (event) => { if (event.key === "Enter") heading.click(); };
    });
    if (body.rows.length < 6) continue;
    const toggle = make("button", "filter", { type: "button", className: "tools" });
    toggle.onclick = () => { table.inputs ? table.inputs[0].closest("tr").toggleAttribute("hidden") : filters(table); table.inputs[0].focus(); };
    table.parentElement.previousElementSibling.append(" ", toggle);
  }
  for (const link of all("a[data-filter]")) {
    link.onclick = () => {
      const table = document.querySelector(link.hash), names = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
      for (const input of filters(table)) input.value = "";
      for (const part of link.dataset.filter.split(";")) {
        const [name, wanted] = part.split(":");
        if (names.includes(name)) table.inputs[names.indexOf(name)].value = wanted;
      }
      apply(table);
    };
  }
}

function reveal() { // what a link leads to may be folded away or filtered out
  const place = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!place) return;
  if (place.matches("tr[hidden]")) { for (const input of place.closest("table").inputs) input.value = ""; apply(place.closest("table")); }
  for (let up = place; up; up = up.parentElement) if (up.matches("details")) up.open = true;
  if (place.matches("tr")) place.scrollIntoView({ block: "center" });
  else (place.closest("details.table") || place).scrollIntoView();
}

addEventListener("DOMContentLoaded", () => { themes(); arms(); tips(); tables(); reveal(); });
addEventListener("hashchange", reveal);
let closed = [];
addEventListener("beforeprint", () => { closed = all("details.table:not([open]), details.more:not([open])"); for (const one of closed) one.open = true; });
addEventListener("afterprint", () => { for (const one of closed) one.open = false; });
