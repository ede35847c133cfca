"""Two websites on two hosts, three store views in three languages."""

from __future__ import annotations

import pytest

from bridge.sandbox.options import ShopOptions
from tests.sandbox.shop_client import BASE_URL, EU_URL, set_cookies

NBSP = "\N{NO-BREAK SPACE}"


@pytest.fixture
def french(shop):
    return shop.visitor(EU_URL)


@pytest.mark.parametrize(
    ("base_url", "eu_url"),
    [
        ("http://127.0.0.1:8000", "http://localhost:8000/"),
        ("http://shop.test/", "http://eu.shop.test/"),
        ("https://shop.test:8443/", "https://eu.shop.test:8443/"),
    ],
)
def test_the_second_websites_address_follows_the_first(base_url, eu_url):
    assert ShopOptions(base_url, "t").eu_url == eu_url
    assert ShopOptions(base_url, "t", eu_url="http://other.test").eu_url == "http://other.test/"


def test_each_host_shows_its_website(visitor, french):
    english, other = visitor.get("/quayside-holdall.html").text, french.get("/sac-de-quai.html").text
    assert '<html lang="en">' in english
    assert "£64.00" in english
    assert "var LOCALE = 'fr-FR'" in other
    assert f"74,90{NBSP}€" in other
    assert "Ajouter au panier" in other
    assert french.get("/quayside-holdall.html").status_code == 404


def test_a_host_that_is_neither_is_sent_to_the_first_website(shop):
    answer = shop.app.test_client().get("/bags.html", base_url="http://other.test/")
    assert answer.headers["Location"] == f"{BASE_URL}bags.html"


def test_products_of_one_website_are_not_in_the_other(visitor, french):
    assert visitor.get("/boule-set.html").status_code == 404
    assert french.get("/boule-set.html").status_code == 200
    assert french.get("/thermos-for-proper-tea.html").status_code == 404
    assert "Flask for Proper Tea" in visitor.get("/thermos-for-proper-tea.html").text
    assert f"1\N{NARROW NO-BREAK SPACE}249,50{NBSP}€" in french.get("/boule-set.html").text


def test_a_product_that_one_view_has_switched_off(french):
    assert french.get("/hatchet.html").status_code == 404
    french.client.set_cookie("store", "de", domain=french.domain)
    assert french.get("/handbeil.html").status_code == 200


def test_the_language_menu_leads_to_the_same_page_in_the_other_view(french):
    french.add(1)
    text = french.get("/sac-de-quai.html").text
    start = text.index(f"{EU_URL}stores/store/redirect/___store/de/___from_store/fr/uenc/")
    first = french.get(text[start : text.index('"', start)].removeprefix(EU_URL.rstrip("/")))
    assert first.status_code == 302
    second = french.get(first.headers["Location"].removeprefix(EU_URL.rstrip("/")))
    assert second.headers["Location"] == f"{EU_URL}kaitasche.html"
    assert set_cookies(second)["store"].startswith("store=de; ")
    page = french.get("/kaitasche.html").text
    assert '<html lang="de">' in page
    assert "In den Warenkorb" in page
    assert french.cart()["items"][0]["product_name"] == "Kaitasche"
    assert french.cart()["storeId"] == "3"


def test_a_view_of_the_other_website_cannot_be_chosen(visitor, french):
    visitor.client.set_cookie("store", "fr", domain=visitor.domain)
    assert '<html lang="en">' in visitor.get("/").text
    answer = french.get("/stores/store/redirect/___store/default/___from_store/fr/uenc/x/")
    assert answer.headers["Location"] == EU_URL


def test_pages_of_another_view_vary_and_those_of_the_first_do_not(visitor, french):
    assert "X-Magento-Vary" not in set_cookies(visitor.get("/"))
    one = set_cookies(french.get("/"))["X-Magento-Vary"]
    french.client.set_cookie("store", "de", domain=french.domain)
    assert set_cookies(french.get("/"))["X-Magento-Vary"].split(";")[0] != one.split(";")[0]


def test_a_cart_of_the_second_website_is_in_euro(shop, french):
    french.add(1)
    config = french.checkout_config()
    assert (config["storeCode"], config["quoteData"]["quote_currency_code"]) == ("fr", "EUR")
    assert config["priceFormat"]["pattern"] == f"%s{NBSP}€"
    cart = f"guest-carts/{config['quoteData']['entity_id']}"
    order = shop.rest(f"V1/orders/{french.place(cart, 'anna@example.com')}").json
    assert (order["increment_id"][:4], order["order_currency_code"], order["store_id"]) == ("2000", "EUR", 2)
    assert order["items"][0]["price"] == 74.9
    assert shop.mails[0]["Subject"] == "Confirmation de votre commande Harbour & Pine Outfitters"


def test_customers_belong_to_their_website(shop, visitor, french):
    assert visitor.log_in("elise.durand@example.com", "Lighthouse-42").headers["Location"].endswith("/login/")
    assert (
        french.log_in("elise.durand@example.com", "Lighthouse-42").headers["Location"] == f"{EU_URL}customer/account/"
    )
    both = [row for row in shop.rest("V1/customers/search?searchCriteria=").json["items"] if row["firstname"] == "Noor"]
    assert [(row["website_id"], row["store_id"]) for row in both] == [(1, 1), (2, 2)]


def test_lists_of_customers_are_wrong_about_an_address_of_both_websites(shop):
    listed = shop.rest("V1/customers/search?searchCriteria=").json["items"]
    noor = [row for row in listed if row["firstname"] == "Noor"]
    assert [row["extension_attributes"]["is_subscribed"] for row in noor] == [True, True]
    single = [shop.rest(f"V1/customers/{row['id']}").json for row in noor]
    assert [row["extension_attributes"]["is_subscribed"] for row in single] == [False, True]


@pytest.mark.parametrize(
    ("code", "name", "price"),
    [("all", "Quayside Holdall", 64), ("default", "Quayside Holdall", 64), ("fr", "Sac de quai", 74.9),
     ("de", "Kaitasche", 74.9)],
)  # fmt: skip
def test_a_store_code_in_the_path_gives_that_views_values(shop, code, name, price):
    row = shop.rest(f"{code}/V1/products/HP-BAG-01").json
    assert (row["name"], row["price"]) == (name, price)


def test_render_info_is_that_of_the_asked_store(shop):
    for store, url in ((1, f"{BASE_URL}quayside-holdall.html"), (3, f"{EU_URL}kaitasche.html")):
        asked = "searchCriteria[filter_groups][0][filters][0]"
        rows = shop.rest(
            f"V1/products-render-info?{asked}[field]=entity_id&{asked}[value]=1&storeId={store}&currencyCode=X"
        ).json["items"]
        assert [(row["url"], row["store_id"], row["currency_code"]) for row in rows] == [(url, store, "X")]


def test_a_shop_under_maintenance_answers_nothing_but_503(shop, visitor):
    shop.state.maintenance = True
    for path in ("/", "/rest/V1/store/websites", "/customer/section/load/", "/graphql"):
        answer = visitor.get(path)
        assert (answer.status_code, answer.mimetype) == (503, "text/html")
        assert "Set-Cookie" not in answer.headers
        assert "Cache-Control" not in answer.headers
    assert visitor.get("/static/shop.js").status_code == 200
    shop.state.maintenance = False
    assert visitor.get("/").status_code == 200
