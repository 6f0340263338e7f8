
  // Where time and tokens went, by tool and model.
  let order = ["own", -1];
  const COLUMNS = [["name", "Tool or model"], ["calls", "Calls"], ["total", "Total"], ["own", "Self"], ["share", "Share"], ["max", "Max"], ["tokens", "Tokens"], ["errors", "Errors"]];

  const tallied = () => {
    const found = new Map();
    for (const step of steps) {
      if (step.kind !== "tool" && step.kind !== "model" && step.kind !== "embedding") continue;
      const { key } = step;
      if (!found.has(key)) found.set(key, { key, kind: step.kind, name: step.name, calls: 0, total: 0, own: 0, max: 0, used: [0, 0, 0, 0], errors: 0 });
      const row = found.get(key);
      row.calls += 1;
      row.total += step.ms || 0;
      row.own += step.own || 0;
      row.max = Math.max(row.max, step.ms || 0);
      row.errors += step.failed ? 1 : 0;
      (step.tokens || []).forEach((count, place) => { row.used[place] += count; });
    }
    const rows = [...found.values()], all = rows.reduce((sum, row) => sum + row.own, 0) || 1;
    for (const row of rows) Object.assign(row, { share: row.own / all, tokens: row.used.reduce((sum, count) => sum + count, 0) });
    return rows;
  };

  const showTable = () => {
    const rows = trace.tally, [by, way] = order;
    rows.sort((a, b) => (by === "name" ? a.name.localeCompare(b.name) : a[by] - b[by]) * way || b.calls - a.calls);
    const table = make("table"), head = make("thead"), body = make("tbody"), line = make("tr");
    for (const [name, title] of COLUMNS) {
      const cell = make("th", name === "name" ? "" : "right");
      cell.scope = "col";
      if (name === by) cell.setAttribute("aria-sort", way < 0 ? "descending" : "ascending");
      cell.append(button(title + (name === by ? (way < 0 ? " ↓" : " ↑") : ""), "", () => {
        order = [name, name === by ? -way : name === "name" ? 1 : -1];
        showTable();
        [...$("table").querySelectorAll("th button")].find((one) => one.textContent.startsWith(title)).focus();
      }));
      line.append(cell);
    }
    head.append(line);
    for (const row of rows) body.append(rowOfTable(row));
    table.append(head, body);
    table.setAttribute("aria-label", "Time and tokens by tool and model");
    $("table").replaceChildren(rows.length ? table : make("p", "hint", "No tool or model was called."));
  };

  const rowOfTable = (row) => {
    const line = make("tr"), name = make("td", "name"), part = make("td", "share right"), bar = make("i"), errors = make("td", "right" + (row.errors ? " bad" : ""), row.errors ? number(row.errors) : "");
    line.dataset.kind = row.kind;
    const choose = button(row.name, "", () => setFilter({ tool: filter.tool === row.key ? "" : row.key, who: "" }));
    choose.dataset.key = row.key;
    choose.setAttribute("aria-pressed", String(filter.tool === row.key));
    name.append(choose);
    bar.style.width = (row.share * 100).toFixed(1) + "%";
    part.append(bar, make("span", "", row.total ? Math.round(row.share * 100) + " %" : ""));
    const right = (text) => make("td", "right", text);
    const tokens = right(row.tokens ? tokensText(row.used, short) : "");
    line.append(name, right(number(row.calls)), right(row.total ? took(row.total) : ""), right(row.total ? took(row.own) : ""), part, right(row.total ? took(row.max) : ""), tokens, errors);
    return line;
  };
  const markTable = () => {
    for (const one of $("table").querySelectorAll("td button")) one.setAttribute("aria-pressed", String(filter.tool === one.dataset.key));
  };
