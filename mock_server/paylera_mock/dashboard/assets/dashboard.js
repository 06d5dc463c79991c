// What the pages do beyond links and forms: all of them work without this.
"use strict";

const MOST_ROWS = 300;
const WIDE = matchMedia("(min-width: 76rem)");
document.documentElement.classList.add("scripted");

function say(text) {
  document.getElementById("said").textContent = text;
}

// Copying. A button names the element whose text it copies.
function showCopyButtons(within) {
  for (const button of within.querySelectorAll("[data-copy]")) button.hidden = false;
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const shown = button.querySelector("[aria-hidden]");
  try {
    await navigator.clipboard.writeText(source.textContent);
    shown.textContent = "Copied";
    say("Copied");
  } catch {
    getSelection().selectAllChildren(source);
    shown.textContent = "Press Ctrl-C";
  }
  setTimeout(() => { shown.textContent = "Copy"; }, 2000);
}

// A request opens beside the list where there is room; elsewhere its link is followed.
async function openPanel(link) {
  const panel = document.getElementById("panel");
  await htmx.ajax("GET", link.href, { source: panel, target: "#panel", select: "#trace, .problem", swap: "innerHTML" });
  const close = document.createElement("button");
  close.type = "button";
  close.className = "panel-close";
  close.textContent = "Close";
  close.onclick = () => closePanel();
  panel.prepend(close);
  panel.scrollTop = 0;
  panel.dataset.shown = new URL(link.href).pathname;
  markChosen();
  panel.querySelector("h2, h1")?.focus();
}

function closePanel() {
  const panel = document.getElementById("panel");
  if (!panel?.firstChild) return;
  const chosen = document.querySelector("tr.chosen a[data-panel]");
  panel.replaceChildren();
  delete panel.dataset.shown;
  markChosen();
  chosen?.focus();
}

function markChosen() {
  const shown = document.getElementById("panel")?.dataset.shown;
  for (const row of document.querySelectorAll("#rows tr")) {
    row.classList.toggle("chosen", row.querySelector(".path a").pathname === shown);
  }
}

// The list keeps its newest rows; the link to older ones goes on from the last.
function trimRows() {
  const rows = document.querySelectorAll("#rows tr");
  for (let place = MOST_ROWS; place < rows.length; place += 1) rows[place].remove();
  const last = document.querySelector("#rows tr:last-child");
  const older = document.getElementById("older");
  if (!last || !older) return;
  const address = new URL(older.href);
  address.searchParams.set("cursor", last.dataset.number);
  older.href = address;
  if (rows.length > MOST_ROWS) older.hidden = false;
  markChosen();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
  const link = event.target.closest("a[data-panel]");
  const isPlain = !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  if (link && isPlain && WIDE.matches && document.getElementById("panel")) {
    event.preventDefault();
    openPanel(link);
  }
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.target.matches("input, select, textarea")) closePanel();
});
document.addEventListener("submit", (event) => {
  // Empty filters have no place in the address.
  if (event.target.matches("form.filters")) {
    for (const field of event.target.elements) field.disabled ||= field.name !== "" && field.value === "";
  }
});
addEventListener("pageshow", () => {
  for (const field of document.querySelectorAll("form.filters :disabled")) field.disabled = false;
});
document.addEventListener("htmx:after:swap", () => {
  showCopyButtons(document);
  trimRows();
});
document.addEventListener("journal-cleared", () => location.reload());

// Whether the list is live. A namespace may be deleted, and a fake be started anew, which asks for its token again.
function showLive(text, tone) {
  const badge = document.getElementById("live");
  if (!badge || badge.textContent === text) return;
  badge.textContent = text;
  badge.className = `badge ${tone}`;
  say(text);
}

document.addEventListener("htmx:sse:after:connection", () => showLive("live", "good"));
document.addEventListener("htmx:sse:error", (event) => {
  if (event.detail.status === 401) location.reload();
  else if (event.detail.status === 404) showLive("namespace deleted", "none");
  else showLive("not connected", "bad");
});
showCopyButtons(document);
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
});

// The clock of the namespace goes on as it stood when the page was made, until the page is left.
for (const shown of document.querySelectorAll("[data-runs]")) {
  const ahead = shown.dataset.runs * 1000 - performance.now();
  setInterval(() => {
    const [day, time] = new Date(ahead + performance.now()).toISOString().split("T");
    shown.firstChild.data = `${day} `;
    shown.lastChild.textContent = time.slice(0, 8);
  }, 500);
}

// On a telephone the views and the tabs run out of the window: the one that is open is brought into it.
for (const current of document.querySelectorAll("nav [aria-current]")) {
  const nav = current.closest("nav");
  nav.scrollLeft = current.offsetLeft - (nav.clientWidth - current.offsetWidth) / 2;
}
