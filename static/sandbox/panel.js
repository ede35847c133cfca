/* Keeps a page of the sandbox current: asks for a version number, and fetches the page's <main> anew when it changed. */
(function () {
  'use strict';

  const POLL_MS = 1000;
  const light = document.querySelector('[data-live]');

  function paintFaces() {
    for (const face of document.querySelectorAll('[data-hue]')) {
      face.style.backgroundColor = 'hsl(' + Math.round(parseInt(face.dataset.hue, 16) * 360 / 256) + ' 45% 45%)';
    }
  }

  // What the reader has opened or closed stays so.
  function keepOpen(from, to) {
    for (const old of from.querySelectorAll('details[id]')) {
      const fresh = to.querySelector('#' + CSS.escape(old.id));
      if (fresh) { fresh.open = old.open; }
    }
  }

  async function refresh() {
    const main = document.querySelector('main');
    const state = await (await fetch('/version.json')).json();
    if (String(state.version) === main.dataset.version) { return; }
    const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), 'text/html');
    const fresh = page.querySelector('main');
    keepOpen(main, fresh);
    main.replaceWith(fresh);
    paintFaces();
  }

  async function poll() {
    try {
      if (!document.hidden) { await refresh(); }
      light.classList.remove('lost');
      light.textContent = 'live';
    } catch (error) {
      light.classList.add('lost');
      light.textContent = 'no answer';
    }
    setTimeout(poll, POLL_MS);
  }

  paintFaces();
  poll();
})();
