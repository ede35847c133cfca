"""The three account layouts of Ometria's guide, with the guide's own tree, from the shop to what each account holds.

Europe: FR, DE; US: CA, US; UK: IE, UK. Each store view has a customer and an order; one product is sold everywhere,
one in the UK only.
"""

from __future__ import annotations

import pytest

from bridge.config import Config
from bridge.export import Exporter, history, jobs
from bridge.ometria import Ometria
from bridge.queues import Wakes
from bridge.sandbox.ometria import OmetriaOptions, create_ometria
from bridge.settings import load_book, set_value
from bridge.store import Customer, StoreView, Tree, Website, keep_tree
from bridge.store.memory import Memory
from tests.export import samples
from tests.export.conftest import SECRET
from tests.export.serving import serve

pytestmark = pytest.mark.redis

WEBSITES = {"europe": ("fr", "de"), "us": ("ca", "us"), "uk": ("ie", "uk")}
VIEWS = [code for codes in WEBSITES.values() for code in codes]
ACCOUNTS = ("one", "europe", "ie", "us", "global")
KEYS = {f"key-of-{name}": name for name in ACCOUNTS}


def view(id_: int, code: str, website: int, *, first: bool) -> StoreView:
    own = samples.TREE.views[0]
    given = {name: getattr(own, name) for name in own.__struct_fields__}
    return StoreView(**given | {"id": id_, "code": code, "website_id": website, "is_default": first})


TREE = Tree(
    websites=tuple(Website(id=number, code=code) for number, code in enumerate(WEBSITES, 1)),
    views=tuple(
        view(VIEWS.index(code) + 1, code, number, first=code == codes[0])
        for number, codes in enumerate(WEBSITES.values(), 1)
        for code in codes
    ),
)


def entities():
    yield samples.product("1", "BAG", "Bag", "34", website_ids=(1, 2, 3))
    yield samples.product("2", "TEA", "Tea", "3", website_ids=(3,))
    for shop_view in TREE.views:
        number = str(shop_view.id)
        yield Customer(
            id=number,
            email=f"{shop_view.code}@example.com",
            website_id=shop_view.website_id,
            store_id=shop_view.id,
            created_at=samples.at(1),
            updated_at=samples.at(1),
        )
        yield samples.order(number, samples.line(number, "1", "BAG", "34"), store_id=shop_view.id)


@pytest.fixture
def export(database, redis_client):
    """Take keys and other settings by scope, export everything, and give what each account holds."""
    keep_tree(TREE, secure=False)
    app = create_ometria(OmetriaOptions(api_keys=KEYS, push_per_second=8, data_per_second=8, validation_delay=0))
    with serve(app) as url:
        config = Config(secret_keys=(SECRET,), ometria_api_url=f"{url}/v2")
        database.extensions["bridge.export"] = Exporter(
            config, redis_client, Wakes(redis_client), Memory(TREE, entities()), Ometria(f"{url}/v2", redis_client)
        )

        def run(values: dict[str, dict[str, str]]) -> dict[str, dict[str, list[str]]]:
            set_value("default", "export.requests_per_second", 8, "test")
            for scope, own in values.items():
                for key, value in own.items():
                    set_value(scope, key, value, "test")
            for kind in ("product", "contact", "order"):
                history.begin(kind, "default")
                jobs.history(kind, "default")
            for account in load_book().accounts():
                jobs.session(account.id)
            return held(app.extensions["received"])

        yield run


def held(received) -> dict[str, dict[str, list[str]]]:
    """Return account -> the ids of its records, and the stores that its product 1 is listed in."""
    assert not received.errors
    found = {}
    for name in ACCOUNTS:
        products = received.records_of(name, "product")
        if products:
            found[name] = {
                "products": sorted(one["id"] for one in products),
                "stores": [row["store"] for one in products if one["sku"] == "BAG" for row in one["listings"]],
                "contacts": sorted(one["store_ids"][0] for one in received.records_of(name, "contact")),
                "orders": sorted(one["store"] for one in received.records_of(name, "order")),
            }
    return found


def whole(*views: str, products: tuple[str, ...] = ("1", "2")) -> dict[str, list[str]]:
    """Return what an account holds that these store views feed."""
    return {"products": list(products), "stores": list(views), "contacts": sorted(views), "orders": sorted(views)}


def test_all_store_views_in_one_account(export):
    assert export({"default": {"general.api_key": "key-of-one"}}) == {"one": whole(*VIEWS)}


def test_websites_and_store_views_in_accounts_of_their_own(export):
    found = export(
        {
            "website:europe": {"general.api_key": "key-of-europe"},
            "store:uk": {"general.api_key": "key-of-europe"},
            "store:ie": {"general.api_key": "key-of-ie"},
            "website:us": {"general.api_key": "key-of-us"},
        }
    )
    assert found == {
        "europe": whole("fr", "de", "uk"),
        "ie": whole("ie"),
        "us": whole("ca", "us", products=("1",)),
    }


def test_a_global_account_over_all_receives_everything_once_more(export):
    found = export(
        {
            "default": {"global.api_key": "key-of-global"},
            "website:europe": {"general.api_key": "key-of-europe"},
            "website:us": {"general.api_key": "key-of-us"},
        }
    )
    assert found == {
        "global": whole(*VIEWS),
        "europe": whole("fr", "de", products=("1",)),
        "us": whole("ca", "us", products=("1",)),
    }


def test_a_global_account_over_a_part_receives_what_its_scope_covers(export):
    found = export(
        {
            "default": {"general.api_key": "key-of-one"},
            "website:europe": {"global.api_key": "key-of-global"},
            "store:ie": {"global.api_key": "key-of-global"},
        }
    )
    assert found == {"one": whole(*VIEWS), "global": whole("fr", "de", "ie")}


@pytest.mark.parametrize(("use", "ids"), [("yes", ["p-1", "p-2"]), ("no", ["1", "2"])])
def test_the_global_account_has_namespaces_only_where_they_are_wanted(export, use, ids):
    found = export(
        {
            "default": {
                "general.api_key": "key-of-one",
                "global.api_key": "key-of-global",
                "global.use_namespaces": use,
                "products.namespace": "p-",
            }
        }
    )
    assert found["one"]["products"] == ["p-1", "p-2"]
    assert found["global"]["products"] == ids
