"use strict";
(() => {
  const MAX_SHOWN = 100000;
  const LANE = 18;
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const rowsBox = $("rows"), sizer = $("sizer"), detail = $("detail");

  // Small makers. Text is only ever set as text.
  const make = (tag, classes, text) => {
    const element = document.createElement(tag);
    if (classes) element.className = classes;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const draw = (tag, attributes, text) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const name in attributes) element.setAttribute(name, attributes[name]);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const number = (value) => value.toLocaleString("en-US");
  const counted = (count, one, many) => number(count) + " " + (count === 1 ? one : many || one + "s");
  const took = (ms) => {
    if (ms === undefined || ms === null) return "";
    if (ms < 0.1) return "<0.1 ms";
    if (ms < 10) return +ms.toFixed(1) + " ms";
    if (ms < 999.5) return Math.round(ms) + " ms";
    if (ms < 60000) return (ms / 1000).toFixed(ms < 10000 ? 2 : 1) + " s";
    if (ms < 3600000) return Math.floor(ms / 60000) + " min " + Math.floor((ms % 60000) / 1000) + " s";
    return number(Math.floor(ms / 3600000)) + " h " + Math.floor((ms % 3600000) / 60000) + " min";
  };

  // What is looked at.
  let trace, steps, time, visible = [], selected = -1, matches = new Set();
  let collapsed = new Set();
  let filter = { text: "", tool: "", user: "", errors: false, slow: false };
  const cache = new Map();

  const eventsOf = (step) => step.events.map((place) => trace.events[place]);
  const haystack = (step) => {
    if (step.haystack === undefined) {
      step.haystack = [step.kind, step.name, step.open || "", ...(step.notes || []), ...eventsOf(step).map((event) => JSON.stringify(event))].join("\n").toLowerCase();
    }
    return step.haystack;
  };

  // Time, with what nobody worked in made short: a user's pause must not hide what took milliseconds.
  const timeline = () => {
    const spans = steps.map((step) => [step.at, Math.max(step.to, step.at)]).sort((a, b) => a[0] - b[0]);
    let end = 0;
    const pauses = [];
    for (const [from, to] of spans) {
      if (from > end) pauses.push([end, from]);
      end = Math.max(end, to);
    }
    const total = end || 1;
    const long = pauses.filter(([from, to]) => to - from > total * 0.12);
    const busy = total - long.reduce((sum, [from, to]) => sum + to - from, 0);
    const short = Math.max(busy, total * 0.001) * 0.05;
    const width = busy + short * long.length || 1;
    return {
      total,
      pauses: long,
      place: (ms) => {
        let at = ms;
        for (const [from, to] of long) {
          if (ms <= from) break;
          at -= ms >= to ? to - from - short : (ms - from) * (1 - short / (to - from));
        }
        return Math.min(Math.max(at / width, 0), 1);
      },
    };
  };

  // The header.
  const showSummary = () => {
    document.title = trace.id + " · whyops";
    $("title").textContent = trace.id;
    const began = trace.startedAt === null ? "" : new Date(trace.startedAt).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
    $("about").textContent = [trace.agent, trace.user, began].filter(Boolean).join(" · ");
    const facts = [[took(trace.durationMs), "in all"], [number(trace.events.length), "events"], [number(trace.calls), trace.calls === 1 ? "tool call" : "tool calls"]];
    facts.push([number(trace.errors), trace.errors === 1 ? "error" : "errors", trace.errors ? "bad" : ""]);
    const tokens = trace.tokens;
    if (tokens.in || tokens.out || tokens.cached) facts.push([number(tokens.in), "tokens in"], [number(tokens.out), "tokens out"]);
    if (tokens.cached) facts.push([number(tokens.cached), "cached"]);
    if (tokens.other) facts.push([number(tokens.other), "other tokens"]);
    $("facts").replaceChildren(...facts.map(([value, what, style]) => {
      const item = make("li", style);
      item.append(make("b", "", value), " ", make("span", "", what));
      return item;
    }));
    $("gaps").textContent = trace.gaps.length ? "incomplete: " + trace.gaps.join(" · ") : "complete";
    $("gaps").className = trace.gaps.length ? "" : "none";
  };

  // The decision graph: each model and tool once, and who called whom how often.
  const graphOf = () => {
    const nodes = new Map(), edges = new Map();
    const keyOf = (step) => (step.kind === "user" ? "user" : step.kind + "\u0000" + step.name);
    const above = steps.map(() => null);
    let lastUser = null;
    steps.forEach((step, index) => {
      const parent = step.parent === undefined || step.parent < 0 ? null : above[step.parent];
      if (step.kind === "thinking" || step.kind === "other") { above[index] = parent; return; }
      const key = keyOf(step);
      const node = nodes.get(key) || { key, kind: step.kind, name: step.kind === "user" ? "user" : step.name, column: parent ? parent.column + 1 : step.kind === "user" ? 0 : 1, count: 0, ms: 0, timed: 0, failed: 0 };
      nodes.set(key, node);
      node.count += 1;
      if (step.ms !== undefined) { node.ms += step.ms; node.timed += 1; }
      node.failed += step.failed ? 1 : 0;
      if (step.kind === "user") lastUser = node;
      const from = parent || (step.kind === "user" ? null : lastUser);
      if (from && from !== node) edges.set(from.key + "\u0001" + key, { from, to: node, count: ((edges.get(from.key + "\u0001" + key) || {}).count || 0) + 1 });
      above[index] = node;
    });
    return { nodes: [...nodes.values()], edges: [...edges.values()] };
  };

  const showGraph = () => {
    const WIDE = 190, HIGH = 42, GAP = 64, SPACE = 10, MOST = 80, ROWS = 4;
    const { nodes, edges } = graphOf();
    const shown = nodes.slice().sort((a, b) => b.count - a.count).slice(0, MOST);
    const kept = nodes.filter((node) => shown.includes(node));
    const columns = [];
    for (const node of kept) (columns[node.column] = columns[node.column] || []).push(node);
    const filled = columns.filter(Boolean);
    const tallest = Math.min(Math.max(1, ...filled.map((column) => column.length)), ROWS);
    const height = tallest * (HIGH + SPACE) + 6;
    let width = 2;
    for (const column of filled) {
      const several = Math.ceil(column.length / ROWS), rows = Math.ceil(column.length / several);
      column.forEach((node, place) => {
        node.wrapped = several > 1;
        node.x = width + Math.floor(place / rows) * (WIDE + SPACE);
        node.y = (height - rows * (HIGH + SPACE) + SPACE) / 2 + (place % rows) * (HIGH + SPACE);
      });
      width += several * (WIDE + SPACE) - SPACE + GAP;
    }
    width = Math.max(width - GAP + 2, 0);
    const svg = draw("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": "Decision graph" });
    const labels = [];
    const most = Math.max(1, ...edges.map((edge) => edge.count));
    for (const { from, to, count } of edges) {
      if (from.x === undefined || to.x === undefined) continue;
      const forward = to.x > from.x;
      const x1 = from.x + (forward ? WIDE : WIDE / 2), y1 = from.y + (forward ? HIGH / 2 : HIGH);
      const x2 = to.x + (forward ? 0 : WIDE / 2), y2 = to.y + (forward ? HIGH / 2 : HIGH);
      const bend = forward ? (x2 - x1) / 2 : 0;
      const path = forward ? `M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}` : `M${x1} ${y1} C${x1} ${y1 + 24} ${x2} ${y2 + 24} ${x2} ${y2}`;
      svg.append(draw("path", { class: "edge", d: path, "stroke-width": (1 + 3 * Math.sqrt(count / most)).toFixed(1) }));
      if (count > 1 && !to.wrapped && !from.wrapped) labels.push(draw("text", { class: "edge-count", x: x1 + (x2 - x1) * 0.72, y: y1 + (y2 - y1) * 0.8 + 3 }, "×" + number(count)));
    }
    svg.append(...labels);
    for (const node of kept) {
      const group = draw("g", { class: "node" + (node.failed ? " bad" : ""), "data-kind": node.kind, tabindex: "0", role: "button", "aria-pressed": String(filter.tool === node.key), transform: `translate(${node.x} ${node.y})` });
      const name = node.name.length > 23 ? node.name.slice(0, 22) + "…" : node.name;
      const told = ["×" + number(node.count)];
      if (node.timed) told.push("avg " + took(node.ms / node.timed));
      if (node.failed) told.push(counted(node.failed, "error"));
      group.append(draw("rect", { class: "box", width: WIDE, height: HIGH }), draw("rect", { class: "tab", x: 0, y: 8, width: 4, height: HIGH - 16 }));
      group.append(draw("text", { class: "what", x: 14, y: 18 }, name), draw("text", { class: "how", x: 14, y: 33 }, told.join(" · ")), draw("title", {}, node.name));
      const choose = () => setFilter({ tool: filter.tool === node.key ? "" : node.key });
      group.addEventListener("click", choose);
      group.addEventListener("keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") { event.preventDefault(); event.stopPropagation(); choose(); }
      });
      svg.append(group);
    }
    $("graph").replaceChildren(svg);
    if (nodes.length > MOST) $("graph").append(make("p", "hint", number(nodes.length - MOST) + " more are not drawn"));
  };

  const markGraph = () => {
    for (const group of $("graph").querySelectorAll(".node")) {
      const key = group.dataset.kind === "user" ? "user" : group.dataset.kind + "\u0000" + group.querySelector("title").textContent;
      group.setAttribute("aria-pressed", String(filter.tool === key));
    }
  };

  // Filters.
  const showFilters = () => {
    const counts = new Map();
    for (const step of steps) {
      if (step.kind !== "tool" && step.kind !== "model" && step.kind !== "user" && step.kind !== "embedding" && step.kind !== "error") continue;
      const key = step.kind === "user" ? "user" : step.kind + "\u0000" + step.name;
      counts.set(key, (counts.get(key) || 0) + 1);
    }
    const options = [new Option("All steps", "")];
    const groups = [["tool", "Tools"], ["model", "Models"], ["user", "Users' messages"], ["embedding", "Embeddings"], ["error", "Errors"]];
    for (const [kind, title] of groups) {
      const group = make("optgroup");
      group.label = title;
      for (const [key, count] of counts) if (key.split("\u0000")[0] === kind) group.append(new Option((key.split("\u0000")[1] || "user") + "  ×" + number(count), key));
      if (group.children.length) options.push(group);
    }
    $("tool").replaceChildren(...options);
    const users = [...new Set(data.traces.flatMap((one) => one.events.map((event) => event.externalUserId)).filter((user) => typeof user === "string"))];
    $("user").replaceChildren(new Option("All users", ""), ...users.map((user) => new Option(user, user)));
    $("user").hidden = users.length < 2;
    $("errors").textContent = counted(steps.filter((step) => step.failed || step.open).length, "problem");
    const times = steps.map((step) => step.ms).filter((ms) => ms !== undefined).sort((a, b) => a - b);
    trace.slow = times.length ? times[Math.floor(times.length * 0.9)] : 0;
    $("slow").textContent = "Slow" + (trace.slow ? " ≥ " + took(trace.slow) : "");
    $("slow").hidden = times.length < 2;
  };

  const passes = (step) => {
    if (filter.errors && !step.failed && !step.open) return false;
    if (filter.slow && !(step.ms >= trace.slow)) return false;
    if (filter.tool && (step.kind === "user" ? "user" : step.kind + "\u0000" + step.name) !== filter.tool) return false;
    if (filter.user && !eventsOf(step).some((event) => event.externalUserId === filter.user)) return false;
    return !filter.text || haystack(step).includes(filter.text);
  };
  const isFiltered = () => Boolean(filter.errors || filter.slow || filter.tool || filter.user || filter.text);

  const setFilter = (change) => {
    filter = { ...filter, ...change };
    $("tool").value = filter.tool;
    $("user").value = filter.user;
    for (const name of ["errors", "slow"]) $(name).setAttribute("aria-pressed", String(filter[name]));
    $("clear").hidden = !isFiltered();
    markGraph();
    refresh();
  };

  const refresh = () => {
    const keep = visible.length && selected >= 0 ? selected : -1;
    matches = new Set();
    const shown = new Set();
    steps.forEach((step, index) => {
      if (!passes(step)) return;
      matches.add(index);
      for (let at = index; at !== undefined && at >= 0 && !shown.has(at); at = steps[at].parent) shown.add(at);
    });
    const hidden = new Set();
    visible = [];
    steps.forEach((step, index) => {
      const parent = step.parent;
      if (parent >= 0 && (hidden.has(parent) || (collapsed.has(parent) && !isFiltered()))) { hidden.add(index); return; }
      if (shown.has(index)) visible.push(index);
    });
    lastOfParent();
    $("count").textContent = isFiltered() ? number(matches.size) + " of " + counted(steps.length, "step") : counted(steps.length, "step");
    sizer.style.height = Math.max(visible.length * rowHeight(), 1) + "px";
    document.querySelector(".columns").style.paddingRight = 16 + rowsBox.offsetWidth - rowsBox.clientWidth + "px";
    cache.forEach((row) => row.remove());
    cache.clear();
    const empty = sizer.querySelector(".empty");
    if (empty) empty.remove();
    if (!visible.length) sizer.append(make("p", "empty", "No step matches."));
    paint();
    drawOverview();
    if (keep >= 0 && visible.includes(keep)) reveal(keep);
  };

  // Which lanes of the rail go on below a row.
  let goesOn = [];
  const lastOfParent = () => {
    const last = new Map();
    visible.forEach((index) => last.set(steps[index].parent === undefined ? -1 : steps[index].parent, index));
    goesOn = new Map();
    for (const index of visible) {
      const lanes = [];
      for (let at = index; at !== undefined && at >= 0; at = steps[at].parent) {
        const parent = steps[at].parent === undefined ? -1 : steps[at].parent;
        lanes[steps[at].depth] = last.get(parent) !== at;
      }
      goesOn.set(index, lanes);
    }
    goesOn.parents = new Set(last.keys());
  };

  // Rows: only those on the screen exist.
  const rowHeight = () => (matchMedia("(max-width: 760px)").matches ? 52 : 46);
  const paint = () => {
    const high = rowHeight();
    const from = Math.max(Math.floor(rowsBox.scrollTop / high) - 8, 0);
    const to = Math.min(Math.ceil((rowsBox.scrollTop + rowsBox.clientHeight) / high) + 8, visible.length);
    cache.forEach((row, place) => {
      if (place < from || place >= to) { row.remove(); cache.delete(place); }
    });
    zoom(Math.floor(rowsBox.scrollTop / high), Math.min(Math.ceil((rowsBox.scrollTop + rowsBox.clientHeight) / high), visible.length));
    for (let place = from; place < to; place += 1) {
      if (cache.has(place)) continue;
      const row = rowOf(visible[place], place, high);
      cache.set(place, row);
      sizer.append(row);
    }
  };

  // The time column shows the time of what is on the screen; a run of an hour would else be a row of dots.
  let shownTime = [0, 1];
  const zoom = (from, to) => {
    const all = visible.length <= (to - from) * 1.5;
    let begin = Infinity, end = 0;
    for (let place = all ? 0 : from; place < (all ? visible.length : to); place += 1) {
      const step = steps[visible[place]];
      begin = Math.min(begin, step.at);
      end = Math.max(end, step.to);
    }
    if (begin === Infinity) begin = 0;
    if (begin === shownTime[0] && end === shownTime[1]) return;
    shownTime = [begin, end];
    cache.forEach((row, place) => placeBar(row.querySelector("i"), steps[visible[place]]));
    drawAxis();
  };
  const placeBar = (bar, step) => {
    const begin = time.place(shownTime[0]), room = time.place(shownTime[1]) - begin || 1;
    const at = (ms) => Math.min(Math.max((time.place(ms) - begin) / room, 0), 1) * 99;
    bar.style.left = at(step.at).toFixed(3) + "%";
    bar.style.width = (at(Math.max(step.to, step.at)) - at(step.at)).toFixed(3) + "%";
  };

  const rail = (step, index, high, parents) => {
    const depth = Math.min(step.depth, 12), middle = high / 2;
    const width = (depth + 1) * LANE + 8;
    const svg = draw("svg", { class: "rail", width, height: high, "aria-hidden": "true" });
    const lanes = goesOn.get(index);
    let path = "";
    for (let lane = 1; lane < depth; lane += 1) if (lanes[lane]) path += `M${(lane - 1) * LANE + 18} 0V${high}`;
    const x = depth * LANE + 18;
    if (step.depth) {
      const above = (depth - 1) * LANE + 18;
      path += `M${above} 0V${middle - 8}Q${above} ${middle} ${above + 8} ${middle}H${x}`;
      if (lanes[step.depth]) path += `M${above} ${middle - 9}V${high}`;
    }
    if (parents.has(index)) path += `M${x} ${middle}V${high}`;
    svg.append(draw("path", { d: path }), draw("circle", { cx: x, cy: middle, r: step.kind === "user" ? 7 : step.kind === "thinking" ? 4 : 5.5 }));
    return svg;
  };

  const rowOf = (index, place, high) => {
    const step = steps[index];
    const row = make("div", "row" + (hasChildren(index) ? "" : " leaf") + (step.failed ? " failed" : "") + (isFiltered() && !matches.has(index) ? " context" : ""));
    row.id = "row-" + index;
    row.dataset.kind = step.kind;
    row.style.top = place * high + "px";
    row.setAttribute("role", "treeitem");
    row.setAttribute("aria-level", String(step.depth + 1));
    row.setAttribute("aria-selected", String(index === selected));
    const cell = make("div", "what-cell");
    cell.append(rail(step, index, high, goesOn.parents));
    if (hasChildren(index)) {
      const fold = make("button", "fold", collapsed.has(index) ? "▸" : "▾");
      fold.tabIndex = -1;
      fold.setAttribute("aria-label", "Fold");
      fold.addEventListener("click", (event) => { event.stopPropagation(); toggle(index); });
      row.setAttribute("aria-expanded", String(!collapsed.has(index)));
      cell.append(fold);
    }
    cell.append(wordsOf(step));
    const tokens = make("div", "tokens", step.tokens ? tokensText(step.tokens) : "");
    const time_ = make("div", "time");
    const bar = make("i");
    placeBar(bar, step);
    time_.append(bar);
    row.append(cell, tokens, make("div", "took", took(step.ms)), time_);
    row.addEventListener("click", () => { select(index); openDetail(); rowsBox.focus({ preventScroll: true }); });
    return row;
  };

  const tokensText = ([prompt, cached, completion, other]) => {
    if (other && !prompt && !completion) return number(other);
    return number(prompt) + (cached ? "+" + number(cached) : "") + " → " + number(completion);
  };

  const wordsOf = (step) => {
    const words = make("div", "words"), first = make("div", "first"), second = make("div", "second");
    first.append(make("b", "", step.name));
    if (step.kind === "tool") {
      first.append(make("span", "code", "(" + (step.text || "") + ")"));
      if (step.open) second.append(make("span", "open", "→ " + step.open));
      else second.append(make("span", "code", (step.failed ? "✗ " : "→ ") + (step.result || "")));
    } else {
      second.append(step.text || "");
      if (step.open) second.append(" ", make("span", "open", "→ " + step.open));
      else if (step.result) second.append(" → " + step.result);
    }
    if (step.notes && step.kind !== "tool") first.append(make("span", "code", "  " + step.notes.join(" · ")));
    words.append(first);
    if (second.hasChildNodes() && second.textContent) words.append(second);
    return words;
  };

  let parentsOf = null;
  const hasChildren = (index) => {
    if (!parentsOf) parentsOf = new Set(steps.map((step) => step.parent));
    return parentsOf.has(index);
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
    if (scroll) reveal(index);
    const row = $("row-" + index);
    if (row) row.setAttribute("aria-selected", "true");
    rowsBox.setAttribute("aria-activedescendant", "row-" + index);
    if (!detail.hidden) showDetail();
    drawOverview();
  };
  const reveal = (index) => {
    const place = visible.indexOf(index), high = rowHeight();
    if (place < 0) return;
    if (place * high < rowsBox.scrollTop) rowsBox.scrollTop = place * high;
    if ((place + 1) * high > rowsBox.scrollTop + rowsBox.clientHeight) rowsBox.scrollTop = (place + 1) * high - rowsBox.clientHeight;
    paint();
  };
  const move = (by) => {
    if (!visible.length) return;
    const place = visible.indexOf(selected);
    select(visible[Math.min(Math.max(place < 0 && Number.isFinite(by) ? 0 : place + by, 0), visible.length - 1)], true);
  };
  const nextProblem = (by) => {
    const places = visible.map((index, place) => (steps[index].failed || steps[index].open ? place : -1)).filter((place) => place >= 0);
    if (!places.length) return;
    const at = visible.indexOf(selected);
    const wanted = by > 0 ? places.find((place) => place > at) : places.slice().reverse().find((place) => place < at);
    select(visible[wanted === undefined ? (by > 0 ? places[0] : places[places.length - 1]) : wanted], true);
  };

  // The step that is looked at.
  const openDetail = () => { detail.hidden = false; document.body.classList.add("opened"); showDetail(); paint(); drawOverview(); };
  const closeDetail = () => { detail.hidden = true; document.body.classList.remove("opened"); rowsBox.focus({ preventScroll: true }); paint(); drawOverview(); };
  const showDetail = () => {
    const step = steps[selected];
    if (!step) { closeDetail(); return; }
    detail.dataset.kind = step.kind;
    detail.classList.toggle("failed", Boolean(step.failed));
    const head = make("div", "detail-head"), title = make("h2"), close = make("button", "", "✕");
    title.append(make("small", "", step.kind), step.name);
    close.type = "button";
    close.title = "Close (Esc)";
    close.setAttribute("aria-label", "Close");
    close.addEventListener("click", closeDetail);
    head.append(title, close);
    const list = make("dl");
    const first = trace.events[step.events[0]] || {};
    const facts = [["began", "+" + (took(step.at) || "0 ms")], ["took", took(step.ms)], ["state", step.open], ["user", first.externalUserId], ["span", first.spanId]];
    if (step.tokens) {
      const [prompt, cached, completion, other] = step.tokens;
      const counts = [[prompt, "in"], [cached, "cached"], [completion, "out"], [other, "other"]].filter(([count]) => count).map(([count, what]) => number(count) + " " + what);
      facts.push(["tokens", counts.join(" · ")]);
    }
    for (const [name, value] of facts) if (typeof value === "string" && value) list.append(make("dt", "", name), make("dd", "", value));
    const parts = [head, list];
    if (step.notes) {
      const notes = make("ul", "notes");
      notes.append(...step.notes.map((note) => make("li", "", note)));
      parts.push(notes);
    }
    let told = 0;
    for (const [name, place, way] of step.parts || []) {
      const value = way.reduce((at, key) => (at === null || at === undefined ? at : at[key]), trace.events[place]);
      if (value === undefined || value === "") continue;
      told += 1;
      const heading = make("h3", "", name);
      heading.append(copyButton(() => (typeof value === "string" ? value : jsonText(value))));
      parts.push(heading, typeof value === "string" ? textBox(value, name === "Stack") : jsonBox(value));
    }
    parts.push(make("h3", "", step.events.length === 1 ? "The event, as it was recorded" : "Its events, as they were recorded"));
    for (const event of eventsOf(step)) parts.push(eventBox(event, !told));
    detail.replaceChildren(...parts);
    detail.scrollTop = 0;
  };
  const eventBox = (event, isOpen) => {
    const box = make("details"), head = make("summary");
    head.append(make("code", "", String(event.eventType)), make("span", "", typeof event.timestamp === "string" ? event.timestamp.slice(11, -1) : ""), make("span", "grow"), copyButton(() => jsonText(event)));
    box.append(head);
    const fill = () => { if (box.open && box.children.length === 1) box.append(jsonBox(event)); };
    box.addEventListener("toggle", fill);
    box.open = isOpen;
    fill();
    return box;
  };
  const copyButton = (text) => {
    const button = make("button", "", "Copy");
    button.type = "button";
    button.addEventListener("click", (event) => {
      event.preventDefault();
      event.stopPropagation();
      const done = () => { button.textContent = "Copied"; setTimeout(() => { button.textContent = "Copy"; }, 1200); };
      const byHand = () => {
        const field = make("textarea");
        field.value = text();
        document.body.append(field);
        field.select();
        document.execCommand("copy");
        field.remove();
        done();
      };
      if (navigator.clipboard) navigator.clipboard.writeText(text()).then(done, byHand); else byHand();
    });
    return button;
  };
  const jsonText = (value) => JSON.stringify(value, null, 2).replace(/"\ue000(-?\d+)\ue001"/g, "$1");
  const textBox = (text, asCode) => filled(make("pre", asCode ? "" : "text"), text, plain);
  const jsonBox = (value) => filled(make("pre"), jsonText(value), colored);
  const filled = (box, text, fill) => {
    fill(box, text.length > MAX_SHOWN ? text.slice(0, MAX_SHOWN) : text);
    if (text.length <= MAX_SHOWN) return box;
    const whole = make("div"), more = make("button", "more", "Show all " + number(text.length) + " characters");
    more.type = "button";
    more.addEventListener("click", () => { box.textContent = text; more.remove(); });
    whole.append(box, more);
    return whole;
  };
  const plain = (box, text) => marked(box, text, "");
  const colored = (box, text) => {
    const token = /("(?:\\.|[^"\\])*")(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\b(?:true|false|null)\b/g;
    let at = 0;
    for (const found of text.matchAll(token)) {
      marked(box, text.slice(at, found.index), "");
      const style = found[1] ? (found[2] ? "j-key" : "j-text") : /[a-z]/.test(found[0][0]) ? "j-word" : "j-number";
      marked(box, found[1] || found[0], style);
      if (found[2]) box.append(found[2]);
      at = found.index + found[0].length;
    }
    marked(box, text.slice(at), "");
  };
  // Put a text into a box, in a style, with what is searched for marked.
  const marked = (box, text, style) => {
    if (!text) return;
    const target = style ? make("span", style) : box;
    const wanted = filter.text, lower = wanted ? text.toLowerCase() : "";
    let at = 0;
    if (wanted && lower.length === text.length) {
      for (let found = lower.indexOf(wanted); found >= 0; found = lower.indexOf(wanted, at)) {
        target.append(text.slice(at, found), make("mark", "", text.slice(found, found + wanted.length)));
        at = found + wanted.length;
      }
    }
    target.append(text.slice(at));
    if (style) box.append(target);
  };

  // The overview: all steps at once, in their order from top to bottom, and what is on the screen of them.
  const drawOverview = () => {
    const canvas = $("overview"), ratio = devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width || !height) return;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const pen = canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue("--" + name);
    pen.scale(ratio, ratio);
    const room = height - 8, each = room / Math.max(visible.length, 1), thick = Math.max(Math.min(each - 1, 6), 1);
    const high = rowHeight();
    pen.fillStyle = color("hover");
    for (const [from, to] of time.pauses) pen.fillRect(time.place(from) * width, 0, Math.max((time.place(to) - time.place(from)) * width, 2), height);
    if (visible.length * high > rowsBox.clientHeight) {
      pen.fillStyle = color("choice");
      pen.fillRect(0, 4 + (rowsBox.scrollTop / high) * each, width, Math.max((rowsBox.clientHeight / high) * each, 3));
    }
    visible.forEach((index, place) => {
      const step = steps[index];
      pen.globalAlpha = isFiltered() && !matches.has(index) ? 0.25 : 1;
      pen.fillStyle = color(step.failed ? "error" : step.kind);
      const from = time.place(step.at) * (width - 3), to = time.place(Math.max(step.to, step.at)) * (width - 3);
      pen.fillRect(from, 4 + place * each, Math.max(to - from, 2), thick);
    });
    pen.globalAlpha = 1;
    if (selected >= 0) {
      pen.fillStyle = color("text");
      const place = visible.indexOf(selected);
      if (place >= 0) pen.fillRect(0, 4 + place * each, 6, Math.max(thick, 2));
    }
  };
  const drawAxis = () => {
    const [begin, end] = shownTime;
    const first = time.place(begin), room = time.place(end) - first || 1;
    const marks = [[0, begin ? "+" + took(begin) : "0", "from"], [1, "+" + took(end), "to"]];
    for (const [from, to] of time.pauses) {
      const at = ((time.place(from) + time.place(to)) / 2 - first) / room;
      if (at > 0.12 && at < 0.8 && marks.every(([other]) => Math.abs(other - at) > 0.22 || other > 0.99)) marks.push([at, "⋯ " + took(to - from) + " ⋯", ""]);
    }
    $("axis").replaceChildren(...marks.map(([at, text, style]) => {
      const mark = make("span", style, text);
      mark.style.left = at * 99 + "%";
      return mark;
    }));
  };

  // Traces, themes, keys.
  const showTrace = (place) => {
    trace = data.traces[place];
    steps = trace.steps;
    parentsOf = null;
    selected = -1;
    collapsed = new Set();
    time = timeline();
    rowsBox.scrollTop = 0;
    detail.hidden = true;
    document.body.classList.remove("opened");
    showSummary();
    showFilters();
    showGraph();
    shownTime = [0, -1];
    setFilter({ tool: "" });
  };
  // Who serves this page hands the traces in again when they have grown; what one looks at stays where it is.
  const renew = (traces) => {
    const nameOf = (step) => step && step.kind + "\u0000" + ((trace.events[step.events[0]] || {}).idempotencyKey || step.events[0]);
    const chosen = nameOf(steps[selected]), known = steps[selected] && steps[selected].events.length;
    const folded = new Set([...collapsed].map((index) => nameOf(steps[index])));
    const top = rowsBox.scrollTop, isAtEnd = top > 0 && top + rowsBox.clientHeight >= rowsBox.scrollHeight - 4;
    data.traces = traces;
    trace = traces[Math.max($("traces").selectedIndex, 0)];
    steps = trace.steps;
    parentsOf = null;
    time = timeline();
    const names = steps.map(nameOf);
    selected = names.indexOf(chosen);
    collapsed = new Set(names.flatMap((name, index) => (folded.has(name) ? [index] : [])));
    showSummary();
    showFilters();
    showGraph();
    shownTime = [0, -1];
    setFilter({});
    rowsBox.scrollTop = isAtEnd ? rowsBox.scrollHeight : top;
    paint();
    if (!detail.hidden && (!steps[selected] || steps[selected].events.length !== known)) showDetail();
  };
  const setTheme = (name) => { document.documentElement.dataset.theme = name; if (time) drawOverview(); };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let themeChosen = false;
  setTheme(dark.matches ? "dark" : "light");
  dark.addEventListener("change", () => { if (!themeChosen) setTheme(dark.matches ? "dark" : "light"); });
  const switchTheme = () => { themeChosen = true; setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"); };

  const KEYS = [["↓ ↑  or  j k", "next, previous step"], ["Enter", "look at the step"], ["Esc", "close it; clear the search"], ["→ ←", "unfold, fold; to the parent"], ["n  N", "next, previous problem"], ["Home End", "first, last step"], ["/", "search"], ["e  s", "problems only; slow steps only"], ["g", "decision graph"], ["t", "light or dark"], ["?", "these keys"]];
  const showKeys = () => {
    const table = make("table"), body = make("tbody");
    for (const [keys, what] of KEYS) {
      const row = make("tr"), cell = make("td");
      for (const key of keys.split(/\s+/)) cell.append(key === "or" ? " or " : make("kbd", "", key), " ");
      row.append(cell, make("td", "", what));
      body.append(row);
    }
    table.append(body);
    $("keys").replaceChildren(make("h2", "", "Keys"), table);
    $("keys").showModal();
  };

  const onKey = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || $("keys").open) return;
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "Escape") {
      if (typing && event.target.id === "search" && filter.text) { $("search").value = ""; setFilter({ text: "" }); }
      else if (!detail.hidden) closeDetail();
      else rowsBox.focus();
      event.preventDefault();
      return;
    }
    if (typing) {
      if (event.target.id === "search" && (event.key === "Enter" || event.key === "ArrowDown")) {
        const found = visible.find((index) => matches.has(index));
        if (found !== undefined) select(found, true);
        rowsBox.focus();
        event.preventDefault();
      }
      return;
    }
    const inDetail = detail.contains(event.target);
    if (inDetail && /^(Arrow|Home|End|Enter)/.test(event.key)) return;
    if (/^(BUTTON|SUMMARY)$/.test(event.target.tagName) && event.key === "Enter") return;
    const actions = {
      ArrowDown: () => move(1), j: () => move(1), ArrowUp: () => move(-1), k: () => move(-1),
      PageDown: () => move(Math.floor(rowsBox.clientHeight / rowHeight())), PageUp: () => move(-Math.floor(rowsBox.clientHeight / rowHeight())),
      Home: () => move(-Infinity), End: () => move(Infinity),
      Enter: () => { if (selected < 0) move(0); if (selected >= 0) openDetail(); },
      ArrowRight: () => { if (selected >= 0 && collapsed.has(selected)) toggle(selected, false); else move(1); },
      ArrowLeft: () => {
        if (selected >= 0 && hasChildren(selected) && !collapsed.has(selected)) toggle(selected, true);
        else if (selected >= 0 && steps[selected].parent >= 0) select(steps[selected].parent, true);
      },
      n: () => nextProblem(1), N: () => nextProblem(-1),
      "/": () => { $("search").focus(); $("search").select(); },
      e: () => setFilter({ errors: !filter.errors }), s: () => setFilter({ slow: !filter.slow }),
      g: () => { $("graph-box").open = !$("graph-box").open; }, t: switchTheme, "?": showKeys,
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  };

  document.addEventListener("keydown", onKey);
  document.addEventListener("whyops-traces", (event) => { event.preventDefault(); renew(event.detail); });
  $("theme").addEventListener("click", switchTheme);
  $("help").addEventListener("click", showKeys);
  $("keys").addEventListener("click", () => $("keys").close());
  $("search").addEventListener("input", () => setFilter({ text: $("search").value.trim().toLowerCase() }));
  $("tool").addEventListener("change", () => setFilter({ tool: $("tool").value }));
  $("user").addEventListener("change", () => setFilter({ user: $("user").value }));
  $("errors").addEventListener("click", () => setFilter({ errors: !filter.errors }));
  $("slow").addEventListener("click", () => setFilter({ slow: !filter.slow }));
  $("clear").addEventListener("click", () => { $("search").value = ""; setFilter({ text: "", tool: "", user: "", errors: false, slow: false }); });
  $("traces").addEventListener("change", () => showTrace($("traces").selectedIndex));
  let asked = false;
  rowsBox.addEventListener("scroll", () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; paint(); drawOverview(); });
  }, { passive: true });
  let size = "";
  addEventListener("resize", () => {
    const now = String(rowHeight());
    if (now !== size) { size = now; refresh(); } else { paint(); drawOverview(); }
  });
  $("graph-box").addEventListener("toggle", () => { if (time) { paint(); drawOverview(); } });
  $("overview").addEventListener("click", (event) => {
    const place = Math.floor(((event.offsetY - 4) / ($("overview").clientHeight - 8)) * visible.length);
    if (visible.length) select(visible[Math.min(Math.max(place, 0), visible.length - 1)], true);
  });

  size = String(rowHeight());
  $("app").hidden = false;
  if (data.traces.length > 1) {
    $("traces").hidden = false;
    $("traces").replaceChildren(...data.traces.map((one) => new Option(one.id + (one.errors ? "  ✗" : ""))));
  }
  if (matchMedia("(max-width: 760px)").matches || innerHeight < 620) $("graph-box").open = false;
  showTrace(0);
  const wanted = /^#(\d+)$/.exec(location.hash);  // run.html#7 opens the seventh step
  if (wanted && steps[wanted[1] - 1]) { select(Number(wanted[1]) - 1, true); openDetail(); }
})();
