
  // Time, with what nobody worked in made short: a user's pause must not hide what took milliseconds. Places are shares of the whole.
  const timeline = () => {
    const spans = steps.map((step) => [step.at, step.to]).sort((a, b) => a[0] - b[0]);
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
    const place = (ms) => {
      let at = ms;
      for (const [from, to] of long) {
        if (ms <= from) break;
        at -= ms >= to ? to - from - short : (ms - from) * (1 - short / (to - from));
      }
      return Math.min(Math.max(at / width, 0), 1);
    };
    const at = (wanted) => {
      let low = 0, high = total;
      for (let turn = 0; turn < 50; turn += 1) {
        const middle = (low + high) / 2;
        if (place(middle) < wanted) low = middle; else high = middle;
      }
      return high;
    };
    return { total, pauses: long, place, at };
  };

  // The time column shows the time of what is on the screen, as a run of an hour would else be a row of dots, or what was zoomed to.
  let shown = [0, 1];
  const showTime = (from, to) => {
    let [begin, end] = range || [Infinity, 0];
    if (!range) {
      const all = visible.length <= (to - from) * 1.5;
      for (let place = all ? 0 : from; place < (all ? visible.length : to); place += 1) {
        const step = steps[visible[place]];
        begin = Math.min(begin, time.place(step.at));
        end = Math.max(end, time.place(step.to));
      }
      if (begin === Infinity) begin = 0;
      if (end <= begin) end = Math.min(begin + 1e-9, 1);
    }
    if (begin === shown[0] && end === shown[1]) return;
    shown = [begin, end];
    cache.forEach((row, place) => placeBar(row.querySelector(".time i"), steps[visible[place]]));
    drawAxis();
  };
  const share = (ms) => (time.place(ms) - shown[0]) / (shown[1] - shown[0] || 1);
  const placeBar = (bar, step) => {
    const within = (ms) => Math.min(Math.max(share(ms), 0), 1) * 99;
    bar.style.left = within(step.at).toFixed(3) + "%";
    bar.style.width = (within(step.to) - within(step.at)).toFixed(3) + "%";
    bar.classList.toggle("outside", share(step.to) < 0 || share(step.at) > 1);
  };
  const setRange = (wanted) => {
    range = wanted && wanted[1] - wanted[0] < 0.999 ? wanted : null;
    $("whole").hidden = !range;
    paint();
    drawOverview();
  };
  const zoomBy = (factor, around) => {
    const [begin, end] = shown, step = steps[selected];
    let middle = around === undefined && step ? (time.place(step.at) + time.place(step.to)) / 2 : around;
    if (middle === undefined || middle < begin || middle > end) middle = (begin + end) / 2;
    const room = Math.min((end - begin) * factor, 1);
    const first = Math.min(Math.max(middle - ((middle - begin) / (end - begin || 1)) * room, 0), 1 - room);
    if (room * time.total > 0.002) setRange([first, first + room]);
  };
  const panBy = (by) => {
    if (!range) return;
    const room = range[1] - range[0], first = Math.min(Math.max(range[0] + by * room, 0), 1 - room);
    setRange([first, first + room]);
  };
  const niceStep = (room) => {
    const base = 10 ** Math.floor(Math.log10(room || 1));
    const units = room < 30000 ? [1, 2, 5, 10].map((unit) => unit * base) : [30e3, 60e3, 120e3, 300e3, 600e3, 1800e3, 3600e3, 7200e3, 21600e3, 86400e3, 864e5 * 7];
    return units.find((unit) => unit >= room) || room;
  };
  const ticks = () => {
    const begin = time.at(shown[0]), end = time.at(shown[1]);
    const inside = time.pauses.filter(([from, to]) => from < end && to > begin);
    const busy = end - begin - inside.reduce((sum, [from, to]) => sum + Math.min(to, end) - Math.max(from, begin), 0);
    const step = niceStep((busy || 1) / 8), found = [];
    for (let at = Math.ceil(begin / step) * step; at <= end && found.length < 40; at += step) {
      const pause = inside.find(([from, to]) => at > from && at < to);
      if (pause) { at = Math.ceil(pause[1] / step) * step - step; continue; }
      found.push(at);
    }
    return found;
  };
  const drawAxis = () => {
    const marks = [], wide = $("axis").clientWidth || 400, apart = 68 / wide;
    const put = (at, text, style) => {
      if (at < 1 - 92 / wide && marks.every(([other]) => Math.abs(other - at) > apart)) marks.push([at, text, style]);  // behind it are buttons
    };
    for (const [from, to] of time.pauses) {
      const at = (share(from) + share(to)) / 2;
      if (at > 0.1 && at < 0.9) put(at, "⋯ " + took(to - from) + " ⋯", "pause");
    }
    const lines = ticks();
    for (const at of lines) put(share(at), at ? "+" + took(at) : "0", share(at) * wide < 30 ? "from" : "");
    const span = (style, at, text) => {
      const mark = make("span", style, text);
      mark.style.left = at * 99 + "%";
      return mark;
    };
    $("axis").replaceChildren(...marks.map(([at, text, style]) => span(style, at, text)));
    $("grid").replaceChildren(...lines.map((at) => span("", share(at))));
    placeGrid();
  };
  const placeGrid = () => {
    const axis = $("axis").getBoundingClientRect(), box = rowsBox.parentElement.getBoundingClientRect();
    $("grid").style.left = axis.left - box.left + "px";
    $("grid").style.width = axis.width + "px";
    $("grid").hidden = !axis.width;
  };

  // The overview: all steps at once, in their order from top to bottom; problems and what was found stand out, however small.
  let picture = null;
  const drawAll = () => {
    const canvas = $("overview"), ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
    picture = document.createElement("canvas");
    picture.width = width * ratio;
    picture.height = height * ratio;
    const pen = picture.getContext("2d"), style = getComputedStyle(document.documentElement), colors = new Map();
    const color = (name) => {
      if (!colors.has(name)) colors.set(name, style.getPropertyValue("--" + name));
      return colors.get(name);
    };
    pen.scale(ratio, ratio);
    const each = (height - 8) / Math.max(visible.length, 1), thick = Math.max(Math.min(each - 1, 6), 1), filtered = isFiltered();
    const at = (ms) => 2 + time.place(ms) * (width - 6);
    pen.fillStyle = color("hover");
    for (const [from, to] of time.pauses) pen.fillRect(at(from), 0, Math.max(at(to) - at(from), 2), height);
    visible.forEach((index, place) => {
      const step = steps[index];
      pen.globalAlpha = filtered && !matches.has(index) ? 0.25 : 1;
      pen.fillStyle = color(step.failed ? "error" : step.kind);
      pen.fillRect(at(step.at), 4 + place * each, Math.max(at(step.to) - at(step.at), 2), thick);
    });
    pen.globalAlpha = 1;
    const tick = (step, name, from, high) => {
      pen.fillStyle = color(name);
      pen.fillRect(at(step.at) - 1, from, 3, high);
    };
    if (filter.text) for (const index of matches) tick(steps[index], "found", 0, 5);
    const problems = steps.filter((step) => step.failed || step.open);
    for (const step of problems) tick(step, step.failed ? "error" : "warn", height - 8, 8);
    pen.globalAlpha = 0.3;
    if (problems.length <= 60) for (const step of problems) tick(step, step.failed ? "error" : "warn", 0, height);
    pen.globalAlpha = 1;
  };
  const drawOverview = (anew) => {
    const canvas = $("overview"), ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width || !height) return;
    if (anew || !picture || picture.width !== Math.floor(width * ratio) || picture.height !== Math.floor(height * ratio)) drawAll();
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const pen = canvas.getContext("2d"), style = getComputedStyle(document.documentElement), each = (height - 8) / Math.max(visible.length, 1), high = rowHeight();
    pen.scale(ratio, ratio);
    if (visible.length * high > rowsBox.clientHeight) {
      pen.fillStyle = style.getPropertyValue("--choice");
      pen.fillRect(0, 4 + (rowsBox.scrollTop / high) * each, width, Math.max((rowsBox.clientHeight / high) * each, 3));
    }
    pen.drawImage(picture, 0, 0, width, height);
    pen.fillStyle = style.getPropertyValue("--text");
    if (range) {
      pen.globalAlpha = 0.16;
      pen.fillRect(0, 0, 2 + range[0] * (width - 6), height);
      pen.fillRect(2 + range[1] * (width - 6), 0, width, height);
      pen.globalAlpha = 1;
    }
    const place = selected >= 0 ? places.get(selected) : undefined;
    if (place !== undefined) pen.fillRect(0, 4 + place * each, 6, Math.max(Math.min(each - 1, 6), 2));
  };
