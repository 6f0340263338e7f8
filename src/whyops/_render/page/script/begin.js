"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const MAX_SHOWN = 100000, LANE = 18, FOLDED_FROM = 200, SLOW_FROM = 20000;
  const rowsBox = $("rows"), sizer = $("sizer"), detail = $("detail");

  // What is looked at. `range` is the part of the time line that was zoomed to, `level` the depth from which on all is folded.
  let trace, steps, time, visible = [], selected = -1, matches = new Set(), collapsed = new Set(), range = null;
  let filter = { text: "", tool: "", who: "", user: "", errors: false, slow: false };
