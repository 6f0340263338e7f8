
  // Which lanes of the rail go on below a row: the last row of each parent ends its lane.
  let lastOf = new Map();
  const lastOfParent = () => {
    lastOf = new Map();
    for (const index of visible) lastOf.set(steps[index].parent, index);
  };
  const goesOn = (index) => {
    const lanes = [];
    for (let at = index; at >= 0; at = steps[at].parent) lanes[steps[at].depth] = lastOf.get(steps[at].parent) !== at;
    return lanes;
  };

  // Rows: only those on the screen exist.
  const cache = new Map();
  const isNarrow = matchMedia("(max-width: 760px)");
  const rowHeight = () => (isNarrow.matches ? 52 : 46);
  const paint = () => {
    const high = rowHeight();
    const from = Math.max(Math.floor(rowsBox.scrollTop / high) - 8, 0);
    const to = Math.min(Math.ceil((rowsBox.scrollTop + rowsBox.clientHeight) / high) + 8, visible.length);
    cache.forEach((row, place) => {
      if (place < from || place >= to) { row.remove(); cache.delete(place); }
    });
    showTime(Math.floor(rowsBox.scrollTop / high), Math.min(Math.ceil((rowsBox.scrollTop + rowsBox.clientHeight) / high), visible.length));
    for (let place = from; place < to; place += 1) {
      if (cache.has(place)) continue;
      const row = rowOf(steps[visible[place]], place, high);
      cache.set(place, row);
      sizer.append(row);
    }
    if (selected >= 0 && $("row-" + selected)) rowsBox.setAttribute("aria-activedescendant", "row-" + selected); else rowsBox.removeAttribute("aria-activedescendant");
  };

  const rail = (step, high) => {
    const depth = Math.min(step.depth, 12), middle = high / 2, lanes = goesOn(step.index);
    const svg = draw("svg", { class: "rail", width: (depth + 1) * LANE + 8, height: high, "aria-hidden": "true" });
    let path = "";
    for (let lane = 1; lane < depth; lane += 1) if (lanes[lane]) path += `M${(lane - 1) * LANE + 18} 0V${high}`;
    const x = depth * LANE + 18;
    if (step.depth) {
      const above = (depth - 1) * LANE + 18;
      path += `M${above} 0V${middle - 8}Q${above} ${middle} ${above + 8} ${middle}H${x}`;
      if (lanes[step.depth]) path += `M${above} ${middle - 9}V${high}`;
    }
    if (lastOf.has(step.index)) path += `M${x} ${middle}V${high}`;
    svg.append(draw("path", { d: path }), draw("circle", { cx: x, cy: middle, r: step.kind === "user" ? 7 : step.kind === "thinking" ? 4 : 5.5 }));
    return svg;
  };

  const rowOf = (step, place, high) => {
    const { index } = step, isFolded = collapsed.has(index) && !isFiltered();
    const row = make("div", "row" + (step.children ? "" : " leaf") + (step.failed ? " failed" : "") + (isFiltered() && !matches.has(index) ? " context" : ""));
    row.id = "row-" + index;
    row.dataset.kind = step.kind;
    row.style.top = place * high + "px";
    row.setAttribute("role", "treeitem");
    row.setAttribute("aria-level", String(step.depth + 1));
    row.setAttribute("aria-selected", String(index === selected));
    const cell = make("div", "what-cell");
    cell.append(rail(step, high));
    if (step.children) {
      const fold = make("span", "fold", isFolded ? "▸" : "▾");
      fold.setAttribute("aria-hidden", "true");
      fold.addEventListener("click", (event) => { event.stopPropagation(); toggle(index); });
      row.setAttribute("aria-expanded", String(!isFolded));
      cell.append(fold);
    }
    cell.append(wordsOf(step));
    if (isFolded) cell.append(insideOf(step));
    const lasted = make("div", "took", took(step.ms)), time_ = make("div", "time"), bar = make("i");
    if (step.ms !== null && step.own < step.ms * 0.95) lasted.append(make("small", "", "self " + took(step.own)));
    placeBar(bar, step);
    time_.append(bar);
    row.append(cell, make("div", "who", step.who), make("div", "tokens", step.tokens ? tokensText(step.tokens) : ""), lasted, time_);
    row.addEventListener("click", () => { select(index); openDetail(); rowsBox.focus({ preventScroll: true }); });
    return row;
  };
  const insideOf = (step) => {
    const inside = make("span", "inside", "+" + number(step.inside));
    if (step.problems) inside.append(" ", make("b", "", "✗ " + number(step.problems)));
    return inside;
  };

  const wordsOf = (step) => {
    const { text, result, open, notes } = saidBy(step);
    const words = make("div", "words"), first = make("div", "first"), second = make("div", "second");
    const put = (box, style, value) => marked(box, value, style);
    first.append(marked(make("b"), step.name, ""));
    if (step.kind === "tool") {
      put(first, "code", "(" + (text || "") + ")");
      put(second, open ? "open" : "code", open ? "→ " + open : (step.failed ? "✗ " : "→ ") + (result || ""));
    } else {
      put(second, "", text || "");
      if (open) second.append(" ", make("span", "open", "→ " + open));
      else if (result) put(second, "", " → " + result);
    }
    if (notes) first.append(make("span", "code", (step.kind === "tool" ? " · " : "  ") + notes.join(" · ")));
    if (filter.text && matches.has(step.index) && !first.querySelector("mark") && !second.querySelector("mark")) second.replaceChildren(foundIn(step));
    words.append(first);
    if (second.hasChildNodes() && second.textContent) words.append(second);
    return words;
  };
  // Where what is searched for is in none of the words of a row, the place in the events where it is.
  const foundIn = (step) => {
    const all = haystack(step), at = all.indexOf(filter.text), box = make("span", "code");
    return marked(box, "… " + all.slice(Math.max(at - 40, 0), at + filter.text.length + 80).replace(/\s+/g, " ") + " …", "");
  };

  const toggle = (index, close) => {
    const closing = close === undefined ? !collapsed.has(index) : close;
    if (closing) collapsed.add(index); else collapsed.delete(index);
    refresh();
  };

  // Selection.
  const select = (index, scroll) => {
    const before = $("row-" + selected);
    if (before) before.setAttribute("aria-selected", "false");
    selected = index;
    if (scroll) {
      if (!isFiltered()) unfoldTo(index);
      reveal(index);
    }
    const row = $("row-" + index);
    if (row) row.setAttribute("aria-selected", "true");
    if (row) rowsBox.setAttribute("aria-activedescendant", row.id);
    if (!detail.hidden) showDetail();
    drawOverview();
  };
  const reveal = (index) => {
    const place = places.get(index), high = rowHeight();
    if (place === undefined) return;
    if (place * high < rowsBox.scrollTop) rowsBox.scrollTop = place * high;
    if ((place + 1) * high > rowsBox.scrollTop + rowsBox.clientHeight) rowsBox.scrollTop = (place + 1) * high - rowsBox.clientHeight;
    paint();
  };
  const move = (by) => {
    if (!visible.length) return;
    const place = places.has(selected) ? places.get(selected) : -1;
    select(visible[Math.min(Math.max(place < 0 && Number.isFinite(by) ? 0 : place + by, 0), visible.length - 1)], true);
  };
  const nextProblem = (by) => {
    const all = isFiltered() ? visible : steps.map((step) => step.index);
    const found = all.filter((index) => steps[index].failed || steps[index].open);
    if (!found.length) return;
    const wanted = by > 0 ? found.find((index) => index > selected) : found.slice().reverse().find((index) => index < selected);
    select(wanted === undefined ? (by > 0 ? found[0] : found[found.length - 1]) : wanted, true);
  };
