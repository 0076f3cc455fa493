"use strict";
(() => {
  const table = document.getElementById("table");
  if (!table) return;
  const rows = () => Array.from(table.tBodies);

  // What a column is sorted by: a number, or nothing where it has none; otherwise its text.
  const key = (row, column) => {
    const cell = row.rows[0].cells[column];
    if (!("value" in cell.dataset)) return cell.textContent;
    return cell.dataset.value === "" ? null : Number(cell.dataset.value);
  };

  // Cells without a number come last, whichever way the others are sorted.
  const sort = (column, direction) => {
    const compare = (a, b) => {
      const [x, y] = [key(a, column), key(b, column)];
      if (x === null || y === null) return (x === null) - (y === null);
      return direction * (typeof x === "number" ? x - y : x.localeCompare(y));
    };
    table.append(...rows().sort(compare));
  };

  const heads = Array.from(table.tHead.rows[0].cells);
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const sorted = head.getAttribute("aria-sort");
      // The best numbers are the large ones, but for the numbers of candidates.
      const first = head.classList.contains("number") && column > 0 ? "descending" : "ascending";
      const other = { ascending: "descending", descending: "ascending" };
      const order = sorted ? other[sorted] : first;
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      sort(column, order === "ascending" ? 1 : -1);
    });
  });

  const filter = document.getElementById("filter");
  const input = filter.querySelector("input");
  const count = filter.querySelector("span");
  const show = () => {
    const wanted = input.value.toLowerCase();
    let shown = 0;
    rows().forEach((row) => {
      row.hidden = !row.rows[0].textContent.toLowerCase().includes(wanted);
      shown += row.hidden ? 0 : 1;
    });
    count.textContent = `${shown} of ${rows().length}`;
  };
  input.addEventListener("input", show);
  filter.hidden = false;
  show();
})();
