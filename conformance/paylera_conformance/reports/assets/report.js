"use strict";
// Evidence is drawn when it is asked for, from the compressed JSON at the end of the page, where each exchange stands
// once; nothing that a target said is ever parsed as HTML: text gets into the page as text alone.
(() => {
  const SIGNS = { pass: "✓", fail: "✗", error: "!", blocked: "?", pending: "…", "not-run": "-", inapplicable: "-", unobservable: "○", warn: "~" };
  const TONES = { pass: "good", fail: "bad", error: "bad", pending: "later", unobservable: "none" };
  const LONGEST = 500; // characters of a line of a request, where requests stand side by side
  const rows = [...document.querySelectorAll(".group li")];
  const controls = document.querySelector(".controls");
  const search = controls.querySelector("[name=text]");
  let evidence = null;

  const unpack = async () => {
    const bytes = Uint8Array.from(atob(document.getElementById("evidence").textContent), (character) => character.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).json();
  };

  // One exchange of the table, in which headers are numbers.
  const exchangeAt = (number, kase) => {
    const row = Object.fromEntries(Object.entries(evidence.exchanges).map(([name, column]) => [name, column[number]]));
    const pairs = (numbers) => numbers.map((place) => evidence.pairs[place]);
    return {
      ...row, headers: pairs(row.headers), deciding: number === kase.deciding, control: kase.calls.includes(number),
      answer: { status: row.status, headers: pairs(row.answer_headers), body: row.answer_body },
    };
  };

  const shown = (text) => String(text).replace(/[\p{Cc}\p{Cf}\p{Co}]/gu, (character) =>
    "\n\t".includes(character) ? character : "\\u{" + character.codePointAt(0).toString(16) + "}");

  const make = (name, className, ...children) => {
    const element = document.createElement(name);
    if (className) element.className = className;
    element.append(...children.map((child) => (typeof child === "string" ? shown(child) : child)));
    return element;
  };

  const badge = (outcome) => {
    const sign = make("span", "", SIGNS[outcome]);
    sign.setAttribute("aria-hidden", "true");
    return make("span", "badge " + (TONES[outcome] || "open"), sign, " " + outcome);
  };

  // Draws the inside of a `details` the first time that it is opened.
  const lazily = (details, draw) => {
    const once = () => {
      if (!evidence || !details.open || details.dataset.drawn) return;
      details.dataset.drawn = "yes";
      draw();
    };
    details.addEventListener("toggle", once);
    return once;
  };

  const pretty = (body) => {
    try {
      return JSON.stringify(JSON.parse(body), null, 2);
    } catch {
      return body;
    }
  };

  const lines = (first, headers, body) => {
    const text = [first, ...headers.map(([name, value]) => name + ": " + value)].join("\n");
    return make("pre", "", body ? text + "\n\n" + pretty(body) : text);
  };

  const block = (title, ...children) => make("div", "block", make("h3", "", title), ...children);
  const lead = (text) => (text ? [make("p", "lead", text)] : []);
  const sent = (exchange) => lines(exchange.method + " " + exchange.url, exchange.headers, exchange.body);
  const got = (exchange) => lines(String(exchange.answer.status), exchange.answer.headers, exchange.answer.body);

  const copied = (label, text) => {
    const copy = make("button", "copy", label);
    copy.type = "button";
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text());
      copy.textContent = "Copied";
    });
    return copy;
  };

  const repeat = (kase) => {
    const line = make("div", "curl", make("pre", "", kase.curl), copied("Copy the curl line", () => kase.curl));
    if (!kase.repeat) return [line];
    const script = () => evidence.program + evidence.scripts[kase.repeat];
    const run = make("div", "curl", make("pre", "", "python3 " + kase.repeat), copied("Copy the script", script));
    return [block("Repeat it all", run), block("Repeat the request", line)];
  };

  const times = (exchange) => {
    const target = exchange.target_time ? ", by the target's clock " + exchange.target_time : "";
    return make("p", "soft", "sent at " + exchange.at + target);
  };

  const exchangeOf = (exchange) => {
    const said = exchange.deciding ? "decided" : exchange.control ? "control API" : "";
    const mark = said ? [make("span", "mark", said)] : [];
    const role = make("span", "soft", exchange.role || "no credential");
    const head = make("summary", "", make("code", "status", String(exchange.answer.status)), make("code", "url", exchange.method + " " + exchange.url), role, ...mark);
    const details = make("details", "exchange", head);
    lazily(details, () => details.append(times(exchange), make("div", "sides two", block("Sent", sent(exchange)), block("Got", got(exchange)))));
    return make("li", "", details);
  };

  const instant = (text) => {
    const time = make("time", "", Number.isNaN(Date.parse(text)) ? text : new Date(text).toISOString().slice(0, 23).replace("T", " "));
    time.dateTime = text;
    return time;
  };

  const duration = (seconds) => {
    const whole = Math.floor(Math.abs(seconds));
    const parts = [[Math.floor(whole / 86400), " d"], [Math.floor(whole / 3600) % 24, " h"], [Math.floor(whole / 60) % 60, " min"]];
    const rest = Number((Math.abs(seconds) - Math.floor(whole / 60) * 60).toFixed(3));
    const words = [...parts, [rest, " s"]].filter(([count]) => count).map(([count, unit]) => count + unit);
    return (seconds < 0 ? "-" : "") + (words.join(" ") || "0 s");
  };

  const clock = (name, text, first = text) => {
    const since = (Date.parse(text) - Date.parse(first)) / 1000;
    const passed = since ? " (+ " + duration(since) + ")" : "";
    return make("span", "clock", make("span", "soft", name + " "), text ? instant(text) : "unknown", make("span", "soft", passed));
  };

  // A changed request between the accepted ones; what differs is marked, also where it is not there.

  const part = (name, text, differs = [], drawn = []) =>
    (differs.includes(name) ? make("mark", "differs", text) : drawn.includes(name) ? make("span", "drawn", text) : text);

  const inShort = (text) => (text.length > LONGEST ? text.slice(0, LONGEST) + "… (" + (text.length - LONGEST) + " characters more: see the exchange)" : text);

  // The lines of a body, each with the name of the member that it shows.
  const bodyLines = (value, place, before, after, indent) => {
    const entries = value && typeof value === "object" ? Object.entries(value) : [];
    if (!entries.length) return [[indent + before + JSON.stringify(value) + after, ("body " + place).trim()]];
    const isList = Array.isArray(value);
    const inside = entries.flatMap(([name, member], number) => bodyLines(
      member, isList ? place + "[" + name + "]" : place ? place + "." + name : name, isList ? "" : JSON.stringify(name) + ": ",
      number < entries.length - 1 ? "," : "", indent + "  "));
    return [[indent + before + (isList ? "[" : "{"), ""], ...inside, [indent + (isList ? "]" : "}") + after, ""]];
  };

  const linesOfBody = (body) => {
    try {
      return bodyLines(JSON.parse(body), "", "", "", "");
    } catch {
      return [[body, "body"]];
    }
  };

  const markedRequest = (exchange, { differs, drawn }) => {
    const named = differs.map((name) => (name.startsWith("header ") ? name.toLowerCase() : name));
    const quiet = drawn.map((name) => (name.startsWith("header ") ? name.toLowerCase() : name));
    const at = (exchange.url + "?").indexOf("?");
    const first = [[exchange.method, "method"], [" ", ""], [exchange.url.slice(0, at), "path"], [exchange.url.slice(at), "query"]];
    const headers = exchange.headers.map(([name, value]) => [name + ": " + value, "header " + name.toLowerCase()]);
    const wholly = ([text, name]) => [text, named.includes("body") ? "body" : name];
    const body = exchange.body ? [["", ""], ...linesOfBody(exchange.body).map(wholly)] : [];
    const seen = new Set([...first.filter(([text]) => text), ...headers, ...body].map(([, name]) => name));
    const missing = differs.filter((name, number) => name !== "time" && !seen.has(named[number]));
    const rest = [...headers, ...missing.map((name) => ["(no " + name + ")", "missing"]), ...body];
    const draw = ([text, name]) => part(name, inShort(text.trimStart()), [...named, "missing"], quiet);
    const indent = ([text]) => text.slice(0, text.length - text.trimStart().length);
    return make("pre", "", ...first.map((segment) => (segment[1] ? draw(segment) : " ")), ...rest.flatMap((line) => ["\n" + indent(line), draw(line)]));
  };

  const column = (title, exchange, comparison) => {
    const answer = make("details", "answer", make("summary", "", "Got ", make("code", "", String(exchange.answer.status))), got(exchange));
    answer.open = title === "Changed";
    const time = exchange.target_time ? clock("Target", exchange.target_time) : clock("Wall", exchange.at);
    const isOther = comparison.differs.includes("time");
    return block(title, make("div", "clocks", isOther ? make("mark", "differs", time) : time), markedRequest(exchange, comparison), answer);
  };

  const comparisonOf = (kase) => {
    const { differs, drawn } = kase.comparison;
    const quiet = drawn.length ? " Drawn anew: " + drawn.join(", ") + "." : "";
    const caption = make("p", "caption", differs.length > 1 ? "They differ in " : "The one difference: ", make("b", "", differs.join(" and ")), ".", quiet);
    const columns = [["before", "Accepted before"], ["changed", "Changed"], ["after", "Accepted after"]]
      .filter(([place]) => place in kase.comparison)
      .map(([place, title]) => column(title, exchangeAt(kase.comparison[place], kase), kase.comparison));
    return make("div", "compared", caption, make("div", columns.length > 2 ? "columns" : "columns two", ...columns));
  };

  // Where time was moved: what was sent at which time of the target's clock, and of ours.

  const stopOf = (stop, first) => {
    const sentHere = stop.sent.map(([status, request, role, decided]) => make("li", "", make("code", "status", String(status)), " ",
      make("code", "", request), " ", make("span", "soft", role || "no credential"), ...(decided ? [" ", make("span", "mark", "decided")] : [])));
    const others = stop.others.map(([status, count]) => count + " × " + status).join(", ");
    if (others) sentHere.push(make("li", "soft", "and others: " + others));
    const clocks = make("div", "clocks", clock("Target", stop.target, first.target), clock("Wall", stop.wall, first.wall));
    return make("li", "stop", clocks, make("ul", "", ...sentHere));
  };

  const timelineOf = (stops) => {
    const list = make("ol", "timeline");
    for (const stop of stops) {
      const times = stop.moves > 1 ? ", in " + stop.moves + " moves" : "";
      if (stop.moves) list.append(make("li", "move", "The target's clock was moved on by ", make("b", "", duration(stop.seconds)), times));
      list.append(stopOf(stop, stops[0]));
    }
    return block("What was sent when, by both clocks (UTC)", list);
  };

  const violation = (kase, exchange) => {
    const hint = kase.hint ? [make("p", "hint", kase.hint)] : [];
    const isWhole = exchange && !kase.comparison;
    const judged = make("div", "sides",
      block("Sent", ...lead(kase.change), ...(isWhole ? [sent(exchange)] : [])),
      block("Wanted", ...lead(kase.wanted), ...hint),
      block("Got", ...lead(kase.got), ...(isWhole ? [got(exchange)] : [])));
    return kase.comparison ? make("div", "judged", judged, comparisonOf(kase)) : judged;
  };

  const credentials = (kase) => kase.credentials.map((number) => evidence.credentials[number]).map((note) => make("p", "soft",
    note.label + ": " + (note.issued === false ? "issued by nobody" : [note.audience, "scopes " + (note.scopes.join(" ") || "none"), "aal " + note.aal, note.environment, note.state, ...(note.tenant ? ["of another tenant"] : [])].join(", "))));

  const within = (kase) => {
    const deciding = kase.deciding === undefined ? null : exchangeAt(kase.deciding, kase);
    const parts = [];
    if (kase.wanted) parts.push(violation(kase, deciding));
    else if (kase.headline) parts.push(make("p", "lead", kase.headline));
    if (!kase.wanted && kase.comparison) parts.push(comparisonOf(kase));
    else if (!kase.wanted && deciding) parts.push(make("div", "sides two", block("Sent", sent(deciding)), block("Got", got(deciding))));
    if (kase.timeline) parts.push(timelineOf(kase.timeline));
    if (deciding) parts.push(...repeat(kase));
    if (kase.exchanges.length) {
      const calls = kase.calls.length ? " and " + kase.calls.length + " calls of the control API" : "";
      const howMany = kase.more ? kase.exchanges.length + " exchanges (" + kase.more + " more are in run.json)" : "All " + kase.exchanges.length + " exchanges";
      const all = make("details", "exchanges-of", make("summary", "", howMany + calls + ", in order"));
      const draw = lazily(all, () => {
        const sentAll = [...kase.exchanges, ...kase.calls].map((number) => exchangeAt(number, kase));
        sentAll.sort((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : 0));
        all.append(...credentials(kase), make("ol", "exchanges", ...sentAll.map(exchangeOf)));
      });
      all.open = kase.outcome === "pass";
      draw();
      parts.push(all);
    }
    if (!parts.length) parts.push(make("p", "soft", "No exchange was kept."));
    return make("div", "within", ...parts);
  };

  const caseOf = (kase, isFirst) => {
    const cost = kase.requests + " requests, " + kase.seconds.toFixed(2) + " s" + (kase.time_evidence ? ", " + kase.time_evidence : "") + (kase.dropped ? ", dropped: the clause rests on its other cases" : "");
    const details = make("details", "case", make("summary", "", badge(kase.outcome), make("code", "", kase.case), make("span", "cost", cost)));
    details.dataset.case = kase.case;
    const draw = lazily(details, () => details.append(within(kase)));
    details.open = isFirst && kase.outcome !== "pass";
    draw();
    return details;
  };

  const drawCases = (row) => {
    const place = row.querySelector(".cases");
    const cases = evidence.clauses[row.querySelector("details").id];
    place.replaceChildren(...cases.map((kase, number) => caseOf(kase, number === 0)));
    if (!cases.length) place.append(make("p", "soft", "No case of it ran."));
  };

  const draws = new Map(rows.map((row) => {
    const details = row.querySelector("details");
    return [details, lazily(details, () => drawCases(row))];
  }));

  const open = (details) => {
    details.open = true;
    draws.get(details)();
  };

  // A cell of the matrix leads to its case.
  document.querySelector(".matrix")?.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-case]");
    if (!link) return;
    const clause = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    event.preventDefault();
    open(clause);
    const kase = [...clause.querySelectorAll("details.case")].find((details) => details.dataset.case === link.dataset.case);
    kase.open = true;
    kase.scrollIntoView();
    kase.querySelector("summary").focus();
  });

  // The matrix: a column for each operation in place of their number.

  const cellOf = (rule, clause, operation, outcome, name) => {
    const link = make("a", "", SIGNS[outcome]);
    link.href = "#" + clause;
    link.dataset.case = name;
    link.title = rule + ", " + operation + ": " + outcome;
    link.setAttribute("aria-label", link.title);
    return make("td", TONES[outcome] || "open", link);
  };

  const drawMatrix = () => {
    const table = document.querySelector(".matrix table");
    if (!table) return;
    const { operations, rows: cells } = evidence.matrix;
    const heads = operations.map((operation) => make("th", "", make("span", "", operation)));
    heads.forEach((head) => { head.scope = "col"; });
    [...table.tBodies[0].rows].forEach((row, number) => {
      const link = row.querySelector("th a");
      const drawn = operations.map(() => make("td", ""));
      for (const [column, outcome, name] of cells[number]) {
        drawn[column] = cellOf(link.textContent, decodeURIComponent(link.hash.slice(1)), operations[column], outcome, name);
      }
      row.querySelector(".count").replaceWith(...drawn);
    });
    table.prepend(make("thead", "", make("tr", "", make("td", ""), ...heads)));
  };

  // What is searched: the text of a clause and, once they are there, the names of its cases.
  const text = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));

  const addCases = () => rows.forEach((row) => {
    const cases = evidence.clauses[row.querySelector("details").id];
    text.set(row, text.get(row) + " " + cases.map((kase) => kase.case).join(" ").toLowerCase());
  });

  // Filters: nothing chosen of a kind means all of it.

  const chosen = (name) => [...controls.querySelectorAll("[name=" + name + "]:checked")].map((input) => input.value);

  const apply = () => {
    const outcomes = chosen("outcome");
    const levels = chosen("level");
    const group = controls.querySelector("[name=group]").value;
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) {
      row.hidden = !((!outcomes.length || outcomes.includes(row.dataset.outcome))
        && (!levels.length || levels.includes(row.dataset.level))
        && (!group || row.dataset.group === group)
        && words.every((word) => text.get(row).includes(word)));
    }
    for (const section of document.querySelectorAll(".group")) {
      section.hidden = !section.querySelector("li:not([hidden])");
    }
    const count = rows.filter((row) => !row.hidden).length;
    document.getElementById("shown").textContent = count + " of " + rows.length + " clauses";
    document.getElementById("nothing").hidden = count > 0;
  };

  const reset = () => {
    for (const input of controls.querySelectorAll("input[type=checkbox]")) input.checked = false;
    controls.querySelector("[name=group]").value = "";
    search.value = "";
    apply();
  };

  const visible = () => rows.filter((row) => !row.hidden).map((row) => row.querySelector("details"));

  const openNamed = () => {
    const details = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!draws.has(details)) return;
    open(details);
    details.scrollIntoView();
    details.querySelector("summary").focus();
  };

  controls.hidden = false;
  controls.addEventListener("input", apply);
  document.getElementById("open-all").addEventListener("click", () => visible().forEach(open));
  document.getElementById("close-all").addEventListener("click", () => visible().forEach((details) => { details.open = false; }));
  document.getElementById("reset").addEventListener("click", reset);
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input[type=search], select, textarea");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
    }
    if (event.key === "Escape" && event.target === search) {
      search.value = "";
      apply();
    }
  });
  window.addEventListener("hashchange", openNamed);

  // What goes to paper is what is shown, and of that the evidence of everything that did not pass.
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = visible().filter((details) => !details.open && details.closest("li").dataset.outcome !== "pass");
    opened.forEach(open);
  });
  window.addEventListener("afterprint", () => opened.forEach((details) => { details.open = false; }));

  apply();
  openNamed();
  unpack().then((unpacked) => {
    evidence = unpacked;
    addCases();
    drawMatrix();
    draws.forEach((draw) => draw());
    apply();
    openNamed();
  });
})();
