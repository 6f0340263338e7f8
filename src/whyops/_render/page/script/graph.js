
  // The decision graph: each model and tool once, and who called whom how often. Calls go from left to right, and loops back around.
  const WIDE = 176, HIGH = 38, SPACE = 12, BUS = 10, GAP = 84, MOST_IN_COLUMN = 8;
  let unfolded = new Set();

  const graphOf = () => {
    const nodes = new Map(), edges = new Map(), above = [];
    let lastUser = null;
    for (const step of steps) {
      const parent = step.parent < 0 ? null : above[step.parent];
      if (step.kind === "thinking" || step.kind === "other") { above.push(parent); continue; }
      const who = step.kind === "model" ? step.who : "", key = step.key + (who ? KEY + KEY + who : "");
      if (!nodes.has(key)) nodes.set(key, { key, who, tool: step.key, kind: step.kind, name: step.kind === "user" ? "user" : step.name, column: parent ? parent.column + 1 : step.kind === "user" ? 0 : 1, count: 0, ms: 0, timed: 0, failed: 0 });
      const node = nodes.get(key);
      node.count += 1;
      if (step.ms !== null) { node.ms += step.ms; node.timed += 1; }
      node.failed += step.failed ? 1 : 0;
      if (step.kind === "user") lastUser = node;
      const from = parent || (step.kind === "user" ? null : lastUser);
      if (from) {
        const name = from.key + "\u0001" + key;
        if (!edges.has(name)) edges.set(name, { from, to: node, count: 0 });
        edges.get(name).count += 1;
      }
      above.push(node);
    }
    return { nodes: [...nodes.values()], edges: [...edges.values()] };
  };

  // Of a column with many boxes the ones that were called most, or failed, are drawn; the rest is one box, which shows them when it is chosen.
  const withRest = ({ nodes, edges }) => {
    const columns = [], stands = new Map();
    for (const node of nodes) (columns[node.column] = columns[node.column] || []).push(node);
    const kept = columns.filter(Boolean).map((column, place) => {
      column.forEach((node) => { node.column = place; stands.set(node, node); });
      if (column.length <= MOST_IN_COLUMN + 1 || unfolded.has(place)) return column;
      const first = column.slice().sort((a, b) => b.failed - a.failed || b.count - a.count).slice(0, MOST_IN_COLUMN);
      const rest = column.filter((node) => !first.includes(node));
      const box = { key: "rest" + place, rest: rest.length, kind: "other", name: number(rest.length) + " more", column: place, count: rest.reduce((sum, one) => sum + one.count, 0), failed: 0, timed: 0 };
      for (const node of rest) stands.set(node, box);
      return [...column.filter((node) => first.includes(node)), box];
    });
    const merged = new Map();
    for (const { from, to, count } of edges) {
      const ends = [stands.get(from), stands.get(to)], name = ends.map((node) => node.key).join("\u0001");
      if (!merged.has(name)) merged.set(name, { from: ends[0], to: ends[1], count: 0 });
      merged.get(name).count += count;
    }
    return { columns: kept, edges: [...merged.values()] };
  };

  // What passes a column takes a lane of its own between the boxes, one for each box it leads to: so no line is ever under a box.
  const withLanes = ({ columns, edges }) => {
    const items = columns.map((column) => column.slice()), lanes = new Map();
    for (const edge of edges) {
      const { from, to } = edge, isForward = to.column > from.column, way = [];
      const first = isForward ? from.column + 1 : from.column, last = isForward ? to.column - 1 : to.column;
      if (from === to) { edge.way = []; continue; }
      for (let column = first; isForward ? column <= last : column >= last; column += isForward ? 1 : -1) {
        const name = [to.key, isForward, column].join("\u0001");
        if (!lanes.has(name)) {
          lanes.set(name, { isLane: true, column, near: [] });
          items[column].push(lanes.get(name));
        }
        way.push(lanes.get(name));
      }
      edge.way = way;
      edge.isForward = isForward;
      [from, ...way, to].forEach((one, place, all) => {
        one.near = one.near || [];
        if (place) { one.near.push(all[place - 1]); (all[place - 1].near = all[place - 1].near || []).push(one); }
      });
    }
    for (let turn = 0; turn < 6; turn += 1) {
      for (const column of turn % 2 ? items.slice().reverse() : items) {
        column.forEach((one, place) => { one.place = place; });
        for (const one of column) {
          const near = (one.near || []).filter((other) => other.column !== one.column && other.place !== undefined);
          one.wish = near.length ? near.reduce((sum, other) => sum + other.place / items[other.column].length, 0) / near.length * column.length : one.place;
        }
        column.sort((a, b) => a.wish - b.wish);
        column.forEach((one, place) => { one.place = place; });
      }
    }
    return { items, edges };
  };

  const placed = ({ items, edges }) => {
    const highs = items.map((column) => column.reduce((sum, one) => sum + (one.isLane ? BUS : HIGH + SPACE), SPACE));
    const height = Math.max(...highs, HIGH + 2 * SPACE);
    items.forEach((column, place) => {
      let y = (height - highs[place]) / 2 + SPACE;
      for (const one of column) {
        one.x = 22 + place * (WIDE + GAP);
        one.y = y + (one.isLane ? -SPACE / 2 + BUS / 2 : 0);
        y += one.isLane ? BUS : HIGH + SPACE;
      }
    });
    const ports = new Map();
    const port = (node, side, edge) => {
      const name = side + node.key;
      if (!ports.has(name)) ports.set(name, { node, edges: [] });
      ports.get(name).edges.push(edge);
    };
    for (const edge of edges) { port(edge.from, "out", edge); port(edge.to, "in", edge); }
    for (const [name, { node, edges: own }] of ports) {
      const isOut = name.startsWith("out");
      const other = (edge) => { const way = edge.way; const one = isOut ? way[0] || edge.to : way[way.length - 1] || edge.from; return one === node ? Infinity : one.y; };
      own.sort((a, b) => other(a) - other(b)).forEach((edge, place) => { edge[isOut ? "y1" : "y2"] = node.y + HIGH * (place + 1) / (own.length + 1); });
    }
    return { height, width: Math.max(68 + items.length * (WIDE + GAP) - GAP, 0) };
  };

  // A line from box to box; on the way through lanes it is level there, and bends only between the columns.
  const pathOf = (edge) => {
    const { from, to, way, y1, y2 } = edge;
    if (from === to) {
      const x = from.x + WIDE;
      return { d: `M${x} ${from.y + 9}C${x + 34} ${from.y - 8} ${x + 34} ${from.y + HIGH + 8} ${x + 6} ${from.y + HIGH - 9}`, x: x + 27, y: from.y + HIGH / 2 };
    }
    const ends = [[from.x + WIDE, y1, 1]];
    for (const lane of way) {
      const [enter, leave] = edge.isForward ? [lane.x - 4, lane.x + WIDE + 4] : [lane.x + WIDE + 8, lane.x - 8];
      ends.push([enter, lane.y, edge.isForward ? 1 : -1], [leave, lane.y, edge.isForward ? 1 : -1]);
    }
    ends.push([to.x - 7, y2, 1]);
    let d = `M${ends[0][0]} ${ends[0][1]}`;
    for (let place = 1; place < ends.length; place += 1) {
      const [x0, from0, way0] = ends[place - 1], [x1, to1, way1] = ends[place];
      if (from0 === to1 && way0 === way1 && place % 2 === 0) { d += `H${x1}`; continue; }
      const bend = way0 === way1 ? Math.abs(x1 - x0) / 2 : 26;
      d += `C${x0 + way0 * bend} ${from0} ${x1 - way1 * bend} ${to1} ${x1} ${to1}`;
    }
    const [x0, y0, way0] = ends[ends.length - 2], isTurn = way0 < 0, x1 = to.x - 7;
    const spots = [0.5, 0.64, 0.36, 0.76, 0.24].map((at) => [isTurn ? Math.min(x0, x1) - 20 : x0 + (x1 - x0) * at, y0 + (y2 - y0) * at * at * (3 - 2 * at)]);
    return { d, x: spots[0][0], y: spots[0][1], spots };
  };

  const showGraph = () => {
    const laid = withLanes(withRest(graphOf())), { width, height } = placed(laid);
    const svg = draw("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": "Decision graph" });
    const tip = draw("marker", { id: "tip", viewBox: "0 0 8 8", refX: 1, refY: 4, markerWidth: 8, markerHeight: 8, markerUnits: "userSpaceOnUse", orient: "auto" });
    tip.append(draw("path", { d: "M0 0L8 4L0 8z" }));
    const holder = draw("defs", {});
    holder.append(tip);
    svg.append(holder);
    const most = Math.max(1, ...laid.edges.map((edge) => edge.count)), labels = [], taken = [];
    for (const edge of laid.edges.slice().sort((a, b) => b.count - a.count)) {
      const { d, x, y, spots } = pathOf(edge), text = "×" + number(edge.count), half = text.length * 3.4;
      edge.line = draw("path", { class: "edge" + (edge.from === edge.to ? " loop" : ""), d, "stroke-width": (1 + 2.4 * Math.sqrt(edge.count / most)).toFixed(1), "marker-end": "url(#tip)" });
      const spot = edge.count > 1 && (spots || [[x, y]]).find(([left, top]) => taken.every(([l, t, h]) => Math.abs(l - left) > h + half + 2 || Math.abs(t - top) > 12));
      if (spot) taken.push([...spot, half]);
      const [left, top] = spot || [x, y];
      edge.label = draw("text", { class: "edge-count" + (spot ? "" : " crowded"), x: left, y: top + 3.5 }, text);
      svg.append(edge.line);
      labels.push(edge.label);
    }
    for (const node of laid.items.flat().filter((one) => !one.isLane)) svg.append(boxOf(node, laid.edges, svg));
    svg.append(...labels);
    svg.size = [width, height];
    $("graph").replaceChildren(svg);
    fitGraph();
  };
  // A graph that is a little too large is drawn smaller; a larger one is scrolled.
  const fitGraph = () => {
    const svg = $("graph").firstElementChild, { clientWidth, clientHeight } = $("graph");
    if (!svg || !clientWidth) return;
    const [width, height] = svg.size, most = Math.max(parseFloat(getComputedStyle($("graph")).maxHeight) || clientHeight, 150) - 8;
    const scale = Math.min(1, Math.max(clientWidth / width, 0.62), Math.max(most / height, 0.62));
    svg.setAttribute("width", width * scale);
    svg.setAttribute("height", height * scale);
  };

  const boxOf = (node, edges, svg) => {
    const group = draw("g", { class: "node" + (node.failed ? " bad" : "") + (node.rest ? " rest" : ""), "data-kind": node.kind, tabindex: "0", role: "button", transform: `translate(${node.x} ${node.y})` });
    const cut = (text) => (text.length > 21 ? text.slice(0, 20) + "…" : text);
    const told = ["×" + number(node.count)];
    if (node.timed) told.push("avg " + took(node.ms / node.timed));
    if (node.failed) told.push(counted(node.failed, "error"));
    group.append(draw("rect", { class: "box", width: WIDE, height: HIGH }), draw("rect", { class: "tab", x: 0, y: 8, width: 4, height: HIGH - 16 }));
    group.append(draw("text", { class: "what", x: 13, y: 16 }, cut(node.who || node.name)), draw("text", { class: "how", x: 13, y: 30 }, told.join(" · ")));
    group.append(draw("title", {}, (node.who ? node.who + ": " : "") + node.name));
    group.node = node;
    if (!node.rest) group.setAttribute("aria-pressed", "false");
    const choose = () => {
      if (node.rest) { unfolded.add(node.column); showGraph(); markGraph(); return; }
      const same = filter.tool === node.tool && (filter.who === node.who || !node.who);
      setFilter(same ? { tool: "", who: "" } : { tool: node.tool, who: node.who || "" });
    };
    group.addEventListener("click", choose);
    group.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); event.stopPropagation(); choose(); }
    });
    const light = (on) => {
      svg.classList.toggle("hovered", on);
      for (const one of svg.querySelectorAll(".lit")) one.classList.remove("lit");
      if (!on) return;
      const near = new Set([node]);
      for (const edge of edges) {
        if (edge.from !== node && edge.to !== node) continue;
        near.add(edge.from).add(edge.to);
        edge.line.classList.add("lit");
        edge.label.classList.add("lit");
      }
      for (const one of svg.querySelectorAll(".node")) if (near.has(one.node)) one.classList.add("lit");
    };
    for (const [name, on] of [["mouseenter", true], ["mouseleave", false], ["focus", true], ["blur", false]]) group.addEventListener(name, () => light(on));
    return group;
  };

  const markGraph = () => {
    for (const group of $("graph").querySelectorAll(".node")) {
      const { tool, who, rest } = group.node;
      if (!rest) group.setAttribute("aria-pressed", String(filter.tool === tool && (!who || !filter.who || filter.who === who)));
    }
  };
