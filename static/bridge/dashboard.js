"use strict";

// Loaded before the page is drawn, so that the colours are right from the first moment. Everything here is an
// addition: each page works without it.
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function paint() {
  document.documentElement.dataset.bsTheme = dark.matches ? "dark" : "light";
}

// Times are written in UTC by the server; people read them in their own zone.
function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    const today = at.toDateString() === new Date().toDateString();
    time.textContent = at.toLocaleString(undefined, today ? { timeStyle: "medium" } : { dateStyle: "short", timeStyle: "short" });
  }
}

// A ticked "Use Default" locks its field; what the server reads is the box alone.
function lockFields(form) {
  for (const box of form.querySelectorAll("[data-uses-default]")) {
    const control = document.getElementById(box.dataset.usesDefault);
    const apply = () => {
      control.disabled = box.disabled || box.checked;
    };
    box.addEventListener("change", () => {
      apply();
      if (!box.checked) (control.querySelector("input:not([type=hidden])") ?? control).focus();
    });
    apply();
  }
}

// A menu closes when the focus or a click goes elsewhere, and by Escape.
function closeMenu(menu) {
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu.open) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
}

// The home page's parts are fetched again while somebody looks; only a part that differs is replaced, and never one
// in which text is selected or which has the focus.
function keepLive(page, state) {
  const shown = new Map();
  const parts = (root) => root.querySelectorAll("[data-live]");
  const text = state.querySelector("[data-live-text]");
  const fine = text.textContent;
  let timer;

  const busy = (part) => {
    const selection = document.getSelection();
    return part.contains(document.activeElement) || (!selection.isCollapsed && part.contains(selection.anchorNode));
  };

  const tell = (good) => {
    state.hidden = false;
    state.classList.toggle("is-stale", !good);
    const words = good ? fine : text.dataset.late;
    if (text.textContent !== words) text.textContent = words;
  };

  const refresh = async () => {
    clearTimeout(timer);
    if (document.hidden) return;
    try {
      const answer = await fetch(page.dataset.livePage, { cache: "no-store", signal: AbortSignal.timeout(10000) });
      if (answer.redirected) {
        location.reload();
        return;
      }
      if (!answer.ok) throw new Error("not answered");
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of parts(fresh)) {
        const name = part.dataset.live;
        const old = page.querySelector(`[data-live="${name}"]`);
        const html = part.innerHTML;
        if (!old || busy(old) || shown.get(name) === html) continue;
        shown.set(name, html);
        localTimes(part);
        const left = old.querySelector(".scroll")?.scrollLeft ?? 0;
        old.replaceChildren(...document.importNode(part, true).childNodes);
        if (left) old.querySelector(".scroll").scrollLeft = left;
      }
      tell(true);
    } catch {
      tell(false);
    }
    timer = setTimeout(refresh, 3000);
  };

  for (const part of parts(page)) shown.set(part.dataset.live, part.innerHTML);
  document.addEventListener("visibilitychange", refresh);
  timer = setTimeout(refresh, 3000);
  tell(true);
}

paint();
dark.addEventListener("change", paint);
document.addEventListener("DOMContentLoaded", () => {
  const page = document.querySelector("[data-live-page]");
  const state = document.querySelector("[data-live-state]");
  if (page && state) keepLive(page, state);
  localTimes(document);
  document.querySelectorAll("[data-settings]").forEach(lockFields);
  document.querySelectorAll("[data-menu]").forEach(closeMenu);
  document.querySelector(".has-error :is(input, select):not([type=hidden])")?.focus();
});
