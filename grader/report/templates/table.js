"use strict";
// Tables that sort by their headings and filter by what is typed; the plot and the table show each other's rows.
(function () {
  function value(row, column) {
    const cell = row.cells[column], number = cell.dataset.value;
    return number === undefined ? cell.textContent.trim().toLowerCase() : number === "" ? NaN : Number(number);
  }

  function sort(table, column) {
    const head = table.tHead.rows[0].cells[column], body = table.tBodies[0];
    // Numbers begin with the greatest, words with a.
    const numbers = head.classList.contains("number");
    const before = head.getAttribute("aria-sort");
    const down = before ? before === "ascending" : numbers;
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const rows = Array.from(body.rows, (row, place) => ({row, place, key: value(row, column)}));
    rows.sort(function (a, b) {
      const nan = Number(Number.isNaN(a.key)) - Number(Number.isNaN(b.key));  // what is not there comes last
      if (nan || Number.isNaN(a.key)) return nan || a.place - b.place;
      const order = numbers ? a.key - b.key : String(a.key).localeCompare(String(b.key));
      return (down ? -order : order) || a.place - b.place;
    });
    body.append(...rows.map(entry => entry.row));
  }

  function filter(input) {
    const table = document.getElementById(input.dataset.table);
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const hidden = new Set();
    let shown = 0;
    for (const row of table.tBodies[0].rows) {
      const text = (row.cells[0].textContent + " " + row.cells[1].textContent).toLowerCase();
      row.hidden = !words.every(word => text.includes(word));
      shown += !row.hidden;
      if (row.hidden && row.dataset.key) hidden.add(row.dataset.key);
    }
    for (const out of document.querySelectorAll("output.shown"))
      if (out.dataset.table === input.dataset.table)
        out.textContent = words.length ? shown + " of " + table.tBodies[0].rows.length + " shown" : "";
    for (const point of document.querySelectorAll("#plane .points > *"))
      point.classList.toggle("faded", hidden.has(point.dataset.key));
  }

  for (const table of document.querySelectorAll("table.sortable"))
    Array.from(table.tHead.rows[0].cells).forEach(
      (cell, column) => cell.querySelector("button").addEventListener("click", () => sort(table, column)));

  const inputs = document.querySelectorAll("input.filter");
  for (const input of inputs) {
    input.addEventListener("input", () => filter(input));
    input.addEventListener("keydown", function (event) {
      if (event.key === "Escape") { input.value = ""; filter(input); }
    });
  }
  document.addEventListener("keydown", function (event) {
    if (event.key === "/" && inputs.length && !/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
      event.preventDefault();
      inputs[0].focus();
    }
  });

  const hovered = document.getElementById("hovered"), everybody = document.getElementById("everybody");
  if (hovered) {
    const points = new Map(), rows = new Map();
    for (const point of document.querySelectorAll("#plane .points > *")) points.set(point.dataset.key, point);
    if (everybody) for (const row of everybody.tBodies[0].rows) rows.set(row.dataset.key, row);
    const mark = function (key, on) {
      if (points.has(key)) points.get(key).classList.toggle("marked", on);
      if (rows.has(key)) rows.get(key).classList.toggle("marked", on);
    };
    for (const [key, point] of points) {
      point.addEventListener("mouseenter", function () {
        hovered.textContent = point.querySelector("title").textContent;
        mark(key, true);
      });
      point.addEventListener("mouseleave", () => mark(key, false));
    }
    for (const [key, row] of rows) {
      for (const event of ["mouseenter", "focusin"]) row.addEventListener(event, () => mark(key, true));
      for (const event of ["mouseleave", "focusout"]) row.addEventListener(event, () => mark(key, false));
    }
  }
})();
