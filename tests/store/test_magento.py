"""The Magento adaptor against a shop that misbehaves in every known way."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import re
import socket
import threading
import time
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from werkzeug.wrappers import Response

from bridge.config import Config, OAuthKeys
from bridge.errors import Misconfigured, Retry, Stumbled
from bridge.events import EntityRef
from bridge.store import Gone, Order
from bridge.store.magento import Magento
from bridge.store.magento_auth import authorization, signature_base
from bridge.store.magento_rest import Rest
from bridge.store.magento_search import criteria, encode, in_lists
from tests.export.serving import serve
from tests.store.scripted import Scripted

TOKEN = "token-0123456789"
CAPTURES = Path(__file__).resolve().parents[2].parent / "shared" / "captures" / "magento" / "rest"
captured = pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captures are not beside the checkout")
START = dt.datetime(2026, 11, 25, 10, 0, tzinfo=dt.UTC)


@pytest.fixture
def shop():
    return Scripted()


@pytest.fixture
def url(shop):
    with serve(shop) as address:
        yield address


@pytest.fixture
def magento(url):
    return Magento(Config(store_url=url, public_url="https://shop.example.test", store_token=TOKEN))


def row(number: int, seconds: int = 0) -> dict:
    stamp = (START + dt.timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S")
    return {"entity_id": number, "increment_id": f"{number:09d}", "store_id": 1, "updated_at": stamp}


def listing(rows: list[dict], size: int = 100):
    """Answer as the shop's order list does, for the filters and sorts that the adaptor uses."""

    def answer(asked):
        found = list(rows)
        for field, condition, value in asked.filters:
            if condition == "in":
                wanted = set(value.split(","))
                found = [one for one in found if str(one[field]) in wanted]
                continue
            compare = {
                "gt": lambda a, b: a > b,
                "gteq": lambda a, b: a >= b,
                "lteq": lambda a, b: a <= b,
                "eq": lambda a, b: a == b,
            }[condition]
            typed = int(value) if field == "entity_id" else value
            found = [one for one in found if compare(one[field], typed)]
        fields = [
            asked.query[f"searchCriteria[sortOrders][{n}][field]"][0]
            for n in range(3)
            if f"searchCriteria[sortOrders][{n}][field]" in asked.query
        ]
        found.sort(key=lambda one: [one[name] for name in fields])
        most = min(int(asked.one("searchCriteria[pageSize]")), size)
        return {"items": found[:most], "total_count": len(found)}

    return answer


def walk(magento: Magento) -> list[str]:
    ids: list[str] = []
    cursor = None
    while True:
        page = magento.ids("order", cursor)
        ids += [one.ref.id for one in page.rows]
        cursor = page.cursor
        if cursor is None:
            return ids


class TestAsking:
    def test_the_origin_is_asked_under_the_public_name(self, magento, shop):
        magento.ids("order")
        asked = shop.asked[0]
        assert asked.headers["host"] == "shop.example.test"
        assert asked.headers["x-forwarded-proto"] == "https"
        assert asked.headers["accept"] == "application/json"
        assert asked.headers["accept-encoding"] == "gzip"
        assert asked.headers["authorization"] == f"Bearer {TOKEN}"

    def test_a_rest_address_of_its_own_is_asked_under_its_own_name(self, shop, url):
        config = Config(
            store_url="http://origin.test", public_url="https://shop.test", store_rest_url=url, store_token=TOKEN
        )
        Magento(config).ids("order")
        assert shop.asked[0].headers["host"] == url.removeprefix("http://")
        assert "x-forwarded-proto" not in shop.asked[0].headers

    def test_every_list_is_sorted_ascending(self, magento, shop):
        magento.ids("order")
        list(magento.changed_since("product", START, START))
        magento.fetch([EntityRef("contact", "customer:1")])
        for asked in shop.asked:
            sorts = [name for name in asked.query if name.endswith("][field]") and "sortOrders" in name]
            assert sorts
            assert all(asked.one(name.replace("[field]", "[direction]")) == "ASC" for name in sorts)

    def test_times_are_asked_in_utc_without_a_zone(self, magento, shop):
        paris = dt.timezone(dt.timedelta(hours=1))
        list(magento.changed_since("order", START.astimezone(paris), START.astimezone(paris)))
        assert shop.asked[0].filters[0] == ("updated_at", "gteq", "2026-11-25 10:00:00")
        assert "+" not in shop.asked[0].raw_query
        assert "%20" in shop.asked[0].raw_query

    def test_no_cookie_of_the_shop_comes_back_to_it(self, magento, shop):
        def answer(_):
            response = Response('{"items":[],"total_count":0}', mimetype="application/json")
            response.set_cookie("PHPSESSID", "abc")
            return response

        shop.answer = answer
        magento.ids("order")
        magento.ids("order")
        assert "cookie" not in shop.asked[1].headers

    def test_a_long_list_of_ids_keeps_the_address_short(self, magento, shop):
        shop.answer = listing([row(number) for number in range(100_000, 100_350)])
        refs = [EntityRef("order", str(number)) for number in range(100_000, 100_350)]
        assert all(isinstance(one, Order) for one in magento.fetch(refs).values())
        assert max(len(asked.raw_query) for asked in shop.asked) < 6_000

    def test_without_any_token_the_variable_is_named(self, url):
        with pytest.raises(Misconfigured, match="BRIDGE_STORE_TOKEN"):
            Magento(Config(store_url=url)).ids("order")


class TestPaging:
    @pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250, 300])
    def test_each_row_once_none_missing_and_it_ends(self, magento, shop, count):
        shop.answer = listing([row(number) for number in range(1, count + 1)])
        assert walk(magento) == [str(number) for number in range(1, count + 1)]

    def test_rows_that_come_and_go_meanwhile_neither_repeat_nor_hide_others(self, magento, shop):
        rows = [row(number) for number in range(1, 251)]
        plain = listing(rows)

        def answer(asked):
            found = plain(asked)
            rows[:] = [one for one in rows if one["entity_id"] != 5]
            if not any(one["entity_id"] == 900 for one in rows):
                rows.append(row(900))
            return found

        shop.answer = answer
        assert walk(magento) == [*(str(number) for number in range(1, 251)), "900"]

    def test_the_same_page_again_is_noticed(self, magento, shop):
        shop.answer = lambda _: {"items": [row(number) for number in range(1, 101)], "total_count": 500}
        with pytest.raises(Retry, match="same page"):
            walk(magento)

    def test_a_list_without_its_count_is_no_empty_list(self, magento, shop):
        shop.answer = lambda _: []
        with pytest.raises(Retry, match="total_count"):
            magento.ids("order")
        with pytest.raises(Retry, match="total_count"):
            magento.fetch([EntityRef("order", "1")])
        with pytest.raises(Retry, match="total_count"):
            magento.fetch([EntityRef("product", "1")])

    def test_a_page_limit_of_the_shop_is_met_by_smaller_pages(self, magento, shop):
        plain = listing([row(number) for number in range(1, 61)])

        def answer(asked):
            if int(asked.one("searchCriteria[pageSize]")) > 30:
                return Response(
                    '{"message":"Maximum SearchCriteria pageSize is %max"}', 400, mimetype="application/json"
                )
            return plain(asked)

        shop.answer = answer
        assert walk(magento) == [str(number) for number in range(1, 61)]


class TestChanges:
    def seen(self, magento, until: int = 3600) -> list[str]:
        return [one.ref.id for one in magento.changed_since("order", START, START + dt.timedelta(seconds=until))]

    def test_all_rows_of_the_window_come_once_with_both_ends(self, magento, shop):
        shop.answer = listing([row(1, -1), row(2, 0), row(3, 0), row(4, 3600), row(5, 3601)])
        assert self.seen(magento) == ["2", "3", "4"]

    def test_many_pages_of_different_seconds(self, magento, shop):
        shop.answer = listing([row(number, number) for number in range(1, 351)])
        assert self.seen(magento) == [str(number) for number in range(1, 351)]

    def test_five_hundred_rows_of_one_second(self, magento, shop):
        rows = [row(number, 60) for number in range(1, 501)]
        shop.answer = listing([row(900, 10), *rows, row(901, 61)])
        assert sorted(self.seen(magento), key=int) == [str(number) for number in [*range(1, 501), 900, 901]]

    def test_a_row_that_changes_again_meanwhile_hides_no_other(self, magento, shop):
        rows = [row(number, number) for number in range(1, 251)]
        plain = listing(rows)

        def answer(asked):
            found = plain(asked)
            for one in rows[:20]:
                one["updated_at"] = "2027-01-01 00:00:00"
            return found

        shop.answer = answer
        assert self.seen(magento) == [str(number) for number in range(1, 251)]

    def test_rows_out_of_order_are_noticed(self, magento, shop):
        shop.answer = lambda _: {"items": [row(2, 50), row(1, -50)], "total_count": 9}
        with pytest.raises(Retry, match="order"):
            self.seen(magento)


class TestFetching:
    def test_an_entity_that_is_not_in_the_answer_is_gone(self, magento, shop):
        shop.answer = listing([row(1)])
        found = magento.fetch([EntityRef("order", "1"), EntityRef("order", "2"), EntityRef("order", "x")])
        assert isinstance(found[EntityRef("order", "1")], Order)
        assert found[EntityRef("order", "2")] == found[EntityRef("order", "x")] == Gone()

    def test_newsletter_status_is_read_singly_where_there_are_several_websites(self, magento, shop):
        def answer(asked):
            if asked.path.endswith("store/websites"):
                return [{"id": 0, "code": "admin"}, {"id": 1, "code": "a"}, {"id": 2, "code": "b"}]
            one = {"id": 7, "email": "a@x.test", "website_id": 1, "extension_attributes": {"is_subscribed": True}}
            if asked.path.endswith("customers/7"):
                return {**one, "extension_attributes": {"is_subscribed": False}}
            return {"items": [one], "total_count": 1}

        shop.answer = answer
        (customer,) = magento.fetch([EntityRef("contact", "customer:7")]).values()
        assert customer.subscribed is False

    def test_a_shop_without_inventory_sources_is_asked_the_old_way(self, magento, shop):
        def answer(asked):
            if "export-stock-salable-qty" in asked.path:
                return Response('{"message":"Request does not match any route."}', 404, mimetype="application/json")
            if asked.path.endswith("stockStatuses/A B"):
                return {"stock_status": 0}
            if asked.path.endswith("store/websites"):
                return [{"id": 1, "code": "base"}]
            if asked.path.endswith("/products"):
                item = {"id": 1, "sku": "A B", "extension_attributes": {"website_ids": [1]}}
                return {"items": [item], "total_count": 1}
            return {"items": [], "total_count": 0}

        shop.answer = answer
        (product,) = magento.fetch([EntityRef("product", "1")]).values()
        assert product.salable is False


def respond(body: str, status: int = 200, kind: str = "application/json", **headers: str):
    return lambda _: Response(body, status, headers=headers, mimetype=kind)


NOT_ALLOWED = (
    '{"message":"The consumer isn\'t authorized to access %resources.",'
    '"parameters":{"resources":"Magento_Sales::actions_view"}}'
)


class TestFaults:
    @pytest.mark.parametrize("status", [401, 403])
    def test_a_refused_token_names_the_missing_right_and_is_no_empty_list(self, magento, shop, status):
        shop.answer = respond(NOT_ALLOWED, status)
        with pytest.raises(Misconfigured, match="Magento_Sales::actions_view") as raised:
            magento.ids("order")
        assert TOKEN not in str(raised.value)

    def test_a_refusal_by_something_in_front_of_the_shop_is_a_sentence_too(self, magento, shop):
        shop.answer = respond("<html>no</html>", 403, "text/html")
        with pytest.raises(Misconfigured, match="403"):
            magento.ids("order")

    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            (respond("<html>", 503, "text/html"), "maintenance"),
            (respond('{"message":"Internal Error."}', 500), "failed"),
            (respond("<html>", 502, "text/html"), "failed"),
            (respond("Too Many", 429, "text/plain"), "fewer calls"),
            (respond("<html>a page</html>", 200, "text/html"), "not JSON"),
            (respond('<?xml version="1.0"?><Error/>', 200, "application/xml"), "not JSON"),
            (respond('{"items":[', 200), "not JSON"),
            (respond("", 200), "not JSON"),
        ],
    )
    def test_what_may_pass_is_tried_again_and_is_no_empty_list(self, magento, shop, answer, words):
        shop.answer = answer
        with pytest.raises(Retry, match=words):
            magento.ids("order")
        with pytest.raises(Retry):
            magento.fetch([EntityRef("product", "1")], ["default"])
        with pytest.raises(Retry):
            magento.tree()

    def test_xml_of_the_shop_means_that_something_changes_what_bridge_asks_for(self, magento, shop):
        shop.answer = respond('<?xml version="1.0"?>\n<response><item/></response>', 200, "application/xml")
        with pytest.raises(Misconfigured, match="Accept header"):
            magento.ids("order")

    def test_a_failure_that_one_of_many_may_have_caused_is_told_from_a_shop_that_is_away(self, magento, shop):
        shop.answer = respond('{"message":"Internal Error."}', 500)
        with pytest.raises(Stumbled):
            magento.fetch([EntityRef("order", "1")])
        shop.answer = respond("", 503)
        with pytest.raises(Retry) as raised:
            magento.fetch([EntityRef("order", "1")])
        assert not isinstance(raised.value, Stumbled)

    def test_a_list_that_takes_too_long_may_be_asked_in_parts(self, shop):
        shop.answer = lambda _: time.sleep(0.6) or {"items": [], "total_count": 0}
        with serve(shop) as url:
            config = Config(store_url=url, store_token=TOKEN)
            with pytest.raises(Stumbled):
                Magento(config, Rest(config, total=0.2)).ids("order")

    def test_a_store_view_that_is_gone_is_waited_for_and_is_no_crash(self, magento, shop):
        shop.answer = respond('{"message":"Request does not match any route."}', 404)
        with pytest.raises(Retry, match="store view"):
            magento.fetch([EntityRef("product", "1")], ["closed"])

    def test_a_date_that_is_none_is_not_a_fault(self, magento, shop):
        shop.answer = respond("[]", 200, Date="yesterday")
        assert magento.now().tzinfo is not None

    def test_the_shop_may_say_when_to_come_back(self, magento, shop):
        shop.answer = respond("", 503, **{"Retry-After": "120"})
        with pytest.raises(Retry) as raised:
            magento.ids("order")
        assert raised.value.after == 120

    def test_redirects_are_not_followed(self, magento, shop):
        shop.answer = respond("", 302, Location="http://elsewhere.test/")
        with pytest.raises(Misconfigured, match="BRIDGE_PUBLIC_URL"):
            magento.ids("order")
        assert len(shop.asked) == 1

    def test_an_address_that_is_no_magento_is_named(self, magento, shop):
        shop.answer = respond("<html>not found</html>", 404, "text/html")
        with pytest.raises(Misconfigured, match="BRIDGE_STORE_URL"):
            magento.ids("order")

    def test_a_query_that_the_shop_refuses_shows_no_parameters(self, magento, shop):
        shop.answer = respond('{"message":"Wrong %1","parameters":["/srv/secret/path"]}', 400)
        with pytest.raises(Retry) as raised:
            magento.ids("order")
        assert "secret" not in str(raised.value)

    def test_a_shop_that_is_not_there(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with pytest.raises(Retry):
            Magento(Config(store_url=f"http://127.0.0.1:{port}", store_token=TOKEN)).ids("order")

    def test_a_customers_address_is_in_no_error(self, magento, shop):
        shop.answer = respond("", 500)
        with pytest.raises(Retry) as raised:
            magento.customer_by_email("anna@x.test", 1)
        assert "anna" not in str(raised.value)

    def test_an_answer_that_drips_is_given_up(self, shop):
        stop = threading.Event()

        def drip():
            yield b'{"items":['
            while not stop.is_set():
                time.sleep(0.02)
                yield b" " * 70_000

        shop.answer = lambda _: Response(drip(), mimetype="application/json")
        with serve(shop) as url:
            config = Config(store_url=url, store_token=TOKEN)
            with pytest.raises(Retry, match="slowly"):
                Magento(config, Rest(config, total=1.0)).ids("order")
            stop.set()


class TestLimitsOfTheShop:
    def test_a_page_limit_below_the_list_loses_no_row(self, magento, shop):
        every = listing([row(number) for number in range(1, 91)])

        def answer(asked):
            if int(asked.query.get("searchCriteria[pageSize]", ["0"])[0]) > 20:
                return Response('{"message":"Maximum SearchCriteria pageSize is %1"}', 400)
            return every(asked)

        shop.answer = answer
        refs = [EntityRef("order", str(number)) for number in range(1, 91)]
        assert [ref for ref, found in magento.fetch(refs).items() if isinstance(found, Gone)] == []

    def test_the_account_of_another_website_is_another_person(self, magento, shop):
        shop.answer = lambda asked: (
            [{"id": 1}, {"id": 2}]
            if asked.path.endswith("websites")
            else {"items": [{"id": 12, "email": "a@x.test", "website_id": 1}], "total_count": 1}
        )
        assert magento.customer_by_email("a@x.test", 2) is None

    def test_stock_is_that_of_the_websites_asked_for(self, magento, shop):
        def answer(asked):
            if asked.path.endswith("storeConfigs"):
                return [{"id": 1, "code": "us", "website_id": 1}, {"id": 2, "code": "fr", "website_id": 2}]
            if asked.path.endswith("websites"):
                return [{"id": 1, "code": "base"}, {"id": 2, "code": "europe"}]
            if "export-stock" in asked.path:
                can = asked.path.endswith("/base")
                return {"items": [{"sku": "BAG", "qty": 1, "is_salable": can}], "total_count": 1}
            if asked.path.endswith("render-info"):
                return {"items": []}
            extension = {"website_ids": [1, 2]}
            return {"items": [{"id": 1, "sku": "BAG", "extension_attributes": extension}], "total_count": 1}

        shop.answer = answer
        ref = EntityRef("product", "1")
        assert magento.fetch([ref], ["fr"])[ref].salable is False
        assert magento.fetch([ref], ["us"])[ref].salable is True


KEYS = OAuthKeys("ck", "cs&1", "at", "ats/2")


class TestOAuth:
    def test_a_signature_is_over_method_address_without_port_and_sorted_parameters(self):
        url = "https://Shop.test:8443/rest/V1/orders?b=2%20x&a%5B0%5D=1,2"
        base = signature_base("get", url, {"oauth_nonce": "n"})
        method, address, parameters = base.split("&")
        assert (method, unquote(address)) == ("GET", "https://shop.test/rest/V1/orders")
        assert unquote(parameters) == "a%5B0%5D=1%2C2&b=2%20x&oauth_nonce=n"

    def test_the_header_carries_the_hmac_of_the_base(self):
        url = "https://shop.test/rest/V1/orders?searchCriteria="
        header = authorization("GET", url, KEYS, nonce="n1", timestamp=1_795_608_000)
        given = {name: unquote(value) for name, value in re.findall(r'(\w+)="([^"]*)"', header)}
        signature = given.pop("oauth_signature")
        pairs = sorted([*given.items(), ("searchCriteria", "")])
        joined = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
        text = "&".join(["GET", quote("https://shop.test/rest/V1/orders", safe=""), quote(joined, safe="")])
        key = quote("cs&1", safe="") + "&" + quote("ats/2", safe="")
        expected = base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()
        assert signature == expected
        assert given["oauth_signature_method"] == "HMAC-SHA256"

    def test_each_call_has_a_nonce_of_its_own_and_signs_the_public_address(self, shop, url):
        config = Config(store_url=url, public_url="https://shop.example.test", store_oauth=KEYS)
        magento = Magento(config)
        magento.ids("order")
        magento.ids("order")
        headers = [asked.headers["authorization"] for asked in shop.asked]
        nonces = [re.search(r'oauth_nonce="(\w+)"', header).group(1) for header in headers]
        assert nonces[0] != nonces[1]
        stamp = int(re.search(r'oauth_timestamp="(\d+)"', headers[0]).group(1))
        asked = shop.asked[0]
        public = f"https://shop.example.test{asked.path}?{asked.raw_query}"
        assert authorization("GET", public, KEYS, nonce=nonces[0], timestamp=stamp) == headers[0]

    def test_a_used_nonce_is_tried_again_and_a_wrong_signature_is_not(self, shop, url):
        magento = Magento(Config(store_url=url, store_oauth=KEYS))
        shop.answer = respond('{"message":"The nonce is already being used by the consumer with ID %1"}', 401)
        with pytest.raises(Retry):
            magento.ids("order")
        shop.answer = respond('{"message":"The signature is invalid. Verify and try again."}', 401)
        with pytest.raises(Misconfigured, match="signature"):
            magento.ids("order")


def test_a_query_is_percent_encoded_whatever_is_in_it():
    assert encode([("a[0]", "x y+z&é,%")]) == "a%5B0%5D=x%20y%2Bz%26%C3%A9%2C%25"
    assert criteria() == [("searchCriteria", "")]


def test_values_with_a_comma_are_asked_alone():
    assert list(in_lists(["a", "b,c", "d"], 100)) == [["a"], ["b,c"], ["d"]]
    assert [len(part) for part in in_lists(["x" * 50] * 100, 100)] == [75, 25]
    assert list(in_lists([], 100)) == []


@captured
@pytest.mark.shared
def test_the_captured_store_tree_is_read_without_the_administration(magento, shop):
    def answer(asked):
        name = asked.path.rpartition("/")[2]
        return Response((CAPTURES / f"store_{name}.json").read_bytes(), mimetype="application/json")

    shop.answer = answer
    tree = magento.tree()
    assert [(site.id, site.code) for site in tree.websites] == [(1, "base"), (2, "europe")]
    assert [(view.code, view.website_id, view.is_default) for view in tree.views] == [
        ("default", 1, True),
        ("fr", 2, True),
        ("de", 2, False),
    ]
    assert (tree.views[1].currency, tree.views[1].base_url) == ("EUR", "http://eu.store.test/")
