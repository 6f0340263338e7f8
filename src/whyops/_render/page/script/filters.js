
  // Filters.
  const GROUPS = [["tool", "Tools", "All tool calls"], ["model", "Models", "All model calls"], ["user", "Users' messages"], ["thinking", "Thinking", "All thinking"], ["embedding", "Embeddings", "All embeddings"], ["error", "Errors"]];
  const showFilters = () => {
    const counts = new Map(), kinds = new Map(), whos = new Map();
    for (const step of steps) {
      counts.set(step.key, (counts.get(step.key) || 0) + 1);
      kinds.set(step.kind, (kinds.get(step.kind) || 0) + 1);
      if (step.who) whos.set(step.who, (whos.get(step.who) || 0) + 1);
    }
    const options = [new Option("All steps", "")];
    for (const [kind, title, all] of GROUPS) {
      if (!kinds.has(kind)) continue;
      const group = make("optgroup");
      group.label = title;
      if (all) group.append(new Option(all + "  ×" + number(kinds.get(kind)), kind + KEY));
      for (const [key, count] of counts) if (key.split(KEY)[0] === kind && kind !== "thinking") group.append(new Option((key.split(KEY)[1] || "user") + "  ×" + number(count), key));
      options.push(group);
    }
    $("tool").replaceChildren(...options);
    $("who").replaceChildren(new Option("All agents and nodes", ""), ...[...whos].map(([who, count]) => new Option(who + "  ×" + number(count), who)));
    $("who").hidden = !whos.size;
    document.body.classList.toggle("with-who", whos.size > 0);
    const users = [...new Set(data.traces.flatMap((one) => one.users))];
    $("user").replaceChildren(new Option("All users", ""), ...users.map((user) => new Option(user, user)));
    $("user").hidden = users.length < 2;
    $("errors").textContent = counted(steps.filter((step) => step.failed || step.open).length, "problem");
    const times = Float64Array.from(steps.filter((step) => step.ms !== null), (step) => step.ms).sort();
    trace.slow = times.length ? times[Math.floor(times.length * 0.9)] : 0;
    $("slow").textContent = "Slow" + (trace.slow ? " ≥ " + took(trace.slow) : "");
    $("slow").hidden = times.length < 2;
    const deepest = Math.min(steps.reduce((most, step) => (step.children ? Math.max(most, step.depth + 1) : most), 0), 8);
    $("level").replaceChildren(new Option("Fold…", ""), ...Array.from({ length: deepest }, (_, level) => new Option("to level " + (level + 1), level + 1)), new Option("unfold all", 0));
    $("level").hidden = !deepest;
  };

  const passes = (step) => {
    if (filter.errors && !step.failed && !step.open) return false;
    if (filter.slow && !(step.ms !== null && step.ms >= trace.slow)) return false;
    if (filter.tool && !isKey(filter.tool, step)) return false;
    if (filter.who && step.who !== filter.who) return false;
    if (filter.user && !(step.users || []).includes(filter.user)) return false;
    return !filter.text || haystack(step).includes(filter.text);
  };
  const isFiltered = () => Boolean(filter.errors || filter.slow || filter.tool || filter.who || filter.user || filter.text);

  const setFilter = (change) => {
    filter = { ...filter, ...change };
    for (const name of ["tool", "who", "user"]) $(name).value = filter[name];
    for (const name of ["errors", "slow"]) $(name).setAttribute("aria-pressed", String(filter[name]));
    $("clear").hidden = !isFiltered();
    markGraph();
    markTable();
    refresh();
  };
  const foldTo = (level) => {
    collapsed = new Set(level ? steps.filter((step) => step.children && step.depth >= level - 1).map((step) => step.index) : []);
    refresh();
  };
  const unfoldTo = (index) => {
    let changed = false;
    for (let at = steps[index].parent; at >= 0; at = steps[at].parent) changed = collapsed.delete(at) || changed;
    if (changed) refresh();
  };

  let places = new Map();
  const refresh = () => {
    matches = new Set();
    const shown = new Set(), hidden = new Set(), filtered = isFiltered();
    for (const step of steps) {
      if (!passes(step)) continue;
      matches.add(step.index);
      for (let at = step.index; at >= 0 && !shown.has(at); at = steps[at].parent) shown.add(at);
    }
    visible = [];
    places = new Map();
    for (const { index, parent } of steps) {
      if (parent >= 0 && (hidden.has(parent) || (collapsed.has(parent) && !filtered))) { hidden.add(index); continue; }
      if (shown.has(index)) { places.set(index, visible.length); visible.push(index); }
    }
    lastOfParent();
    $("count").textContent = filtered ? number(matches.size) + " of " + counted(steps.length, "step") : counted(steps.length, "step") + (visible.length < steps.length ? ", " + number(steps.length - visible.length) + " folded" : "");
    sizer.style.height = Math.max(visible.length * rowHeight(), 1) + "px";
    document.querySelector(".columns").style.paddingRight = 16 + rowsBox.offsetWidth - rowsBox.clientWidth + "px";
    cache.forEach((row) => row.remove());
    cache.clear();
    const empty = sizer.querySelector(".empty");
    if (empty) empty.remove();
    if (!visible.length) sizer.append(make("p", "empty", "No step matches."));
    paint();
    drawOverview(true);
    if (places.has(selected)) reveal(selected);
  };
