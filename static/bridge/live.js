"use strict";

// New events are put on top of the list as the server tells them; without this script the list is as it was loaded.
document.addEventListener("DOMContentLoaded", () => {
  const list = document.querySelector("[data-events]");
  const body = list.querySelector("tbody");
  const state = list.querySelector("[data-events-state]");
  const pause = list.querySelector("[data-events-pause]");
  // What each kind of event is called stands in the filter, in the language of the page.
  const kinds = new Map([...document.querySelectorAll("#kind option")].map((one) => [one.value, one.text]));
  const known = new Set([...body.rows].map((row) => row.dataset.event));
  const most = 200;
  let last = new URL(list.dataset.events, location.href).searchParams.get("after");
  let source;
  let late;

  const tell = (words) => {
    clearTimeout(late);
    if (state.textContent !== words) state.textContent = words;
  };

  // Text only: what a shop says is never read as HTML.
  const cell = (row, text, kind) => {
    const made = row.insertCell();
    const inner = kind === "tag" ? made.appendChild(document.createElement("span")) : made;
    inner.className = kind;
    inner.textContent = text;
    return made;
  };

  const show = (event) => {
    if (known.has(event.id)) return;
    known.add(event.id);
    list.querySelector("[data-events-none]").hidden = true;
    const row = body.insertRow(0);
    row.dataset.event = event.id;
    const time = document.createElement("time");
    time.dateTime = new Date(event.at * 1000).toISOString();
    cell(row, "", "quiet").append(time);
    cell(row, kinds.get(event.kind) ?? event.kind.replaceAll("_", " "), "tag");
    cell(row, event.view || "–", "");
    cell(row, event.what, "words");
    localTimes(row);
    while (body.rows.length > most) {
      known.delete(body.rows[most].dataset.event);
      body.deleteRow(most);
    }
  };

  const stop = () => {
    clearTimeout(late);
    if (source) source.close();
    source = null;
  };

  const start = () => {
    stop();
    if (document.hidden || pause.getAttribute("aria-pressed") === "true") return;
    const address = new URL(list.dataset.events, location.href);
    address.searchParams.set("after", last);
    source = new EventSource(address);
    source.addEventListener("open", () => tell(state.dataset.open));
    source.addEventListener("message", (message) => {
      last = message.lastEventId;
      show(JSON.parse(message.data));
    });
    source.addEventListener("error", () => {
      // Each answer ends after a minute and the browser asks again; only a longer silence is worth a word.
      clearTimeout(late);
      late = setTimeout(() => tell(state.dataset.late), 8000);
      if (source && source.readyState === EventSource.CLOSED) setTimeout(start, 10000);
    });
  };

  pause.hidden = false;
  pause.addEventListener("click", () => {
    const paused = pause.getAttribute("aria-pressed") !== "true";
    pause.setAttribute("aria-pressed", String(paused));
    tell(paused ? state.dataset.paused : state.dataset.open);
    start();
  });
  document.addEventListener("visibilitychange", start);
  start();
});
