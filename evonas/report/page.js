"use strict";
(async () => {
  const byId = (id) => document.getElementById(id);
  const warn = (text) => { byId("notice").textContent = text; byId("notice").hidden = false; };

  // Data and library are packed: base64 of gzip.
  const unpack = async (id) => {
    const bytes = Uint8Array.from(atob(byId(id).textContent.trim()), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  };
  if (!("DecompressionStream" in window)) {
    warn("This browser is too old to draw the charts; the tables below hold the numbers.");
    return;
  }
  const data = JSON.parse(await unpack("data"));
  const library = document.createElement("script");
  library.textContent = await unpack("library");
  document.head.append(library);

  const { columns, points, front } = data;
  const n = points.texts.length;
  const onFront = new Map(points.front.map((point, index) => [point, index]));
  const plain = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const make = (tag, text, name) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (name) element.className = name;
    return element;
  };
  const show = (value) => {
    if (value === null || value === undefined) return "–";
    const size = Math.abs(value);
    for (const [bound, letter] of [[1e12, "T"], [1e9, "G"], [1e6, "M"]]) {
      if (size >= bound) return `${Number((value / bound).toPrecision(4))} ${letter}`;
    }
    if (size >= 1000) return Math.round(value).toLocaleString("en-US");
    return String(Number(value.toPrecision(4)));
  };
  const ends = (column, point) => (column.interval || []).map((i) => points.values[i][point]).filter((v) => v !== null);
  const interval = (column, point) => {
    const found = ends(column, point);
    return found.length === 2 ? ` (${found.map(show).join(" to ")})` : "";
  };
  const inside = new Set(columns.flatMap((column) => column.interval || []));
  const label = (column) =>
    `${plain(column.name)}${column.unit ? ` (${plain(column.unit)})` : ""}, ` +
    (column.direction === "max" ? "higher is better ↑" : "lower is better ↓");
  const title = (point) => (onFront.has(point) ? `Member ${onFront.get(point)}` : `Architecture ${points.ids[point]}`);

  // ------------------------------------------------------------------------------------------ state in the address

  const state = new URLSearchParams(location.hash.slice(1));
  const column = (key, fallback) => {
    const index = columns.findIndex((c) => c.name === state.get(key));
    return index < 0 ? fallback : index;
  };
  let yAxis = column("y", 0);
  let xAxis = column("x", Math.min(1, columns.length - 1));
  let chosen = points.ids.indexOf(state.get("a") || "");
  if (chosen < 0) chosen = data.cards.length ? points.front[data.knee] : -1;
  const remember = () => {
    const now = new URLSearchParams({ x: columns[xAxis].name, y: columns[yAxis].name });
    if (chosen >= 0) now.set("a", points.ids[chosen]);
    if (data.live && byId("pause").checked) now.set("pause", "1");
    history.replaceState(null, "", `#${now}`);
  };

  if (data.live) {
    const pause = byId("pause");
    pause.checked = state.get("pause") === "1";
    pause.addEventListener("change", remember);
    setInterval(() => {
      if (Date.now() - data.written > 3600e3) {
        byId("live-text").textContent = "Nothing was written for an hour: the search seems to have stopped.";
      } else if (!pause.checked) location.reload();
    }, 10000);
  }

  // ---------------------------------------------------------------------------------------------------- the charts

  const calm = matchMedia("(pointer: coarse)");
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const config = { displayModeBar: false, responsive: true };
  const axis = (text, more) => ({ title: { text, standoff: 12, font: { size: 13 } }, gridcolor: color("grid"),
    linecolor: color("line"), zeroline: false, automargin: true, tickfont: { color: color("soft") }, ...more });
  const layout = (x, y, more) => ({
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", hovermode: "closest",
    dragmode: calm.matches ? false : "zoom", margin: { l: 58, r: 14, t: 26, b: 54 },
    font: { family: "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif", size: 13,
      color: color("ink") },
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", bgcolor: "rgba(0,0,0,0)" },
    hoverlabel: { bgcolor: color("paper"), bordercolor: color("line"), font: { color: color("ink"), size: 12.5 },
      align: "left" },
    xaxis: x, yaxis: y, ...more });

  const wrap = (text) => {
    const lines = text.match(/.{1,64}/g) || [];
    return lines.slice(0, 4).map(plain).join("<br>") + (lines.length > 4 ? " …" : "");
  };
  const hints = new Map();
  const hint = (point) => {
    if (!hints.has(point)) {
      const values = columns.map((c, i) => [c, points.values[i][point], i]).filter(([, v, i]) => v !== null && !inside.has(i))
        .map(([c, v]) => `${plain(c.name)}  <b>${show(v)}</b>${c.unit ? ` ${plain(c.unit)}` : ""}${interval(c, point)}`);
      const born = points.generations[point];
      hints.set(point, `<b>${title(point)}</b>${born === null ? "" : `, generation ${born}`}<br>` +
        `${values.join("<br>")}<br>${wrap(points.texts[point])}<extra></extra>`);
    }
    return hints.get(point);
  };
  const trace = (name, list, marker, more) => ({ type: "scatter", mode: "markers", name, marker,
    x: list.map((p) => points.values[xAxis][p]), y: list.map((p) => points.values[yAxis][p]), customdata: list,
    hovertemplate: list.map(hint), ...more });
  const known = (point) => points.values[xAxis][point] !== null && points.values[yAxis][point] !== null;
  const signed = (i, point) => points.values[i][point] * (columns[i].direction === "max" ? -1 : 1);

  const joined = () => {
    const list = points.front.filter(known)
      .sort((a, b) => signed(xAxis, a) - signed(xAxis, b) || signed(yAxis, a) - signed(yAxis, b));
    let best = Infinity;
    return list.filter((p) => signed(yAxis, p) < best && ((best = signed(yAxis, p)), true));
  };
  const kin = (point) => {
    const seen = new Set([point]);
    const generations = [];
    for (let level = [point]; level.length && generations.length < 60;) {
      const next = [...new Set(level.flatMap((p) => points.parents[p]))].filter((p) => !seen.has(p));
      next.forEach((p) => seen.add(p));
      if (next.length) generations.push(next);
      level = next;
    }
    return generations;
  };
  const range = (i, list, needed, beyond = 0.08) => {
    // The far tail on the worse side, 2 %, would squeeze the rest; a double click shows it.
    const all = list.map((p) => points.values[i][p]).filter((v) => v !== null).sort((a, b) => a - b);
    if (!all.length) return {};
    const must = needed.map((p) => points.values[i][p]).filter((v) => v !== null);
    let [low, high] = [all[0], all[all.length - 1]];
    if (columns[i].direction === "max") low = Math.min(all[Math.floor(all.length * 0.02)], ...must);
    else high = Math.max(all[Math.ceil(all.length * 0.98) - 1], ...must);
    if (low > 0 && high / low > 30) {
      const edge = Math.log10(high / low) * beyond;
      return { type: "log", range: [Math.log10(low) - edge, Math.log10(high) + edge] };
    }
    const edge = (high - low) * beyond || Math.abs(high) * beyond || 1;
    return { range: [low - edge, high + edge] };
  };

  const drawFront = () => {
    const every = [...Array(n).keys()];
    const cloud = every.filter((p) => points.states[p] === 0 && !onFront.has(p) && known(p));
    const broken = every.filter((p) => points.states[p] === 1 && known(p));
    const members = points.front.filter(known);
    const line = joined();
    const narrow = matchMedia("(max-width: 600px)").matches;  // its legend has room for the most important alone
    const traces = [];
    if (broken.length) {
      traces.push(trace("breaks a constraint", broken, { symbol: "x-thin", size: 6, opacity: 0.6,
        line: { color: color("broken"), width: 1.2 } }));
    }
    if (cloud.length) {
      traces.push(trace("evaluated", cloud, { size: 6, color: color("cloud"),
        opacity: Math.min(0.55, Math.max(0.2, 60 / cloud.length ** 0.7)) }));
    }
    traces.push(trace("joined", line, {}, { mode: "lines", hoverinfo: "skip", hovertemplate: undefined, showlegend: false,
      line: { color: color("front"), width: 2, shape: columns[xAxis].direction === "min" ? "hv" : "vh" } }));
    traces.push(trace("front", members, { size: 9, color: color("front"), line: { color: color("paper"), width: 1 } }));
    if (chosen >= 0 && known(chosen)) {
      const pairs = [];
      const older = [chosen, ...kin(chosen).slice(0, 3).flat()].slice(0, 40).filter(known);
      older.forEach((p) => points.parents[p].filter((q) => older.includes(q)).forEach((q) => pairs.push(q, p, null)));
      if (pairs.length) {
        const at = (i) => pairs.map((p) => (p === null ? null : points.values[i][p]));
        traces.push({ type: "scatter", mode: "lines+markers", name: "descent", showlegend: !narrow, x: at(xAxis), y: at(yAxis),
          line: { color: color("kin"), width: 1, dash: "dot" }, opacity: 0.8, marker: { size: 5, color: color("kin") },
          customdata: pairs, hovertemplate: pairs.map((p) => (p === null ? "" : hint(p))) });
      }
      traces.push(trace("selected", [chosen], { size: 19, color: "rgba(0,0,0,0)",
        line: { color: color("chosen"), width: 3 } }, { showlegend: !narrow }));
    }
    const all = [...cloud, ...members];
    // Each card's name beside its member: on the side of the front that is empty, unless it would leave the chart.
    const above = columns[yAxis].direction === "max";
    const right = columns[xAxis].direction === "min";
    const [from, to] = range(xAxis, all, members).range || [0, 1];
    const log = range(xAxis, all, members).type === "log";
    const near = (p) => ((log ? Math.log10(points.values[xAxis][p]) : points.values[xAxis][p]) - from) / (to - from);
    const side = (p) => (near(p) < 0.25 ? 1 : near(p) > 0.75 ? -1 : right ? -1 : 1);
    const turned = (p) => (side(p) < 0) === right ? 1 : -1;
    const annotations = data.cards.map((card) => [card.name, points.front[card.index]]).filter(([, p]) => known(p))
      .map(([name, p]) => ({ x: points.values[xAxis][p], y: points.values[yAxis][p], text: `<b>${plain(name)}</b>`,
        ax: 26 * side(p), ay: turned(p) > 0 ? (above ? -24 : 24) : (above ? 15 : -15), xanchor: side(p) < 0 ? "right" : "left", arrowcolor: color("ink"),
        arrowwidth: 1.2, arrowhead: 0, standoff: 7, bgcolor: color("paper"), borderpad: 2,
        font: { size: 13, color: color("ink") } }));
    for (const [i, key] of [[xAxis, "x"], [yAxis, "y"]]) {
      if (range(i, all, members).type === "log") annotations.forEach((a) => { a[key] = Math.log10(a[key]); });
    }
    return Plotly.react("front", traces, layout(
      axis(label(columns[xAxis]), range(xAxis, all, members)),
      axis(label(columns[yAxis]), range(yAxis, all, members, 0.14)), { annotations }), config);
  };

  const drawParallel = () => {
    const wanted = columns.slice(0, data.objectives);
    const scaled = wanted.map((c, i) => {
      const all = points.front.map((p) => points.values[i][p]).filter((v) => v !== null);
      const [low, high] = [Math.min(...all), Math.max(...all)];
      return { low, high, at: (v) => (v === null ? null : high > low ? (c.direction === "max" ? (v - low) / (high - low)
        : (high - v) / (high - low)) : 0.5) };
    });
    const narrow = matchMedia("(max-width: 600px)").matches;
    const names = wanted.map((c) => plain(c.name) + (c.unit && !narrow ? `<br>${plain(c.unit)}` : ""));
    const run = (list) => ({ x: list.flatMap(() => [...names, null]),
      y: list.flatMap((p) => [...scaled.map((s, i) => s.at(points.values[i][p])), null]),
      customdata: list.flatMap((p) => [...names.map(() => p), null]),
      hovertemplate: list.flatMap((p) => [...names.map(() => hint(p)), ""]) });
    const traces = [{ type: "scatter", mode: "lines+markers", name: "front", ...run(points.front),
      line: { color: color("front"), width: 1.2 }, marker: { size: 6, color: color("front") }, opacity: 0.5 }];
    if (onFront.has(chosen)) {
      traces.push({ type: "scatter", mode: "lines+markers", name: "selected", ...run([chosen]),
        line: { color: color("chosen"), width: 3.5 }, marker: { size: 10, color: color("chosen") } });
    }
    const ends = scaled.flatMap((s, i) => [[1, "bottom", 9], [0, "top", -9]].map(([y, anchor, shift]) => ({
      x: names[i], y, yanchor: anchor, yshift: shift, showarrow: false, font: { size: 13, color: color("soft") },
      text: show((columns[i].direction === "max") === (y === 1) ? s.high : s.low) })));
    return Plotly.react("parallel", traces, layout(
      axis("", { type: "category", showgrid: true, gridcolor: color("line"), gridwidth: 2, tickfont: { size: 14 } }),
      axis("", { tickvals: [0, 1], ticktext: ["worst", "best"], showgrid: false, range: [-0.14, 1.14] }),
      { annotations: ends, margin: { l: 50, r: 24, t: 34, b: 50 } }), config);
  };

  const drawProgress = () => {
    const { evaluations, hypervolume, others } = data.progress;
    const traces = [{ type: "scatter", mode: "lines", name: "this search", x: evaluations, y: hypervolume,
      line: { color: color("front"), width: 2.4, shape: "hv" }, hovertemplate: "%{x} evaluations: %{y:.4f}<extra></extra>" }];
    for (const [name, curve] of Object.entries(others || {})) {
      traces.push({ type: "scatter", mode: "lines", name: plain(name), x: curve.evaluations, y: curve.hypervolume,
        line: { color: color("broken"), width: 2, dash: "dash", shape: "hv" } });
    }
    return Plotly.react("progress", traces, layout(axis("evaluations"), axis("hypervolume"),
      { showlegend: traces.length > 1 }), config);
  };

  const drawTruth = (pair, index) => {
    const [estimates, truths] = [pair.estimates, pair.truths].map((list, i) => list.map((v) => v * pair.scales[i]));
    const noise = pair.noise && pair.noise.map((v) => v * pair.scales[1]);
    const values = [...estimates, ...truths];
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const numbers = pair.texts.map((text) => points.texts.indexOf(text));
    const [unit, truthUnit] = pair.units.map((name) => (name ? ` (${plain(name)})` : ""));
    return Plotly.react(`truth${index}`, [
      ...(pair.scales[0] !== pair.scales[1] ? [] : [{ type: "scatter", mode: "lines", name: "equal", x: [low, high], y: [low, high], hoverinfo: "skip",
        line: { color: color("cloud"), dash: "dot", width: 1.4 } }]),
      { type: "scatter", mode: "markers", name: "architectures", x: estimates, y: truths, customdata: numbers,
        hovertemplate: numbers.map((p, i) => `<b>${p < 0 ? "not drawn" : title(p)}</b><br>${plain(pair.estimate)} ` +
          `${show(estimates[i])}<br>${plain(pair.truth)} ${show(truths[i])}<extra></extra>`),
        error_y: noise ? { type: "data", array: noise, color: color("soft"), thickness: 1, width: 2 } : undefined,
        marker: { size: numbers.map((p) => (p === chosen ? 13 : 8)),
          color: numbers.map((p) => (p === chosen ? color("chosen") : color("front"))) } },
    ], layout(axis(`${plain(pair.estimate)}${unit}, estimated`), axis(`${plain(pair.truth)}${truthUnit}`),
      { showlegend: false }), config);
  };

  const drawSupernet = () => Plotly.react("supernet", [{ type: "scatter", mode: "lines+markers", name: "loss",
    x: data.supernet.epochs, y: data.supernet.losses, line: { color: color("front"), width: 2 }, marker: { size: 5 },
    hovertemplate: "epoch %{x}: loss %{y:.4f}<extra></extra>" }],
  layout(axis("epoch"), axis("mean loss")), config);

  const drawForgetting = () => Plotly.react("forgetting", [{ type: "scatter", mode: "markers", name: "forgetting",
    x: data.supernet.forgetting.map((v) => v.step), y: data.supernet.forgetting.map((v) => v.value),
    marker: { size: 7, color: color("front"), opacity: 0.7 },
    hovertemplate: "update %{x}: %{y:+.3f}<extra></extra>" }],
  layout(axis("update after which it was read"), axis("change of accuracy within the epoch", { zeroline: true,
    zerolinecolor: color("soft") })), config);

  const drawTraining = (curve, index) => {
    const line = (key, more) => (curve[key] ? [{ type: "scatter", mode: "lines", name: curve[key].words, x: curve.epochs,
      y: curve[key].values.map((v) => (v === null || key === "loss" ? v : curve.scale * v)), ...more }] : []);
    return Plotly.react(`training${index}`, [
      ...line("held_out", { line: { color: color("front"), width: 2.4 } }),
      ...line("metric", { line: { color: color("kin"), width: 1.8, dash: "dash" } }),
      ...line("loss", { yaxis: "y2", line: { color: color("broken"), width: 1.6, dash: "dot" } }),
    ], layout(axis("epoch"), axis(curve.axis), { yaxis2: axis("loss", { overlaying: "y", side: "right", showgrid: false }),
      margin: { l: 58, r: 58, t: 40, b: 54 } }), config);
  };

  const charts = [
    ["front", drawFront, true], ["parallel", drawParallel, true], ["progress", drawProgress],
    ["supernet", drawSupernet], ["forgetting", drawForgetting],
    ...data.truths.map((pair, i) => [`truth${i}`, () => drawTruth(pair, i), true]),
    ...data.trainings.map((curve, i) => [`training${i}`, () => drawTraining(curve, i)]),
  ].filter(([id]) => byId(id));
  const draw = (changing) => Promise.all(charts.filter(([, , moves]) => !changing || moves).map(([, work]) => work()));

  // --------------------------------------------------------------------------------------------------- the details

  const copyable = (text) => {
    const box = make("div", undefined, "code");
    const code = make("pre", text);
    code.tabIndex = 0;
    const button = make("button", "Copy");
    button.type = "button";
    button.addEventListener("click", async () => {
      try { await navigator.clipboard.writeText(text); button.textContent = "Copied"; }
      catch { getSelection().selectAllChildren(code); button.textContent = "Selected: press Ctrl+C"; }
      setTimeout(() => { button.textContent = "Copy"; }, 1800);
    });
    box.append(code, button);
    return box;
  };
  const link = (point) => {
    const name = onFront.has(point) ? `member ${onFront.get(point)}` : points.ids[point];
    const button = make("button", `${name} · ${show(points.values[0][point])}`);
    button.type = "button";
    button.title = `${title(point)}, ${columns[0].name} ${show(points.values[0][point])}`;
    button.addEventListener("click", () => select(point));
    return button;
  };

  const detail = () => {
    const box = byId("details-body");
    const sheet = byId("drawing-body");
    box.replaceChildren();
    sheet.replaceChildren();
    byId("drawing-title").textContent = chosen < 0 ? "Drawing" : `${title(chosen)}, drawn`;
    byId("details-title").textContent = chosen < 0 ? "Nothing selected" : title(chosen);
    const index = onFront.get(chosen);
    byId("previous").disabled = !points.front.length;
    byId("next").disabled = !points.front.length;
    if (chosen < 0) return;
    const born = points.generations[chosen];
    const words = [`id ${points.ids[chosen]}`];
    if (born !== null) words.push(`generation ${born}`);
    if (index === undefined) words.push("not on the front");
    if (points.states[chosen] === 1) words.push("breaks a constraint");
    if (index !== undefined && front[index].breaks.length) words.push(`breaks ${front[index].breaks.join(", ")} as measured`);
    box.append(make("p", words.join(", "), "soft small"));
    const list = make("dl", undefined, "values");
    columns.forEach((c, i) => {
      const value = points.values[i][chosen];
      if (value === null || inside.has(i)) return;
      const [name, number] = [make("dt", c.name), make("dd", show(value))];
      if (c.origin) name.append(make("span", c.origin));
      if (c.unit) number.append(make("span", c.unit));
      number.append(interval(c, chosen));
      list.append(name, number);
    });
    box.append(list);
    if (data.drawings[chosen]) {
      const drawing = make("div", undefined, "drawing");
      drawing.tabIndex = 0;
      drawing.innerHTML = data.drawings[chosen];
      sheet.append(drawing);
    } else {
      sheet.append(make("p", "Only members of the front have a drawing; of any other:  evonas describe SPACE 'TEXT' --out FILE.svg",
        "soft small"));
    }
    sheet.append(make("h3", "Architecture"), copyable(points.texts[chosen]));
    const bent = data.nonlinearity[chosen];
    if (bent) {
      const chart = make("div", undefined, "drawing");
      chart.tabIndex = 0;
      chart.innerHTML = bent.drawing;
      sheet.append(make("h3", "Nonlinearity"), ...bent.words.map((line) => make("p", line, "small")), chart);
    }
    if (index !== undefined) {
      box.append(make("h3", "Take it"), copyable(`${data.deploy} --select index:${index}`));
    }
    const generations = kin(chosen);
    box.append(make("h3", "Descent"));
    if (!generations.length) {
      box.append(make("p", "It descends from none that was evaluated: it was drawn, not bred.", "small"));
    } else {
      const total = generations.flat().length;
      box.append(make("p", `${total} ancestors over ${generations.length} generations of breeding; the last three are dotted in the chart. Beside each: ${columns[0].name}.`,
        "small"));
      const kinList = make("ol", undefined, "kin");
      generations.slice(0, 4).forEach((level, depth) => {
        const item = make("li");
        item.append(make("span", ["parents", "grandparents", "great-grandparents"][depth] || `${depth + 1} generations back`));
        level.slice(0, 6).forEach((p) => item.append(link(p)));
        if (level.length > 6) item.append(`and ${level.length - 6} more`);
        kinList.append(item);
      });
      box.append(kinList);
    }
  };

  const select = (point) => {
    chosen = point;
    remember();
    detail();
    for (const row of document.querySelectorAll("tr[data-index]")) {
      row.setAttribute("aria-selected", String(points.front[Number(row.dataset.index)] === chosen));
    }
    for (const pick of document.querySelectorAll(".pick")) {
      pick.setAttribute("aria-pressed", String(points.front[Number(pick.dataset.index)] === chosen));
    }
    signs();
    return draw(true);
  };
  const step = (by) => {
    const size = points.front.length;
    const index = onFront.has(chosen) ? onFront.get(chosen) : by > 0 ? -1 : 0;
    if (size) select(points.front[(index + by + size) % size]);
  };

  // ---------------------------------------------------------------------------------------------------- the controls

  for (const [id, get, set] of [["x", () => xAxis, (v) => { xAxis = v; }], ["y", () => yAxis, (v) => { yAxis = v; }]]) {
    const menu = byId(id);
    columns.forEach((c, i) => menu.add(new Option(c.name, String(i))));
    menu.value = String(get());
    menu.addEventListener("change", () => { set(Number(menu.value)); remember(); draw(true); });
  }
  byId("swap").addEventListener("click", () => {
    [xAxis, yAxis] = [yAxis, xAxis];
    byId("x").value = String(xAxis);
    byId("y").value = String(yAxis);
    remember();
    draw(true);
  });
  byId("previous").addEventListener("click", () => step(-1));
  byId("next").addEventListener("click", () => step(1));
  byId("front").addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (by) { event.preventDefault(); step(by); }
  });
  for (const button of document.querySelectorAll("[data-index] .show, .pick")) {
    button.addEventListener("click", () => {
      select(points.front[Number(button.closest("[data-index]").dataset.index)]);
      if (button.closest("table")) byId("details").scrollIntoView();
    });
  }

  // ------------------------------------------------------------------------------------------------------ the table

  const body = document.querySelector("#table tbody");
  const rows = [...body.rows];
  const opened = new Set();
  const units = { k: 1e3, M: 1e6, G: 1e9, "%": 1, "": 1 };
  // A condition such as acc>=90% or flops<=300k; null where a part is none.
  const condition = (part) => {
    const match = part.match(/^(.+?)(<=|>=|<|>|=)([-+]?[\d.]+(?:e[-+]?\d+)?)([kMG%]?)$/);
    const index = match ? columns.findIndex((c) => c.name === match[1]) : -1;
    if (index < 0) return null;
    let bound = Number(match[3]) * units[match[4]];
    if (columns[index].unit === "%") bound *= match[4] !== "%" && Math.abs(bound) <= 1 ? 100 : 1;
    else if (match[4] === "%") bound /= 100;
    const signs = { "<=": (v) => v <= bound, ">=": (v) => v >= bound, "<": (v) => v < bound, ">": (v) => v > bound,
      "=": (v) => v === bound };
    return (point) => points.values[index][point] !== null && signs[match[2]](points.values[index][point]);
  };
  const filter = () => {
    const wanted = byId("filter").value.trim().replace(/\s*(<=|>=|<|>|=)\s*/g, "$1").split(/[\s,]+/).filter(Boolean).map((part) => condition(part) ||
      ((point) => points.ids[point].startsWith(part) || points.texts[point].includes(part)));
    let kept = 0;
    for (const row of rows) {
      const fits = wanted.every((test) => test(points.front[Number(row.dataset.index)]));
      kept += fits;
      row.hidden = !fits || (!wanted.length && row.dataset.equal !== undefined && !opened.has(row.dataset.equal));
    }
    byId("filtered").textContent = wanted.length ? `${kept} of ${rows.length}` : "";
  };
  byId("filter").addEventListener("input", filter);
  for (const button of document.querySelectorAll(".equal")) {
    button.addEventListener("click", () => {
      const leader = button.dataset.leader;
      if (!opened.delete(leader)) opened.add(leader);
      button.setAttribute("aria-expanded", String(opened.has(leader)));
      filter();
    });
  }
  document.querySelectorAll("#table .sort").forEach((button, index) => button.addEventListener("click", () => {
    const head = button.closest("th");
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of document.querySelectorAll("#table th[aria-sort]")) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = (row) => { const cell = row.cells[index]; return cell.dataset.v ? Number(cell.dataset.v) : null; };
    const order = (a, b) => {
      const [left, right] = [key(a), key(b)];
      if (left === null && right === null) return a.cells[index].textContent < b.cells[index].textContent ? -1 : 1;
      return left === null ? 1 : right === null ? -1 : left - right;
    };
    rows.sort((a, b) => (up ? order(a, b) : order(b, a)) || Number(a.dataset.index) - Number(b.dataset.index));
    body.append(...rows);
  }));

  // What is wider than its box says so.
  const signs = () => {
    for (const box of document.querySelectorAll(".drawing, .scroll")) {
      const wide = box.scrollWidth > box.clientWidth + 4;
      let sign = box.previousElementSibling;
      if (!sign || !sign.classList.contains("sign")) {
        if (!wide) continue;
        sign = make("p", "Scroll sideways for the rest →", "sign small soft");
        box.before(sign);
      }
      sign.hidden = !wide;
    }
  };
  addEventListener("resize", signs);
  const gallery = byId("gallery");
  gallery.addEventListener("toggle", () => {
    const grid = gallery.querySelector(".gallery");
    if (!gallery.open || grid.childElementCount) return;
    points.front.filter((p) => data.drawings[p]).forEach((p) => {
      const figure = make("figure");
      const caption = make("figcaption");
      caption.append(link(p), ` ${columns.slice(0, data.objectives).map((c, i) => `${c.name} ${show(points.values[i][p])}`).join(", ")}`);
      const drawing = make("div");
      drawing.innerHTML = data.drawings[p];
      figure.append(caption, drawing);
      grid.append(figure);
    });
  });

  await draw(false);
  for (const [id, , picks] of charts) {
    if (!picks) continue;
    byId(id).on("plotly_click", (event) => {
      const point = event.points.map((p) => p.customdata).find((p) => Number.isInteger(p) && p >= 0);
      if (point !== undefined) select(point);
    });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(false));
  await select(chosen);
  document.documentElement.dataset.ready = "true";
})().catch((error) => {
  const notice = document.getElementById("notice");
  notice.textContent = `The charts could not be drawn (${error.message}); the tables hold the numbers.`;
  notice.hidden = false;
  throw error;
});
