"""In front of a shop of one's own, as `docs/operate.md` says: the browser reaches the shop's real name at the bridge."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from playwright.sync_api import sync_playwright

from bridge.sandbox.listener import Listener
from bridge.sandbox.options import ShopOptions
from bridge.sandbox.shop import create_shop
from tests.browser.stack import ROOT, free_port, wait_for
from tests.chromium import CHROMIUM, FLAGS, NEEDS_CHROMIUM

pytestmark = NEEDS_CHROMIUM
PUBLIC = "http://shop.example.test"


@pytest.fixture
def bridge(tmp_path):
    """`bridge run` without the sandbox, its output in a list."""
    shop = Listener("127.0.0.1", 0)
    shop.start(create_shop(ShopOptions(base_url=f"{PUBLIC}/", rest_token="right-token")))
    address = f"127.0.0.1:{free_port()}"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
    environ |= {
        "BRIDGE_STORE_URL": f"http://127.0.0.1:{shop.port}",
        "BRIDGE_PUBLIC_URL": PUBLIC,
        "BRIDGE_STORE_TOKEN": "right-token",
        "BRIDGE_LISTEN": address,
        "BRIDGE_DASHBOARD_LISTEN": f"127.0.0.1:{free_port()}",
        "BRIDGE_DATA_DIR": str(tmp_path / "var"),
    }

    def bridge(*words):
        command = [sys.executable, "-m", "bridge", *words]
        return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False)

    log = (tmp_path / "run.log").open("w+")
    process = subprocess.Popen(
        [sys.executable, "-m", "bridge", "run"], cwd=ROOT, env=environ, stdout=log, stderr=subprocess.STDOUT
    )
    try:
        wait_for(lambda: "Ctrl-C stops" in (tmp_path / "run.log").read_text(), 60, what="bridge did not come up")
        yield address, bridge
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
        log.close()
        shop.stop()


@pytest.mark.timeout(300)
def test_the_shop_s_own_name_leads_through_the_bridge_and_the_tag_answers(bridge):
    address, command = bridge
    assert command("config", "set", "general.account_id", "abcd1234abcd1234").returncode == 0
    checked = command("check")
    assert "The home page answers." in checked.stdout
    assert "The token is accepted; 3 store views were read." in checked.stdout
    assert checked.returncode == 1
    with sync_playwright() as playwright:
        rule = f"--host-resolver-rules=MAP shop.example.test {address}"
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, rule])
        page = browser.new_page()
        # Ometria's own script is not to be had here; its host must not be asked.
        page.route("**/cdn.ometria.com/**", lambda route: route.abort())
        answers = {}
        page.on("response", lambda answer: answers.setdefault(answer.url.partition("?")[0], answer.status))
        wait_for(lambda: page.goto(PUBLIC + "/") and page.locator("script[data-bridge]").count(), 20, pause=1)
        page.locator("a", has_text="Bags & Carry").first.click()
        page.wait_for_load_state("networkidle")
        assert page.url == f"{PUBLIC}/bags.html"
        # The tag in the page has the attribute; the parts that it loads by itself have not.
        assert page.locator("script[data-bridge][async]").count() == 1
        assert answers[f"{PUBLIC}/_bridge/tag.js"] == 200
        browser.close()
