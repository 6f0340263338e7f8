
  // The card: what was asked and answered, how it ended, where it failed first, and what it took.
  const showCard = () => {
    document.title = trace.id + " · whyops";
    $("title").textContent = trace.id;
    const began = trace.startedAt === null ? "" : new Date(trace.startedAt).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
    $("about").textContent = [trace.agent, trace.user, began].filter(Boolean).join(" · ");
    showAround();
    const { asked, questions, answered, failed, state, outcome } = trace.card;
    const tiles = [];
    if (asked !== undefined) tiles.push(tileOf("Asked" + (questions > 1 ? ", and " + number(questions - 1) + " more" : ""), asked, "text", "asked"));
    if (answered !== undefined) tiles.push(tileOf(questions > 1 ? "Answered last" : "Answered", answered, "text", "answered"));
    if (failed !== undefined) tiles.push(tileOf("First error, +" + took(steps[failed].at), failed, "result", "bad"));
    $("card").replaceChildren(...tiles);
    $("outcome").textContent = { good: "✓ ", bad: "✗ ", open: "… " }[state] + outcome;
    $("outcome").className = state;
    showFacts();
    $("gaps").textContent = trace.gaps.length ? "incomplete: " + trace.gaps.join(" · ") : "complete";
    $("gaps").className = trace.gaps.length ? "" : "none";
  };
  // What another agent's trace is part of: a link where this report holds it, or where it stands in a frame of who finds it.
  const showAround = () => {
    const around = trace.around, place = data.traces.findIndex((one) => one.id === around);
    if (!around || around === trace.id) return;
    const open = () => {
      if (place < 0) { document.dispatchEvent(new CustomEvent("whyops-open", { detail: around })); return; }
      $("traces").selectedIndex = place;
      showTrace(place);
    };
    const isLink = place >= 0 || window.parent !== window;
    $("about").append(" · part of ", isLink ? button(around, "around", open) : make("span", "around", around));
  };
  const tileOf = (title, index, which, style) => {
    const own = saidBy(steps[index]), tile = button("", "tile " + style, () => { select(index, true); openDetail(); });
    tile.dataset.kind = steps[index].kind;
    const place = steps[index].kind === "error" ? steps[index].who : steps[index].name;
    const text = which === "result" ? [place, own.result || own.text].filter(Boolean).join(": ") : own.text || "";
    tile.append(make("span", "label", title), make("span", "said", text));
    return tile;
  };
  const showFacts = () => {
    const facts = [[took(trace.durationMs), "in all"], [number(trace.events), "events"], [number(trace.calls), trace.calls === 1 ? "tool call" : "tool calls"]];
    facts.push([number(trace.errors), trace.errors === 1 ? "error" : "errors", trace.errors ? "bad" : ""]);
    const tokens = trace.tokens;
    if (tokens.in || tokens.out || tokens.cached) facts.push([number(tokens.in), "tokens in"], [number(tokens.out), "tokens out"]);
    if (tokens.cached) facts.push([number(tokens.cached), "cached"]);
    if (tokens.other) facts.push([number(tokens.other), "other tokens"]);
    const models = trace.tally.filter((row) => row.tokens).sort((a, b) => b.tokens - a.tokens);
    if (models.length > 1) for (const row of models.slice(0, 4)) facts.push([tokensText(row.used), row.name, "model"]);
    $("facts").replaceChildren(...facts.map(([value, what, style]) => {
      const item = make("li", style);
      item.append(make("b", "", value), " ", make("span", "", what));
      return item;
    }));
  };
