
  // Traces, themes, keys.
  const begin = (place) => {
    trace = data.traces[place];
    trace.events = trace.counts.events;
    said = new Map();
    haystacks = [];
    steps = stepsOf(trace);
    trace.tally = tallied();
    time = timeline();
  };
  const showTrace = (place) => {
    begin(place);
    selected = -1;
    unfolded = new Set();
    collapsed = new Set();
    range = null;
    $("whole").hidden = true;
    if (steps.length > FOLDED_FROM) collapsed = new Set(steps.filter((step) => step.children && step.depth >= 1).map((step) => step.index));
    rowsBox.scrollTop = 0;
    detail.hidden = true;
    document.body.classList.remove("opened");
    showCard();
    showFilters();
    $("graph").replaceChildren();
    $("table").replaceChildren();
    shown = [0, -1];
    setFilter({ tool: "", who: "" });
    if (steps.length < SLOW_FROM) showPanels(); else setTimeout(showPanels, 0, trace);
  };
  // Of a very long run the steps come first.
  const showPanels = (wanted = trace) => {
    if (wanted !== trace) return;
    showGraph();
    showTable();
    markGraph();
    resized();
  };
  // Who serves this page hands the traces in again when they have grown; what one looks at stays where it is.
  const nameOf = (step) => {
    const [first] = saidBy(step).events || [], found = /"idempotencyKey": ?"([^"]*)"/.exec(lines[trace.firstEvent + first] || "");
    return step.kind + KEY + (found ? found[1] : first);
  };
  const renew = (traces) => {
    const chosen = steps[selected] && nameOf(steps[selected]), known = steps[selected] && (saidBy(steps[selected]).events || []).length;
    const folded = new Set([...collapsed].map((index) => nameOf(steps[index]))), wasRange = range;
    const top = rowsBox.scrollTop, isAtEnd = top > 0 && top + rowsBox.clientHeight >= rowsBox.scrollHeight - 4;
    take(traces);
    begin(Math.max($("traces").selectedIndex, 0));
    const names = steps.map(nameOf);
    selected = chosen === undefined ? -1 : names.indexOf(chosen);
    collapsed = new Set(steps.filter((step, index) => step.children && folded.has(names[index])).map((step) => step.index));
    showCard();
    showFilters();
    shown = [0, -1];
    range = wasRange;
    setFilter({});
    showPanels();
    rowsBox.scrollTop = isAtEnd ? rowsBox.scrollHeight : top;
    paint();
    if (!detail.hidden && (!steps[selected] || (saidBy(steps[selected]).events || []).length !== known)) showDetail();
  };
  const setTheme = (name) => { document.documentElement.dataset.theme = name; if (time) drawOverview(true); };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let themeChosen = false;
  setTheme(dark.matches ? "dark" : "light");
  dark.addEventListener("change", () => { if (!themeChosen) setTheme(dark.matches ? "dark" : "light"); });
  const switchTheme = () => { themeChosen = true; setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"); };

  const KEYS = [["↓ ↑  or  j k", "next, previous step"], ["Enter", "look at the step"], ["Esc", "close it; clear the search"], ["→ ←", "unfold, fold; to the parent"], ["1 … 9  0", "fold to that level; unfold all"], ["n  N", "next, previous problem"], ["Home End", "first, last step"], ["+ -  z", "zoom in, out; the time of what is on the screen"], ["< >", "earlier, later, when zoomed in"], ["/", "search"], ["e  s  m", "problems only; slow steps only; model calls only"], ["g  G  w", "decision graph; larger; time and tokens"], ["t", "light or dark"], ["?", "these keys"]];
  const showKeys = () => {
    const table = make("table"), body = make("tbody");
    for (const [keys, what] of KEYS) {
      const row = make("tr"), cell = make("td");
      for (const key of keys.split(/\s+/)) cell.append(key === "or" || key === "…" ? " " + key + " " : make("kbd", "", key), " ");
      row.append(cell, make("td", "", what));
      body.append(row);
    }
    table.append(body);
    $("keys").replaceChildren(make("h2", "", "Keys"), table);
    $("keys").showModal();
  };

  const enlarge = () => {
    const isLarge = document.querySelector(".panels").classList.toggle("large");
    $("large").setAttribute("aria-pressed", String(isLarge));
    if (isLarge) $("graph-box").open = true;
    resized();
  };
  const page = () => Math.floor(rowsBox.clientHeight / rowHeight());
  const ACTIONS = {
    ArrowDown: () => move(1), j: () => move(1), ArrowUp: () => move(-1), k: () => move(-1), PageDown: () => move(page()), PageUp: () => move(-page()),
    Home: () => move(-Infinity), End: () => move(Infinity),
    Enter: () => { if (selected < 0) move(0); if (selected >= 0) openDetail(); },
    ArrowRight: () => { if (selected >= 0 && collapsed.has(selected)) toggle(selected, false); else move(1); },
    ArrowLeft: () => {
      if (selected >= 0 && steps[selected].children && !collapsed.has(selected)) toggle(selected, true);
      else if (selected >= 0 && steps[selected].parent >= 0) select(steps[selected].parent, true);
    },
    n: () => nextProblem(1), N: () => nextProblem(-1),
    "+": () => zoomBy(0.5), "=": () => zoomBy(0.5), "-": () => zoomBy(2), z: () => setRange(null), "<": () => panBy(-0.5), ">": () => panBy(0.5),
    "/": () => { $("search").focus(); $("search").select(); },
    e: () => setFilter({ errors: !filter.errors }), s: () => setFilter({ slow: !filter.slow }),
    m: () => setFilter({ tool: filter.tool === "model" + KEY ? "" : "model" + KEY, who: "" }),
    g: () => { $("graph-box").open = !$("graph-box").open; }, G: () => enlarge(), w: () => { $("table-box").open = !$("table-box").open; }, t: switchTheme, "?": () => showKeys(),
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
        search();
        const found = visible.find((index) => matches.has(index));
        if (found !== undefined) select(found, true);
        rowsBox.focus();
        event.preventDefault();
      }
      return;
    }
    if ((detail.contains(event.target) || $("graph").contains(event.target) || $("table").contains(event.target)) && /^(Arrow|Home|End|Enter|Page)/.test(event.key)) return;
    if (/^(BUTTON|SUMMARY)$/.test(event.target.tagName) && event.key === "Enter") return;
    const action = /^\d$/.test(event.key) ? () => foldTo(Number(event.key)) : ACTIONS[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  };

  // Search: at once, but in a very long run when the typing rests.
  let waiting = 0;
  const search = () => {
    clearTimeout(waiting);
    const text = $("search").value.trim().toLowerCase();
    if (text !== filter.text) setFilter({ text });
  };

  document.addEventListener("keydown", onKey);
  document.addEventListener("whyops-traces", (event) => { event.preventDefault(); renew(event.detail); });
  $("theme").addEventListener("click", switchTheme);
  $("help").addEventListener("click", showKeys);
  $("keys").addEventListener("click", () => $("keys").close());
  $("search").addEventListener("input", () => {
    if (steps.length < SLOW_FROM) { search(); return; }
    clearTimeout(waiting);
    waiting = setTimeout(search, 150);
  });
  for (const name of ["tool", "who", "user"]) $(name).addEventListener("change", () => setFilter({ [name]: $(name).value }));
  for (const name of ["errors", "slow"]) $(name).addEventListener("click", () => setFilter({ [name]: !filter[name] }));
  $("level").addEventListener("change", () => { if ($("level").value !== "") foldTo(Number($("level").value)); $("level").value = ""; });
  $("clear").addEventListener("click", () => { $("search").value = ""; setFilter({ text: "", tool: "", who: "", user: "", errors: false, slow: false }); });
  $("traces").addEventListener("change", () => showTrace($("traces").selectedIndex));
  $("large").addEventListener("click", enlarge);
  $("in").addEventListener("click", () => zoomBy(0.5));
  $("out").addEventListener("click", () => zoomBy(2));
  $("whole").addEventListener("click", () => setRange(null));

  // A part of the axis is zoomed to by drawing over it, or with the wheel and Ctrl.
  const placeOn = (event) => {
    const box = $("axis").getBoundingClientRect();
    return shown[0] + Math.min(Math.max((event.clientX - box.left) / (box.width * 0.99), 0), 1) * (shown[1] - shown[0]);
  };
  let drawn = null;
  $("axis").addEventListener("pointerdown", (event) => { drawn = placeOn(event); $("axis").setPointerCapture(event.pointerId); event.preventDefault(); });
  $("axis").addEventListener("pointerup", (event) => {
    const to = placeOn(event), from = drawn;
    drawn = null;
    if (from !== null && Math.abs(to - from) > (shown[1] - shown[0]) * 0.01) setRange([Math.min(from, to), Math.max(from, to)]);
  });
  $("axis").addEventListener("dblclick", () => setRange(null));
  rowsBox.addEventListener("wheel", (event) => {
    const box = $("axis").getBoundingClientRect();
    if (!event.ctrlKey || event.clientX < box.left || !box.width) return;
    event.preventDefault();
    zoomBy(event.deltaY > 0 ? 1.4 : 1 / 1.4, placeOn(event));
  }, { passive: false });

  let asked = false;
  rowsBox.addEventListener("scroll", () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; paint(); drawOverview(); });
  }, { passive: true });
  let size = "";
  const resized = () => { fitGraph(); drawAxis(); paint(); drawOverview(); };
  addEventListener("resize", () => {
    const now = String(rowHeight());
    if (now !== size) { size = now; fitGraph(); drawAxis(); refresh(); } else resized();
  });
  for (const name of ["graph-box", "table-box"]) $(name).addEventListener("toggle", () => { if (time) resized(); });
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
  if (isNarrow.matches || innerHeight < 620) $("graph-box").open = $("table-box").open = false;
  showTrace(0);
  const wanted = /^#(\d+)$/.exec(location.hash);  // run.html#7 opens the seventh step
  if (wanted && steps[wanted[1] - 1]) { select(Number(wanted[1]) - 1, true); openDetail(); }
})();
