"""Products -> records. The records of the recorded shop's products are in `tests/replay/golden/products`."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from bridge.errors import Skipped
from bridge.export.map_products import Beside, gone_record
from bridge.export.mapping import mapped, product_record, record_of, with_parent
from bridge.store import Category, Image, ProductView
from bridge.store import magento_read as read
from tests.export import samples
from tests.export.books import DE, DEFAULT, FR, make, make_book, sent


def shown(entity, *codes: str):
    """Give a sample product the views of these store views."""
    return msgspec.structs.replace(entity, views=dict.fromkeys(codes, entity.views[""]))


def changed(entity, **view):
    """Change what each store view says of a product."""
    views = {code: msgspec.structs.replace(old, **view) for code, old in entity.views.items()}
    return msgspec.structs.replace(entity, views=views)


BAG = shown(samples.BAG, "default")
VARIANT = with_parent(shown(samples.VARIANT, "default"), ("17", "HOOD"))
HOODIE = shown(samples.HOODIE, "default")
TEE = shown(samples.TEE, "default", "fr", "de")


def made(entity, *, beside: Beside | None = None, **settings):
    """Return the record of a product for the one account, as it travels."""
    return sent(product_record(entity, *make(**settings), beside))


def test_money_keeps_the_digits_of_the_shop():
    account, book = make()
    body = mapped(product_record(changed(BAG, price=Decimal("34.5000")), account, book)).body
    assert b'"price":34.5000,' in body


def test_a_configurable_product_has_the_price_that_the_shop_shows_and_0_is_none():
    record = made(HOODIE)
    assert (record["price"], record["is_variant"]) == (52, False)
    assert "special_price" not in record
    assert "price" not in made(changed(HOODIE, shown_price=None, final_price=None))


def test_a_product_has_one_listing_for_each_store_view_of_the_account_that_sells_it():
    assert [(one["store"], one["currency"], one["url"]) for one in made(TEE)["listings"]] == [
        ("default", "GBP", "http://store.test/tee.html"),
        ("fr", "EUR", "http://eu.store.test/tee.html"),
        ("de", "EUR", "http://eu.store.test/tee.html"),
    ]


def test_each_account_gets_the_listings_of_its_own_store_views():
    book = make_book({"website:europe": {"general.api_key": "key-euro-0002"}})
    found = {
        account.owner: [one["store"] for one in sent(product_record(TEE, account, book))["listings"]]
        for account in book.accounts()
    }
    assert found == {"default": ["default"], "website:europe": ["fr", "de"]}


def test_views_show_what_their_store_says():
    views = {"default": ProductView(name="Tee"), "fr": ProductView(name="Chemise", enabled=False)}
    record = made(msgspec.structs.replace(samples.TEE, views=views))
    assert [(one["title"], one["is_active"]) for one in record["listings"]] == [("Tee", True), ("Chemise", False)]
    assert record["is_active"]


def test_the_record_has_the_values_of_the_first_view_where_the_product_can_be_seen():
    views = {
        "default": ProductView(name="Tee", enabled=False),
        "fr": ProductView(name="Chemise", visibility=1),
        "de": ProductView(name="Hemd", url="http://eu.store.test/hemd.html"),
    }
    record = made(msgspec.structs.replace(samples.TEE, views=views))
    assert (record["title"], record["url"], record["currency"]) == ("Hemd", "http://eu.store.test/hemd.html", "EUR")
    assert [one["is_active"] for one in record["listings"]] == [False, False, True]
    nowhere = {code: msgspec.structs.replace(view, enabled=False) for code, view in views.items()}
    record = made(msgspec.structs.replace(samples.TEE, views=nowhere))
    assert (record["title"], record["is_active"]) == ("Tee", False)


def test_a_store_view_that_is_switched_off_shows_nothing():
    book = make_book(stores=(DEFAULT, replace(FR, active=False), DE))
    record = sent(product_record(TEE, book.accounts()[0], book))
    assert [one["is_active"] for one in record["listings"]] == [True, False, True]


def test_a_product_that_no_store_view_sells_is_left_out_or_withdrawn():
    book = make_book({"website:europe": {"general.api_key": "key-euro-0002"}})
    account = next(one for one in book.accounts() if one.owner == "website:europe")
    product = shown(samples.BAG, "fr")
    with pytest.raises(Skipped):
        product_record(product, account, book)
    record = sent(product_record(product, account, book, Beside(known=True)))
    assert (record["id"], record["is_active"], record["@merge"]) == ("1", False, True)
    assert "listings" not in record


def test_a_product_that_is_gone_is_withdrawn_by_the_id_it_was_sent_with():
    assert sent(gone_record("uk:BAG")) == {"@type": "product", "@merge": True, "id": "uk:BAG", "is_active": False}


class TestVariants:
    def test_has_the_page_of_its_parent_in_the_same_store_view(self):
        parent = changed(HOODIE, url="http://store.test/hoodie-shown.html")
        record = made(VARIANT, beside=Beside(parent=parent))
        assert record["url"] == "http://store.test/hoodie-shown.html"
        assert (record["is_variant"], record["parent_id"]) == (True, "17")
        assert "listings" not in record

    @pytest.mark.parametrize("parent", [None, changed(HOODIE, visibility=1), shown(samples.HOODIE, "fr")])
    def test_has_no_page_where_the_parent_has_none(self, parent):
        assert "url" not in made(VARIANT, beside=Beside(parent=parent))

    def test_follows_the_parents_page_in_a_custom_format(self):
        form = "https://x.test/{product_id}/{url_path}"
        record = made(VARIANT, beside=Beside(parent=HOODIE), products__url_format=form)
        assert record["url"] == "https://x.test/17/hood.html"

    def test_names_its_parent_only_where_that_is_wanted(self):
        assert "parent_id" not in made(VARIANT, products__parent_id=False)
        assert made(VARIANT, products__parent_id=False)["is_variant"] is True

    def test_is_a_product_where_any_store_view_gives_it_a_page(self):
        views = {"default": ProductView(name="S", visibility=1), "fr": ProductView(name="S", visibility=4)}
        variant = msgspec.structs.replace(VARIANT, views=views, website_ids=(1, 2))
        record = made(variant)
        assert (record["is_variant"], record["is_active"]) == (False, True)
        assert [one["is_active"] for one in record["listings"]] == [False, True]

    def test_without_a_parent_a_hidden_product_is_not_active(self):
        record = made(shown(samples.VARIANT, "default"))
        assert (record["is_variant"], record["is_active"]) == (False, False)

    def test_is_active_unless_it_is_disabled(self):
        assert made(VARIANT)["is_active"] is True
        assert made(changed(VARIANT, enabled=False))["is_active"] is False

    def test_names_the_parent_by_its_own_sku(self):
        record = made(VARIANT, products__id_attribute="sku")
        assert (record["id"], record["parent_id"]) == ("HOOD-S", "HOOD")


IMAGES = (
    Image(file="/b/1.jpg", position=1, types=("image",)),
    Image(file="/b/2.jpg", position=2, disabled=True, types=("thumbnail",)),
    Image(file="/b/3 a.jpg", position=3),
)


@pytest.mark.parametrize(
    ("settings", "file"),
    [
        ({}, "/b/1.jpg"),
        ({"products__image_number": 2}, "/b/3%20a.jpg"),
        ({"products__image_number": 4}, "/b/3%20a.jpg"),
        ({"products__image": "thumbnail"}, "/b/2.jpg"),
        ({"products__image": "thumbnail", "products__image_number": 3}, "/b/2.jpg"),
    ],
)
def test_the_image_follows_the_setting_and_is_encoded_once(settings, file):
    assert (
        made(changed(BAG, images=IMAGES), **settings)["image_url"] == f"http://store.test/media/catalog/product{file}"
    )


def test_the_image_lies_below_the_media_address_of_each_store_view_and_follows_its_setting():
    book = make_book({"website:europe": {"products.image": "thumbnail"}})
    record = sent(product_record(changed(TEE, images=IMAGES), book.accounts()[0], book))
    assert [one["image_url"] for one in record["listings"]] == [
        "http://store.test/media/catalog/product/b/1.jpg",
        "http://eu.store.test/media/catalog/product/b/2.jpg",
        "http://eu.store.test/media/catalog/product/b/2.jpg",
    ]


def test_without_an_image_the_field_is_left_out():
    assert "image_url" not in made(changed(BAG, images=()))
    assert "image_url" not in made(changed(BAG, images=IMAGES[:1]), products__image="thumbnail")
    raw = {"id": 1, "sku": "A", "media_gallery_entries": [{"file": "no_selection"}, {"file": None}]}
    assert read.product(raw, "").views[""].images == ()


class TestAddresses:
    def test_is_the_shops_own_where_it_tells_one(self):
        assert made(changed(BAG, url="http://store.test/x/bag"))["url"] == "http://store.test/x/bag"

    def test_is_made_of_the_url_key_with_the_suffix_of_the_setting(self):
        product = changed(BAG, url_key="søl bag")
        assert made(product)["url"] == "http://store.test/s%C3%B8l%20bag.html"
        assert made(product, products__url_suffix="")["url"] == "http://store.test/s%C3%B8l%20bag"

    def test_is_left_out_where_nothing_is_known(self):
        product = changed(BAG, url_key=None)
        assert "url" not in made(product)
        assert "url" not in made(product, products__url_format="https://x.test/{product_id}")

    def test_follows_the_format_of_its_own_store_view(self):
        book = make_book({"store:fr": {"products.url_format": "https://fr.example.com/{product_id}/{url_path}"}})
        record = sent(product_record(TEE, book.accounts()[0], book))
        assert [one["url"] for one in record["listings"]] == [
            "http://store.test/tee.html",
            "https://fr.example.com/9/tee.html",
            "http://eu.store.test/tee.html",
        ]

    def test_the_format_takes_magentos_id_whatever_the_id_at_ometria_is(self):
        form = "https://x.test/{product_id}"
        record = made(BAG, products__url_format=form, products__id_attribute="sku", products__namespace="uk")
        assert (record["id"], record["url"]) == ("ukBAG", "https://x.test/1")


class TestAttributes:
    def test_categories_are_attributes_with_id_and_label(self):
        assert made(BAG)["attributes"] == [{"type": "category", "id": "5", "label": "Gear"}]

    def test_categories_of_all_views_are_there_in_the_words_of_the_first(self):
        views = {
            "default": ProductView(name="Tee", categories=(Category(id="5", name="Gear"),)),
            "fr": ProductView(name="Tee", categories=(Category(id="5", name="Matériel"), Category(id="6"))),
        }
        record = made(msgspec.structs.replace(samples.TEE, views=views))
        assert record["attributes"] == [
            {"type": "category", "id": "5", "label": "Gear"},
            {"type": "category", "id": "6"},
        ]

    def test_categories_below_another_stores_root_are_left_out(self):
        book = make_book(stores=(replace(DEFAULT, root_category=2), replace(FR, root_category=20), DE))
        categories = (
            Category(id="5", name="Gear", path=("1", "2", "5")),
            Category(id="25", name="Matériel", path=("1", "20", "25")),
            Category(id="30", name="Nowhere", path=("1", "29", "30")),
        )
        product = changed(shown(samples.TEE, "default", "fr"), categories=categories)
        (account,) = book.accounts()
        record = sent(product_record(product, account, book))
        assert [one["id"] for one in record["attributes"]] == ["5", "25"]
        british = msgspec.structs.replace(product, website_ids=(1,))
        record = sent(product_record(british, account, book))
        assert [one["id"] for one in record["attributes"]] == ["5"]

    def test_mapped_attributes_carry_the_labels_of_the_view_that_describes_the_product(self):
        known = {
            "default": {"color": samples.COLOR},
            "fr": {"color": msgspec.structs.replace(samples.COLOR, options={"4": "Rouge"})},
        }
        product = shown(msgspec.structs.replace(samples.VARIANT, website_ids=(1, 2)), "default", "fr")
        product = with_parent(changed(product, categories=()), ("17", "HOOD"))
        record = made(product, beside=Beside(attributes=known), products__mapping=["color=colour"])
        assert record["attributes"] == [{"type": "colour", "id": "4", "label": "Red"}]

    def test_properties_are_apart_from_attributes(self):
        product = changed(BAG, values={"fit": "slim"}, categories=())
        record = made(product, products__mapping=["fit:property"])
        assert record["properties"] == {"fit": "slim"}
        assert record["attributes"] == []


def test_a_merged_record_without_attributes_says_so_and_any_other_leaves_them_out():
    plain = changed(BAG, categories=())
    assert made(plain)["attributes"] == []
    assert "attributes" not in made(plain, products__merge=False)


def test_stock_is_told_where_it_is_known():
    assert made(msgspec.structs.replace(BAG, salable=False))["is_in_stock"] is False
    assert "is_in_stock" not in made(msgspec.structs.replace(BAG, salable=None))


def test_a_product_needs_nothing_beside_it():
    account, book = make()
    assert record_of(BAG, account, book) == product_record(BAG, account, book)
