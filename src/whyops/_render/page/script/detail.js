
  // The step that is looked at.
  const openDetail = () => { detail.hidden = false; document.body.classList.add("opened"); showDetail(); paint(); drawAxis(); drawOverview(); };
  const closeDetail = () => { detail.hidden = true; document.body.classList.remove("opened"); rowsBox.focus({ preventScroll: true }); paint(); drawAxis(); drawOverview(); };
  const showDetail = () => {
    const step = steps[selected];
    if (!step) { closeDetail(); return; }
    const own = saidBy(step), events = eventsOf(step);
    detail.dataset.kind = step.kind;
    detail.classList.toggle("failed", step.failed);
    const parts = [headOf(step), factsOf(step, own, events[0] || {})];
    if (own.notes) {
      const notes = make("ul", "notes");
      notes.append(...own.notes.map((note) => make("li", "", note)));
      parts.push(notes);
    }
    let told = 0;
    for (const [name, place, way] of own.parts || []) {
      const value = readable(way.reduce((at, key) => (at === null || at === undefined ? at : at[key]), eventAt(place)));
      if (value === undefined || value === "" || (own.prompt && name === "New in the prompt")) continue;
      told += 1;
      parts.push(headingOf(name, value), typeof value === "string" ? textBox(value, name === "Stack") : jsonBox(value));
    }
    if (own.prompt) parts.push(...promptOf(own.prompt));
    parts.push(make("h3", "", events.length === 1 ? "The event, as it was recorded" : "Its events, as they were recorded"));
    for (const event of events) parts.push(eventBox(event, !told));
    detail.replaceChildren(...parts);
    detail.scrollTop = 0;
  };
  const headOf = (step) => {
    const head = make("div", "detail-head"), title = make("h2"), close = button("✕", "", closeDetail);
    title.append(make("small", "", step.kind), step.name);
    close.title = "Close (Esc)";
    close.setAttribute("aria-label", "Close");
    head.append(title, close);
    return head;
  };
  const factsOf = (step, own, first) => {
    const list = make("dl"), isPart = step.ms !== null && step.own < step.ms * 0.95;
    const facts = [["began", "+" + (took(step.at) || "0 ms")], ["took", took(step.ms) + (isPart ? ", itself " + took(step.own) : "")], ["state", own.open], ["who", step.who], ["user", first.externalUserId], ["span", first.spanId]];
    if (step.tokens) {
      const [prompt, cached, completion, other] = step.tokens;
      facts.push(["tokens", [[prompt, "in"], [cached, "cached"], [completion, "out"], [other, "other"]].filter(([count]) => count).map(([count, what]) => number(count) + " " + what).join(" · ")]);
    }
    for (const [name, value] of facts) if (typeof value === "string" && value) list.append(make("dt", "", name), make("dd", "", value));
    return list;
  };
  const headingOf = (name, value) => {
    const heading = make("h3", "", name);
    heading.append(copyButton(() => (typeof value === "string" ? value : jsonText(value))));
    return heading;
  };

  // The prompt of a model's call, message by message, as the model saw it; what is new in it is marked and unfolded.
  const inRuns = (runs) => {
    const all = [];
    for (let at = 0; at < runs.length; at += 2) for (let by = 0; by < runs[at + 1]; by += 1) all.push(runs[at] + by);
    return all;
  };
  const MOST_MESSAGES = 400;
  const promptOf = (prompt) => {
    const all = inRuns(prompt.messages), isNew = new Set(inRuns(prompt.new || []));
    const heading = make("h3", "", "Prompt, as the model saw it");
    heading.append(make("span", "hint", counted(all.length, "message") + ", " + number(isNew.size) + " new"), copyButton(() => jsonText(all.map(messageAt))));
    const parts = [heading], from = Math.max(all.length - MOST_MESSAGES, 0);
    if (from) parts.push(make("p", "hint", counted(from, "earlier message") + " not shown here; Copy has all"));
    for (let place = from; place < all.length; place += 1) parts.push(messageBox(messageAt(all[place]), isNew.has(place)));
    if (prompt.tools) parts.push(make("h3", "", "Tools offered"), make("p", "offered", prompt.tools.join(", ")));
    return parts;
  };
  const messageBox = (message, isNew) => {
    const box = make("details", "message" + (isNew ? " new" : "")), head = make("summary");
    const content = typeof message.content === "string" ? message.content : message.content === undefined ? "" : jsonText(message.content);
    const calls = (message.calls || []).map((call) => call.name + "(" + (typeof call.arguments === "string" ? call.arguments : JSON.stringify(call.arguments)) + ")");
    head.append(make("code", "", message.role + (message.name ? " " + message.name : "")));
    if (isNew) head.append(make("b", "badge", "new"));
    head.append(make("span", "glance", message.missing ? "not recorded here" : [content, ...calls].filter(Boolean).join(" ").slice(0, 200)));
    box.append(head);
    const fill = () => {
      if (!box.open || box.children.length > 1) return;
      if (content) box.append(typeof message.content === "string" ? textBox(content) : jsonBox(message.content));
      if (message.calls) box.append(jsonBox(message.calls));
    };
    box.addEventListener("toggle", fill);
    box.open = isNew && content.length + calls.join("").length > 0;
    fill();
    return box;
  };
  const eventBox = (event, isOpen) => {
    const box = make("details", "event"), head = make("summary"), line = make("div", "event-line");
    head.append(make("code", "", String(event.eventType)), make("span", "", typeof event.timestamp === "string" ? event.timestamp.slice(11, -1) : ""));
    box.append(head);
    const fill = () => { if (box.open && box.children.length === 1) box.append(jsonBox(event)); };
    box.addEventListener("toggle", fill);
    box.open = isOpen;
    fill();
    line.append(box, copyButton(() => jsonText(event)));
    return line;
  };
  const copyButton = (text) => {
    const copy = button("Copy", "copy", () => {
      const done = () => { copy.textContent = "Copied"; setTimeout(() => { copy.textContent = "Copy"; }, 1200); };
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
    return copy;
  };
