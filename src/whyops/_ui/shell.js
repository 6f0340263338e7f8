"use strict";
(() => {
  const POLL_MS = 1000;
  const RUNNING_MS = 15000;
  const NAMES_MS = 2000;
  const facts = JSON.parse(document.getElementById("facts").textContent);
  const token = new URLSearchParams(location.search).get("token") || "";
  const $ = (id) => document.getElementById(id);
  const list = $("list"), live = $("live"), traceView = $("trace-view");

  // Small makers. Text is only ever set as text.
  const make = (tag, classes, text) => {
    const element = document.createElement(tag);
    if (classes) element.className = classes;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const number = (value) => value.toLocaleString("en-US");
  const counted = (count, one) => number(count) + " " + one + (count === 1 ? "" : "s");
  const took = (ms) => {
    if (ms === undefined || ms === null || ms <= 0) return "";
    if (ms < 0.1) return "<0.1 ms";
    if (ms < 10) return +ms.toFixed(1) + " ms";
    if (ms < 999.5) return Math.round(ms) + " ms";
    if (ms < 60000) return (ms / 1000).toFixed(ms < 10000 ? 2 : 1) + " s";
    if (ms < 3600000) return Math.floor(ms / 60000) + " min " + Math.floor((ms % 60000) / 1000) + " s";
    return number(Math.floor(ms / 3600000)) + " h " + Math.floor((ms % 3600000) / 60000) + " min";
  };
  const when = (ms) => {
    const then = new Date(ms), now = new Date(), ago = (now - then) / 1000;
    if (ago < 60) return ago < 5 ? "now" : Math.floor(ago) + " s ago";
    if (ago < 3600) return Math.floor(ago / 60) + " min ago";
    const clock = then.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
    if (then.toDateString() === now.toDateString()) return clock;
    const day = then.toLocaleDateString(undefined, { day: "numeric", month: "short", ...(then.getFullYear() === now.getFullYear() ? {} : { year: "numeric" }) });
    return then.getFullYear() === now.getFullYear() ? day + " " + clock : day;
  };

  // Asking this server. The token goes in a header, which no page of another origin can send.
  const ask = async (path, fields, options) => {
    const used = Object.entries(fields).filter(([, value]) => value !== "" && value !== null && value !== undefined);
    const answer = await fetch(path + (used.length ? "?" + new URLSearchParams(used) : ""), { ...options, headers: { "X-Whyops-Token": token } });
    const data = await answer.json().catch(() => ({ error: "This page is no longer served: it was started anew, or its token is another one." }));
    if (!answer.ok) throw Object.assign(new Error(data.error || "Error " + answer.status), { isGone: answer.status === 404 });
    return data;
  };

  // What is looked at stands in the address behind the #, so that the browser's own keys go back and forth.
  const FIELDS = ["q", "agent", "user", "tool", "node", "since", "errors", "source"];
  const place = () => {
    const [path, query] = location.hash.slice(1).split("?");
    return { path: path || "/", fields: Object.fromEntries(new URLSearchParams(query || "")) };
  };
  const go = (path, fields, replace) => {
    const used = Object.entries(fields).filter(([, value]) => value);
    const hash = "#" + path + (used.length ? "?" + new URLSearchParams(used) : "");
    if (hash === location.hash) return;
    if (replace) { history.replaceState(null, "", hash); show(); } else location.hash = hash;
  };

  // The list.
  let filter = {}, rows = new Map(), cursor = null, total = 0, lookedAt = 0, unread = 0, change = "", turn = 0, busy = false, failure = "";
  const ticked = new Set();
  const isService = () => filter.source === "service";
  const isSearch = () => Boolean(filter.q || filter.node);
  const hasFilter = () => FIELDS.some((name) => name !== "source" && filter[name]);

  const load = async (isMore) => {
    const mine = (turn += 1), wanted = isMore ? rows.size + 50 : 50;
    if (!isMore) { rows = new Map(); cursor = null; lookedAt = 0; list.replaceChildren(); $("scroll").scrollTop = 0; }
    busy = true;
    failure = "";
    status();
    try {
      do {
        const page = await ask("/api/traces", { ...filter, cursor });
        if (mine !== turn) return;
        ({ cursor } = page);
        lookedAt += page.lookedAt;
        unread = page.unreadBytes;
        if (page.total !== null) ({ total, change } = page);
        for (const row of page.traces) rows.set(row.id, row);
        draw();
        status();
      } while (cursor && rows.size < wanted);
    } catch (error) {
      if (mine !== turn) return;
      failure = error.message;
    }
    busy = false;
    draw();
    status();
  };

  // Something was recorded: the newest page again, put in place of what it covers.
  const renew = async () => {
    const mine = turn;
    const page = await ask("/api/traces", { ...filter, brief: isSearch() ? "1" : "" });
    if (mine !== turn || busy) return;
    ({ change } = page);
    if (page.total !== null) ({ total } = page);
    const now = new Set(page.traces.map((row) => row.id));
    const last = page.traces.length ? page.traces[page.traces.length - 1].at : 0;
    if (!isSearch()) for (const [id, row] of rows) if (!now.has(id) && (row.at >= last || !page.cursor)) rows.delete(id);
    for (const row of page.traces) rows.set(row.id, { ...row, isNew: !rows.has(row.id) });
    draw();
    status();
  };

  const cache = new Map();
  const draw = () => {
    const ordered = [...rows.values()].sort((a, b) => (b.at || 0) - (a.at || 0));
    const active = document.activeElement, focused = list.contains(active) ? { id: active.closest(".item").dataset.id, isTick: active.className === "tick" } : null;
    const wanted = ordered.map((row) => {
      const text = JSON.stringify([{ ...row, isNew: undefined }, filter.q]);
      if (!cache.has(row.id) || cache.get(row.id).text !== text) cache.set(row.id, { text, item: itemOf(row) });
      const { item } = cache.get(row.id);
      showWhen(item.querySelector(".when"), row.at);
      return item;
    });
    for (const id of cache.keys()) if (!rows.has(id)) cache.delete(id);
    let at = list.firstChild;
    for (const item of wanted) {
      if (item === at) at = at.nextSibling; else list.insertBefore(item, at);
    }
    while (at) { const next = at.nextSibling; at.remove(); at = next; }
    if (focused && !list.contains(document.activeElement)) {
      const same = cache.get(focused.id);
      (same ? same.item.querySelector(focused.isTick ? ".tick" : ".go") : $("scroll")).focus({ preventScroll: true });
    }
  };
  const showWhen = (box, at) => {
    const text = at ? when(at) : "";
    if (box.textContent !== text) box.textContent = text;
    box.classList.toggle("running", Boolean(at) && Date.now() - at < RUNNING_MS);
  };

  const itemOf = (row) => {
    const item = make("li", "item" + (row.isNew ? " new" : "") + (ticked.has(row.id) ? " ticked" : ""));
    item.dataset.id = row.id;
    const tick = make("input", "tick");
    tick.type = "checkbox";
    tick.checked = ticked.has(row.id);
    tick.setAttribute("aria-label", "Choose " + row.id);
    tick.addEventListener("change", () => choose(row.id, tick.checked));
    const what = make("div", "what"), link = make("a", "go" + (row.asked ? "" : " none"), row.asked || (row.tools && row.tools.length ? "no user message" : row.id));
    link.href = "#/trace?" + new URLSearchParams([["id", row.id], ...(isService() ? [["source", "service"]] : [])]);
    const under = make("div", "under");
    if (row.waiting) under.append(make("span", "waits", row.waiting === 1 ? "1 event waits for delivery · " : number(row.waiting) + " events wait for delivery · "));
    if (row.tools && row.tools.length) under.append(make("span", "tools", row.tools.join(", ") + (row.moreTools ? " +" + row.moreTools : "")), " · ");
    under.append(make("span", "id", row.id));
    what.append(link, under);
    const found = make("div", "found");
    found.hidden = !row.found;
    if (row.found) {
      const [where, before, match, after] = row.found;
      found.append(make("b", "", where), "  …" + before, make("mark", "", match), after + "…");
    }
    const who = make("div", "who");
    who.append(make("div", "agent", row.agent || ""), make("div", "user", row.user || ""));
    const at = make("div", "when");
    if (row.at) at.title = new Date(row.at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
    const cell = (value, label, style) => {
      const box = make("div", "num " + (style || ""), value ? (typeof value === "number" ? number(value) : value) : "");
      if (value) box.setAttribute("aria-label", label(value));
      if (value) box.setAttribute("role", "note");
      return box;
    };
    item.append(tick, what, who, at, cell(row.calls, (n) => counted(n, "call")), cell(row.errors, (n) => counted(n, "error"), "errors" + (row.errors ? " bad" : "")),
      cell(row.tokens, (n) => counted(n, "token"), "tokens"), cell(took(row.ms), (text) => "took " + text), found);
    return item;
  };

  const status = () => {
    const through = isSearch() && !isService();
    if (through && cursor) $("count").textContent = counted(rows.size, "trace") + (busy ? ", searching… " : " in the newest ") + number(Math.min(lookedAt, total)) + " of " + number(total);
    else if (through) $("count").textContent = busy ? "Searching…" : counted(rows.size, "trace");
    else $("count").textContent = busy && !rows.size ? "Loading…" : rows.size < total ? number(rows.size) + " of " + counted(total, "trace") : counted(rows.size, "trace");
    if (unread) $("count").textContent += " · " + Math.ceil(unread / 1e6) + " MB of waiting events not listed";
    $("more").hidden = !cursor || busy;
    const message = $("message");
    message.hidden = busy || (rows.size > 0 && !failure);
    message.classList.toggle("bad", Boolean(failure));
    if (message.hidden) return;
    if (failure) message.textContent = failure;
    else if (hasFilter()) message.textContent = "No trace matches.";
    else message.replaceChildren(...firstSteps());
    if (!busy && !rows.size && hasFilter() && !failure) message.append(make("p", "", "Esc in the search field clears it."));
  };
  const firstSteps = () => {
    if (isService()) return [make("h2", "", "The service has no trace yet")];
    const code = "import whyops\n\n@whyops.tool\ndef search_orders(order_id: str) -> dict: ...\n\nwith whyops.trace():\n    search_orders(\"123\")";
    return [make("h2", "", "No trace has been recorded yet"), make("p", "", "What is recorded in " + facts.home + " shows here while it happens. For example:"), make("pre", "", code),
      ...(facts.service ? [make("p", "", "A key is set, so runs are delivered to the service: see “Service” above.")] : [])];
  };

  // Choosing traces, to compare or to delete them.
  const choose = (id, isOn) => {
    if (isOn) ticked.add(id); else ticked.delete(id);
    for (const item of list.children) {
      const is = ticked.has(item.dataset.id);
      item.classList.toggle("ticked", is);
      item.querySelector(".tick").checked = is;
    }
    showChosen();
  };
  const showChosen = () => {
    const count = ticked.size;
    $("chosen").hidden = count === 0;
    $("chosen-what").textContent = count === 1 ? [...ticked][0] + " — choose another one to compare with (c)" : counted(count, "trace") + " chosen" + (count > 2 ? "; two can be compared" : "");
    $("compare").disabled = count !== 2;
    $("delete").hidden = !facts.mayDelete || isService();
  };
  const compare = () => {
    const [a, b] = ticked;
    if (ticked.size === 2) go("/compare", { a, b, source: filter.source });
  };
  const unchoose = () => { ticked.clear(); choose("", false); };

  // Deleting.
  let doomed = [];
  const askToDelete = (ids) => {
    if (!facts.mayDelete || !ids.length || isService()) return;
    doomed = ids;
    $("confirm-title").textContent = ids.length === 1 ? "Delete this trace?" : "Delete " + counted(ids.length, "trace") + "?";
    $("confirm-what").textContent = ids.slice(0, 5).join(", ") + (ids.length > 5 ? ", …" : "") + " will be gone from this machine for good. What the service has stays there.";
    $("confirm").showModal();
    $("confirm-no").focus();
  };
  const remove = async () => {
    $("confirm").close();
    let held = 0;
    try {
      for (const id of doomed) {
        const done = await ask("/api/delete", {}, { method: "POST", body: JSON.stringify({ id }) });
        held += done.held;
        ticked.delete(id);
      }
    } catch (error) { alert(error.message); }
    if (held) alert(counted(held, "event") + " of it belong to a process that still runs, and stay until that has delivered them.");
    showChosen();
    if (place().path === "/") load(false); else go("/", listFields());
  };

  // Keys in the list.
  const links = () => [...list.querySelectorAll(".go")];
  const current = () => { const item = document.activeElement && document.activeElement.closest(".item"); return item && item.dataset.id; };
  const move = (by) => {
    const all = links(), at = all.findIndex((link) => link.closest(".item").contains(document.activeElement));
    if (at === all.length - 1 && by > 0 && cursor && !busy) load(true);
    const next = all[at < 0 ? (by < 0 ? all.length - 1 : 0) : Math.min(Math.max(at + by, 0), all.length - 1)];
    if (next) { next.focus(); next.closest(".item").scrollIntoView({ block: "nearest" }); }
  };
  const KEYS = [["↓ ↑  or  j k", "next, previous trace"], ["Home End", "first, last one shown"], ["Enter", "open it"], ["u  or  Esc", "back to the list"], ["/", "search"], ["c", "choose a trace; a second one, and they are compared"], ["e", "with errors only"], ["Esc", "clear the search; choose none"], ["r", "load again"], ...(facts.mayDelete ? [["x", "delete"]] : []), ["t", "light or dark"], ["?", "these keys"]];
  const showKeys = () => {
    const table = make("table"), body = make("tbody");
    for (const [keys, what] of KEYS) {
      const row = make("tr"), cell = make("td");
      for (const key of keys.split(/\s+/)) cell.append(key === "or" ? " or " : make("kbd", "", key), " ");
      row.append(cell, make("td", "", what));
      body.append(row);
    }
    table.append(body);
    $("keys").replaceChildren(make("h2", "", "Keys"), table, make("p", "", "A trace that is open has keys of its own: press ? there."));
    $("keys").showModal();
  };
  const onListKey = (event) => {
    const target = event.target, isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName) && target.type !== "checkbox";
    if (event.key === "Escape") {
      if (ticked.size && !isTyping) unchoose();
      else if (target.id === "q" && target.value) { target.value = ""; setFilter({ q: "" }); }
      else if (isTyping) move(1);
      else if (filter.q) setFilter({ q: "" });
      return true;
    }
    if (isTyping) {
      if (target.id === "q" && (event.key === "Enter" || event.key === "ArrowDown")) { flushSearch(); move(1); return true; }
      return false;
    }
    const isButton = target.tagName === "BUTTON";
    const actions = {
      ArrowDown: () => move(1), j: () => move(1), ArrowUp: () => move(-1), k: () => move(-1), Home: () => move(-Infinity), End: () => move(Infinity),
      "/": () => { $("q").focus(); $("q").select(); },
      c: () => { const id = current(); if (!id) return; choose(id, !ticked.has(id)); if (ticked.size === 2) compare(); },
      e: () => setFilter({ errors: filter.errors ? "" : "1" }), r: () => load(false),
      x: () => askToDelete(ticked.size ? [...ticked] : [current()].filter(Boolean)),
      ...(ticked.size === 2 && !isButton ? { Enter: compare } : {}),
    };
    const action = actions[event.key];
    if (action) action();
    return Boolean(action);
  };
  const onKey = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== "checkbox";
    const actions = isTyping ? {} : { t: switchTheme, "?": showKeys, ...(place().path === "/" ? {} : { u: back, Escape: back }) };
    const action = actions[event.key];
    if (action) action();
    if (action || (place().path === "/" && onListKey(event))) event.preventDefault();
  };

  // Filters.
  let typing = 0;
  const setFilter = (some) => go("/", listFields(some), true);
  const listFields = (some) => Object.fromEntries(FIELDS.map((name) => [name, { ...filter, ...some }[name] || ""]));
  const flushSearch = () => { clearTimeout(typing); setFilter({ q: $("q").value.trim() }); };
  const showFilters = () => {
    if (document.activeElement !== $("q")) $("q").value = filter.q || "";
    for (const name of ["agent", "user", "tool", "node", "since"]) {
      const box = $(name);
      if (filter[name] && box.options && ![...box.options].some((option) => option.value === filter[name])) box.append(new Option(filter[name], filter[name]));
      box.value = filter[name] || "";
      box.classList.toggle("set", Boolean(filter[name]));
    }
    $("errors").setAttribute("aria-pressed", String(Boolean(filter.errors)));
    $("clear").hidden = !hasFilter();
    for (const name of ["q", "tool", "node", "errors"]) {
      $(name).disabled = isService();
      $(name).title = isService() ? "The service's list can't be narrowed down by this" : "";
    }
    $("local").setAttribute("aria-pressed", String(!isService()));
    $("service").setAttribute("aria-pressed", String(isService()));
  };
  let namesAt = 0, knownNames = "";
  const loadNames = async () => {
    if (Date.now() - namesAt < NAMES_MS || document.activeElement.tagName === "SELECT") return;
    namesAt = Date.now();
    const names = await ask("/api/names", {});
    if (JSON.stringify(names) === knownNames) return;
    knownNames = JSON.stringify(names);
    for (const [id, all, title] of [["agent", names.agents, "Any agent"], ["tool", names.tools, "Any tool"], ["node", names.nodes, "Any node"]]) {
      $(id).replaceChildren(new Option(title, ""), ...all.map((name) => new Option(name, name)));
      $(id).hidden = !all.length && !filter[id];
    }
    $("users").replaceChildren(...names.users.map((name) => new Option(name, name)));
    $("user").hidden = !names.users.length && !filter.user;
    showFilters();
  };

  // One trace, or two side by side, each as its report, in a frame.
  let frames = [];
  const frameOf = (id, source) => {
    const frame = make("iframe");
    frame.title = "Trace " + id;
    const one = { id, source, frame, seen: null, isReady: false, busy: false, rest: 0 };
    const src = "/trace?" + new URLSearchParams([["id", id], ["token", token], ...(source ? [["source", source]] : [])]);
    // What is seen is told before it is loaded: what comes in between is then one change too many, and none too few.
    ask("/api/change", { id }).then((told) => { one.seen = told.trace; }, () => { one.seen = ""; }).finally(() => { frame.src = src; });
    frame.addEventListener("load", () => prepare(one));
    return one;
  };
  const prepare = (one) => {
    const inside = one.frame.contentWindow, page = one.frame.contentDocument;
    if (!page || !page.body || page.URL === "about:blank") return;
    one.isReady = true;
    const takeTheme = (from, to) => { if (from.dataset.theme && to.dataset.theme !== from.dataset.theme) to.dataset.theme = from.dataset.theme; };
    takeTheme(document.documentElement, page.documentElement);
    inside.dispatchEvent(new inside.Event("resize"));
    new MutationObserver(() => takeTheme(page.documentElement, document.documentElement)).observe(page.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    page.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const target = event.target, isTyping = target.tagName && /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName);
      const hasOpen = page.querySelector("dialog[open], #detail:not([hidden])") || isTyping;
      if ((event.key === "u" && !isTyping) || (event.key === "Escape" && !hasOpen)) { event.preventDefault(); event.stopPropagation(); back(); }
    }, true);
    page.addEventListener("whyops-open", (event) => go("/trace", { id: event.detail, source: one.source }));
    if (frames[0] === one) one.frame.focus();
  };
  const showFrames = (ids, source) => {
    frames = ids.map((id) => frameOf(id, source));
    const box = make("div", "frames"), tabs = make("div", "tabs");
    box.append(...frames.map((one) => one.frame));
    const pick = (at) => frames.forEach((one, index) => { one.frame.classList.toggle("shown", index === at); if (tabs.children[index]) tabs.children[index].setAttribute("aria-pressed", String(index === at)); });
    if (ids.length > 1) {
      tabs.append(...ids.map((id, at) => { const tab = make("button", "", id); tab.type = "button"; tab.addEventListener("click", () => pick(at)); return tab; }));
      traceView.replaceChildren(tabs, box);
    } else traceView.replaceChildren(box);
    pick(0);
  };
  const refresh = async (one) => {
    if (!one.isReady || one.busy || Date.now() < one.rest) return;
    one.busy = true;
    try {
      const told = await ask("/api/change", { id: one.id });
      if (told.trace !== one.seen) {
        const began = Date.now(), data = await ask("/api/trace", { id: one.id, source: one.source });
        const inside = one.frame.contentWindow;
        const grown = new inside.CustomEvent("whyops-traces", { detail: data.traces, cancelable: true });
        if (one.frame.contentDocument.dispatchEvent(grown)) inside.location.reload();
        one.rest = Date.now() + 2 * (Date.now() - began);  // a long trace is not all that this machine has to do
      }
      one.seen = told.trace;
    } finally { one.busy = false; }
  };

  // Live: a cheap number each second says whether anything was recorded.
  const poll = async () => {
    if (!document.hidden) {
      try {
        if (place().path !== "/") await Promise.all(frames.map(refresh));
        else if (!isService()) {
          const told = await ask("/api/change", {});
          if (!busy && told.change !== change) { await renew(); await loadNames(); } else if (!busy) draw();
        }
        live.className = "";
        live.textContent = isService() && place().path === "/" ? "" : "live";
      } catch (error) {
        live.className = "lost";
        live.textContent = error.isGone ? "gone" : "not connected";
        live.title = error.message;
      }
    }
    setTimeout(poll, POLL_MS);
  };

  // Which view is shown.
  const back = () => go("/", listFields());
  let cameFrom = "";
  const show = () => {
    const { path, fields } = place(), isList = path === "/";
    $("list-view").hidden = !isList;
    traceView.hidden = isList;
    $("back").hidden = isList;
    $("where").hidden = isList;
    $("sources").hidden = !isList || !facts.service;
    document.body.classList.toggle("one", path === "/trace");
    $("compare-this").hidden = path !== "/trace";
    $("delete-this").hidden = path !== "/trace" || !facts.mayDelete || fields.source === "service";
    if (isList) {
      const isOther = JSON.stringify(listFields(fields)) !== JSON.stringify(listFields()) || FIELDS.some((name) => (fields[name] || "") !== (filter[name] || ""));
      filter = Object.fromEntries(FIELDS.map((name) => [name, fields[name] || ""]));
      traceView.replaceChildren();
      frames = [];
      document.title = "Traces · whyops";
      showFilters();
      showChosen();
      if (isOther || !rows.size) load(false);
      const link = cameFrom && links().find((one) => one.closest(".item").dataset.id === cameFrom);
      if (link) link.focus();
      cameFrom = "";
      return;
    }
    const ids = (path === "/trace" ? [fields.id] : [fields.a, fields.b]).filter(Boolean);
    cameFrom = ids[0];
    document.title = ids.join(" | ") + " · whyops";
    $("where").textContent = ids.length > 1 ? "Comparing two traces" : "";
    if (ids.length > 1) ticked.clear();
    showFrames(ids, fields.source);
  };

  // Light and dark.
  const setTheme = (name) => {
    document.documentElement.dataset.theme = name;
    for (const one of frames) if (one.frame.contentDocument) one.frame.contentDocument.documentElement.dataset.theme = name;
    for (const one of frames) if (one.frame.contentWindow) one.frame.contentWindow.dispatchEvent(new one.frame.contentWindow.Event("resize"));
  };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let themeChosen = false;
  setTheme(dark.matches ? "dark" : "light");
  dark.addEventListener("change", () => { if (!themeChosen) setTheme(dark.matches ? "dark" : "light"); });
  const switchTheme = () => { themeChosen = true; setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"); };

  document.addEventListener("keydown", onKey);
  addEventListener("hashchange", show);
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  $("q").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(flushSearch, 200); });
  for (const name of ["agent", "user", "tool", "node", "since"]) $(name).addEventListener("change", () => setFilter({ [name]: $(name).value.trim() }));
  $("errors").addEventListener("click", () => setFilter({ errors: filter.errors ? "" : "1" }));
  $("clear").addEventListener("click", () => { $("q").value = ""; go("/", { source: filter.source }, true); });
  $("more").addEventListener("click", () => load(true));
  $("local").addEventListener("click", () => go("/", listFields({ source: "" }), true));
  $("service").addEventListener("click", () => go("/", { ...listFields({ source: "service" }), q: "", tool: "", node: "", errors: "" }, true));
  $("compare").addEventListener("click", compare);
  $("unchoose").addEventListener("click", unchoose);
  $("delete").addEventListener("click", () => askToDelete([...ticked]));
  $("delete-this").addEventListener("click", () => askToDelete([place().fields.id]));
  $("compare-this").addEventListener("click", () => { ticked.clear(); ticked.add(place().fields.id); back(); });
  $("confirm-no").addEventListener("click", () => $("confirm").close());
  $("confirm-yes").addEventListener("click", remove);
  $("back").addEventListener("click", back);
  $("theme").addEventListener("click", switchTheme);
  $("help").addEventListener("click", showKeys);
  $("keys").addEventListener("click", () => $("keys").close());

  if (facts.service) $("service").title = facts.service;
  $("app").hidden = false;
  loadNames().catch(() => {});
  show();
  poll();
})();
