"""The tag in real Chromium on a theme that fetches its pages by script and swaps the body: Breeze with Turbo on.

What such a page does, and when, was recorded from module-breeze 2.19.6: the address first, the answer when the shop gives
it, then `breeze:load`; a page that is fetched twice tells of itself twice; the way back asks for nothing.
"""

from __future__ import annotations

import pytest

from tests.chromium import NEEDS_CHROMIUM
from tests.tracking.tag_shop import PAGES

pytestmark = NEEDS_CHROMIUM

# The part of Turbolinks that a script of the head can see.
TURBO = """
<script>
  const kept = {};
  const load = () => ['breeze:beforeLoad', 'breeze:load'].forEach((name) => document.dispatchEvent(new CustomEvent(name)));
  document.addEventListener('DOMContentLoaded', load);
  window.visit = async (url, wait, whole) => {
    kept[location.pathname] = [document.body.className, document.body.innerHTML];
    const asked = new Promise((resolve) => {
      const request = new XMLHttpRequest();
      request.open('GET', url);
      request.setRequestHeader('Turbolinks-Referrer', location.href);
      request.onload = () => resolve(request.responseText);
      request.send();
    });
    history.pushState({ turbolinks: {} }, '', url);
    const text = await asked;
    await new Promise((resolve) => setTimeout(resolve, wait));
    const told = new DOMParser().parseFromString(text, 'text/html');
    document.body.className = told.body.className;
    document.body.innerHTML = told.body.innerHTML;
    load();
    if (whole) { setTimeout(() => { location.href = url; }, 90); }
  };
  window.addEventListener('popstate', () => {
    [document.body.className, document.body.innerHTML] = kept[location.pathname];
    load();
  });
</script><div id="breeze-turbo" data-config='{"enabled":true,"cacheSize":10}'></div>
"""


@pytest.fixture
def turbo(visit, monkeypatch):
    """A visitor on a shop each of whose pages has the library."""
    for path in ("/", "/product", "/listing", "/about", "/checkout/"):
        classes, body = PAGES[path]
        monkeypatch.setitem(PAGES, path, (f"breeze breeze-theme {classes}", TURBO + body))
    return visit


def test_each_swapped_page_is_one_view_of_what_it_shows_however_late_it_comes(turbo):
    turbo.open("/")
    turbo.wait("init")
    turbo.do("visit('/listing', 0)")
    turbo.wait("pageview", 1)
    turbo.do("visit('/product', 1500)")
    turbo.wait("pageview", 2)
    turbo.do("history.back()")
    turbo.wait("pageview", 3)
    assert turbo.shop.named("init") == [["homepage", {}, "default"]]
    views = [
        (path, kind, data.get("pid") or data.get("category_id")) for path, kind, data in turbo.shop.named("pageview")
    ]
    assert views == [("/listing", "listing", "3"), ("/product", "product", "5"), ("/listing", "listing", "3")]


def test_an_add_on_a_swapped_page_is_told(turbo):
    turbo.open("/")
    turbo.do("visit('/product', 0)")
    turbo.wait("pageview")
    turbo.do("shop.fetchAdd('5')")
    assert turbo.wait("trackAddToBasket") == [["5", 1]]
    assert len(turbo.wait("setBasket")) == 1


def test_the_checkout_that_is_fetched_twice_is_one_view(turbo):
    turbo.open("/about")
    turbo.wait("init")
    turbo.page.evaluate("visit('/checkout/', 0, true)")
    turbo.wait("init", 2)
    assert turbo.shop.named("init")[1] == ["checkout", {}, "default"]
    assert turbo.shop.named("pageview") == []
