"""Mails of the shop, and what happens when they cannot be sent."""

from __future__ import annotations

from bridge.sandbox.options import ShopOptions
from bridge.sandbox.shop import create_shop
from tests.sandbox.shop_client import BASE_URL, TOKEN, Shop


def test_an_order_is_confirmed_with_its_number_and_marker(shop, visitor):
    visitor.add(6)
    visitor.order("gus@example.com")
    (mail,) = shop.mails
    body = mail.get_content()
    assert (mail["To"].addresses[0].addr_spec, mail.get_content_type()) == ("gus@example.com", "text/html")
    assert mail["Subject"] == "Your Harbour & Pine Outfitters order confirmation"
    assert "#000000018" in body
    assert "<!-- obx kind=order_new store=default order=000000018 -->" in body
    assert "Pot &amp; Lid" in body
    assert mail["Date"].datetime == shop.clock()


def test_every_line_fits_the_wire(shop, visitor):
    visitor.add(6)
    visitor.order("gus@example.com")
    assert max(len(line) for line in shop.mails[0].as_bytes().splitlines()) <= 78


def test_a_mail_host_that_fails_loses_the_mail_and_not_the_order():
    shop = Shop()

    def fail(_message):
        raise ConnectionRefusedError

    shop.app = create_shop(ShopOptions(BASE_URL, TOKEN, fail, shop.clock))
    visitor = shop.visitor()
    visitor.add(1)
    assert visitor.order() == "126"


def test_mail_is_sent_after_the_shops_memory_is_free(shop):
    """A mail handler that asks the shop in turn, from another thread, must not hang."""
    import threading

    answers = []

    def ask(_message):
        asking = threading.Thread(target=lambda: answers.append(shop.rest("V1/store/websites").status_code))
        asking.start()
        asking.join(timeout=20)

    shop.app = create_shop(ShopOptions(BASE_URL, TOKEN, ask, shop.clock))
    shop.visitor().register()
    assert answers == [200]


def test_without_a_mail_handler_nothing_is_sent():
    shop = Shop()
    shop.app = create_shop(ShopOptions(BASE_URL, TOKEN, clock=shop.clock))
    assert shop.visitor().register().status_code == 302
