
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
  const button = (text, classes, act) => {
    const element = make("button", classes, text);
    element.type = "button";
    element.addEventListener("click", act);
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
  const short = (value) => (value < 1e6 ? number(value) : (value / 1e6).toFixed(value < 1e8 ? 1 : 0) + " M");
  const tokensText = ([prompt, cached, completion, other], written = number) => {
    if (other && !prompt && !completion) return written(other);
    return written(prompt) + (cached ? "+" + written(cached) : "") + " → " + written(completion);
  };

  // JSON as it reads best: numbers that a browser would round stand between two private characters.
  const jsonText = (value) => JSON.stringify(value, null, 2).replace(/"\ue000(-?\d+)\ue001"/g, "$1");
  const textBox = (text, asCode) => filled(scrolled(asCode ? "" : "text"), text, plain);
  const jsonBox = (value) => filled(scrolled(""), jsonText(value), colored);
  const scrolled = (classes) => {
    const box = make("pre", classes);
    box.tabIndex = 0;
    return box;
  };
  const filled = (box, text, fill) => {
    fill(box, text.length > MAX_SHOWN ? text.slice(0, MAX_SHOWN) : text);
    if (text.length <= MAX_SHOWN) return box;
    const whole = make("div"), more = button("Show all " + number(text.length) + " characters", "more", () => { box.textContent = text; more.remove(); });
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
    if (!text) return box;
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
    return box;
  };
  // Arguments that stand in a text as JSON, as what they are.
  const readable = (value) => {
    if (Array.isArray(value)) return value.map(readable);
    if (!value || typeof value !== "object") return value;
    const called = value.function && typeof value.function === "object" ? { ...value, ...value.function, function: undefined } : value;
    return Object.fromEntries(Object.entries(called).filter(([, one]) => one !== undefined).map(([name, one]) => [name, name === "arguments" ? parsed(one) : readable(one)]));
  };
  const parsed = (text) => {
    if (typeof text !== "string" || !/^\s*[[{]/.test(text) || /\d{16}/.test(text)) return text;
    try { return JSON.parse(text); } catch { return text; }
  };
