"""A shopper in a real browser: each step of the journey, by the hooks that a Luma shop has."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import Page, Playwright, expect

from tests.chromium import CHROMIUM, FLAGS


def launch(playwright: Playwright, *, headless: bool = True, slow_ms: float = 0):
    """Return a browser on the system's Chromium."""
    return playwright.chromium.launch(executable_path=CHROMIUM, headless=headless, args=FLAGS, slow_mo=slow_ms)


def nothing(_step: str) -> None:
    """What happens after a step unless somebody wants to know."""


@dataclass
class Shopper:
    """Drives one page. ``after(step)`` is called after each step has settled; ``problems`` gathers what went wrong."""

    page: Page
    shop: str
    after: Callable[[str], None] = nothing
    problems: list[str] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))
        self.page.on(
            "console",
            lambda message: message.type == "error" and self.problems.append(f"console: {message.text}"),
        )

    def open(self, path: str) -> None:
        """Go to a page of the shop."""
        self.page.goto(self.shop + path)
        self.settle(f"open {path}")

    def settle(self, step: str) -> None:
        """Wait until the network is still, so that what a step caused has been sent."""
        self.page.wait_for_load_state("networkidle")
        self.page.wait_for_timeout(400)
        self.after(step)

    def add(self, options: dict[str, str] | None = None) -> None:
        """Choose the options by label and press the button of the product page."""
        for label, value in (options or {}).items():
            self.page.get_by_label(label, exact=True).select_option(label=re.compile(rf"^{value}").pattern.strip("^"))
        before = self._counter()
        self.page.locator("#product-addtocart-button").click()
        expect(self.page.locator("[data-block=minicart] .counter-number")).not_to_have_text(before)
        self.settle("add to cart")

    def mini_cart_quantity(self, name: str, quantity: int) -> None:
        """Change a line's quantity in the mini cart."""
        page = self.page
        page.locator("[data-block=minicart] .showcart").click()
        line = page.locator("#mini-cart .product-item", has_text=name)
        line.locator("input.cart-item-qty").fill(str(quantity))
        with page.expect_response(re.compile(r"/customer/section/load")):
            line.locator(".update-cart-item").click()
        self.settle("mini cart")

    def guest_checkout(self, email: str) -> str:
        """Order as a guest; return the order's number."""
        self.open("/checkout/")
        self.page.locator("#customer-email").fill(email)
        return self._order()

    def customer_checkout(self) -> str:
        """Order while signed in; return the order's number."""
        self.open("/checkout/")
        return self._order()

    def register(self, first: str, last: str, email: str, password: str) -> None:
        """Make an account."""
        self.open("/customer/account/create/")
        page = self.page
        page.locator("#firstname").fill(first)
        page.locator("#lastname").fill(last)
        page.locator("#email_address").fill(email)
        page.locator("#password").fill(password)
        page.locator("#password-confirmation").fill(password)
        page.locator("form.form-create-account button.submit").click()
        page.wait_for_url(re.compile(r"/customer/account/(index/?)?$"))
        self.settle("register")

    def log_out(self) -> None:
        """Leave the account."""
        self.page.locator(".authorization-link a").click()
        self.page.wait_for_url(re.compile(r"logoutSuccess", re.IGNORECASE))
        self.settle("log out")

    def log_in(self, email: str, password: str) -> None:
        """Sign in on the login page."""
        self.open("/customer/account/login/")
        self.page.locator("#email").fill(email)
        self.page.locator("#pass").fill(password)
        self.page.locator("#send2").click()
        self.page.wait_for_url(re.compile(r"/customer/account/?"))
        self.settle("log in")

    def _order(self) -> str:
        page = self.page
        for name, value in {
            "firstname": "Greta",
            "lastname": "Shopper",
            "street[0]": "1 Quay Street",
            "city": "Bristol",
            "postcode": "BS1 4AA",
            "telephone": "01170000000",
        }.items():
            page.locator(f"#co-shipping-form [name='{name}']").fill(value)
        page.locator("#co-shipping-form [name='postcode']").blur()
        page.locator("[data-role=shipping-methods] input[type=radio]").first.check()
        page.locator("#shipping-method-buttons-container button.continue").click()
        page.locator("#checkmo").check()
        self.settle("shipping given")
        page.locator("#payment button.action.primary.checkout").click()
        page.wait_for_url(re.compile(r"/checkout/onepage/success"))
        number = page.locator(".checkout-success .order-number strong, .checkout-success p > span").first.inner_text()
        self.orders.append(number)
        self.settle("order placed")
        return number

    def _counter(self) -> str:
        return self.page.locator("[data-block=minicart] .counter-number").inner_text()
