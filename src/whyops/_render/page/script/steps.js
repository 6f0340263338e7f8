
  // The steps: what is needed of all of them at once is in the index, the rest in lines, which are read when they are looked at.
  const data = JSON.parse($("data").textContent);
  let lines = $("lines").textContent.split("\n");
  const findLines = () => data.traces.reduce((at, one) => {
    const { steps: own, events, messages } = one.counts;
    Object.assign(one, { firstStep: at, firstEvent: at + own, firstMessage: at + own + events });
    return at + own + events + messages;
  }, 0);
  findLines();
  // Traces that are handed in whole, while the page is open, as the same index and lines.
  const take = (traces) => {
    lines = traces.flatMap((one) => [...one.steps, ...one.events, ...(one.messages || [])].map((value) => JSON.stringify(value)));
    data.traces = traces.map(({ steps: own, events, messages, ...rest }) => {
      const columns = { failed: [], open: [] };
      for (const name of ["parent", "depth", "at", "to", "ms", "tokens", "users"]) columns[name] = own.map((step) => step[name] ?? null);
      for (const name of ["kind", "name", "who"]) {
        const all = [...new Set(own.map((step) => step[name] ?? null))], places = new Map(all.map((value, place) => [value, place]));
        columns[name] = own.map((step) => places.get(step[name] ?? null));
        columns[name + "s"] = all;
      }
      own.forEach((step, place) => { for (const name of ["failed", "open"]) if (name in step) columns[name].push(place); });
      const users = [...new Set(own.flatMap((step) => step.users || []))];
      return { ...rest, counts: { steps: own.length, events: events.length, messages: (messages || []).length }, columns, users };
    });
    findLines();
  };
  const KEY = "\u0000";
  const keyOf = (kind, name) => (kind === "user" ? "user" : kind + KEY + name);
  const isKey = (key, step) => key === step.key || key === step.kind + KEY;

  const stepsOf = (one) => {
    const { kind, kinds, name, names, who, whos, parent, depth, at, to, ms, tokens, failed, open, users } = one.columns;
    const keys = kinds.map((one) => names.map((other) => keyOf(one, other)));
    const made = kind.map((which, index) => ({
      index, kind: kinds[which], name: names[name[index]], key: keys[which][name[index]], parent: parent[index], depth: depth[index], at: at[index], to: Math.max(to[index], at[index]),
      ms: ms[index], own: ms[index], tokens: tokens[index], who: whos[who[index]] || (parent[index] >= 0 ? null : ""), users: users[index],
      failed: false, open: false, children: 0, inside: 0, problems: 0,
    }));
    for (const index of failed) made[index].failed = true;
    for (const index of open) made[index].open = true;
    for (const step of made) {
      if (step.who === null) step.who = made[step.parent].who;
      if (step.parent >= 0) made[step.parent].children += 1;
    }
    for (let index = made.length - 1; index >= 0; index -= 1) {
      const step = made[index], above = made[step.parent];
      if (!above) continue;
      above.inside += step.inside + 1;
      above.problems += step.problems + (step.failed || step.open ? 1 : 0);
    }
    setOwnTimes(made);
    return made;
  };
  // Self time: what a step took less what those inside it took, where they ran while it ran.
  const setOwnTimes = (made) => {
    const inside = new Map();
    for (const step of made) {
      const above = made[step.parent];
      if (!above || above.ms === null || step.to <= above.at || step.at >= above.to) continue;
      if (!inside.has(above)) inside.set(above, []);
      inside.get(above).push([Math.max(step.at, above.at), Math.min(step.to, above.to)]);
    }
    for (const [above, spans] of inside) above.own = Math.max(above.ms - covered(spans), 0);
  };
  const covered = (spans) => {
    let sum = 0, end = -Infinity;
    for (const [from, to] of spans.sort((a, b) => a[0] - b[0])) {
      if (to <= end) continue;
      sum += to - Math.max(from, end);
      end = to;
    }
    return sum;
  };

  let said = new Map(), haystacks = [];
  const saidBy = (step) => {
    if (!said.has(step.index)) {
      if (said.size > 2000) said = new Map();
      said.set(step.index, JSON.parse(lines[trace.firstStep + step.index]));
    }
    return said.get(step.index);
  };
  const eventAt = (place) => JSON.parse(lines[trace.firstEvent + place]);
  const messageAt = (place) => JSON.parse(lines[trace.firstMessage + place]);
  const eventsOf = (step) => (saidBy(step).events || []).map(eventAt);
  // A line as the text that a reader may search for; only what is escaped in it has to be read for that.
  const searched = (line) => (line.includes("\\u") ? JSON.stringify(JSON.parse(line)) : line);
  const haystack = (step) => {
    if (haystacks[step.index] === undefined) {
      const own = JSON.parse(lines[trace.firstStep + step.index]);
      const told = (own.events || []).map((place) => searched(lines[trace.firstEvent + place]));
      haystacks[step.index] = [step.kind, step.name, step.who, own.open || "", ...(own.notes || []), ...told].join("\n").toLowerCase();
    }
    return haystacks[step.index];
  };
