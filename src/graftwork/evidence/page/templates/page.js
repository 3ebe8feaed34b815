"use strict";
// Tables that are long can be searched and sorted; commands can be copied; closed parts of the evidence are opened to be printed.
for (const table of document.querySelectorAll("table.long")) {
  const body = table.tBodies[0], rows = [...body.rows];
  const box = document.createElement("p"), label = document.createElement("label"), input = document.createElement("input");
  const count = document.createElement("span");
  box.className = "find";
  count.setAttribute("role", "status");
  label.append("Search this table: ", input);
  input.type = "search";
  box.append(label, count);
  table.closest(".scroll").before(box);
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const show = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, at) => {
      row.hidden = !words.every((word) => texts[at].includes(word));
      shown += row.hidden ? 0 : 1;
    });
    count.textContent = shown + " of " + rows.length + " rows";
  };
  input.addEventListener("input", show);
  show();
  [...table.tHead.rows[0].cells].forEach((head, at) => {
    if (!head.textContent.trim()) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => row.cells[at].dataset.sort, sign = down ? -1 : 1;
      const order = [...rows].sort((one, two) => sign * (key(one) !== undefined && key(two) !== undefined
        ? Number(key(one)) - Number(key(two))
        : row_text(one, at).localeCompare(row_text(two, at))));
      body.append(...order);
    });
  });
}
function row_text(row, at) { return row.cells[at].textContent.trim(); }
if (navigator.clipboard) {
  for (const place of document.querySelectorAll(".command")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", () => navigator.clipboard.writeText(place.querySelector("pre").textContent)
      .then(() => { button.textContent = "Copied"; }));
    place.append(button);
  }
}
addEventListener("beforeprint", () => { for (const part of document.querySelectorAll("section.below details")) part.open = true; });
