"""Private sections."""

from __future__ import annotations


def test_only_what_is_asked_is_answered_each_with_its_time(shop, visitor):
    answer = visitor.sections("cart", "customer")
    assert set(answer) == {"cart", "customer"}
    assert answer["customer"] == {"data_id": int(shop.clock().timestamp())}


def test_without_names_all_sections_come(visitor):
    answer = visitor.get("/customer/section/load/").json
    assert {"cart", "customer", "messages", "directory-data", "last-ordered-items"} <= set(answer)


def test_a_signed_in_visitor_has_a_name_but_no_mail_and_no_id(visitor):
    visitor.log_in("maren.holt@example.com", "Lighthouse-42")
    text = visitor.get("/customer/section/load/").text
    assert visitor.sections("customer")["customer"]["fullname"] == "Maren Holt"
    assert "example.com" not in text


def test_sections_are_never_stored(visitor):
    assert "no-store" in visitor.get("/customer/section/load/?sections=cart").headers["Cache-Control"]


def test_the_last_order_is_remembered_for_customers(visitor):
    visitor.register()
    visitor.add(17, options={93: 4, 137: 7})
    order_id = visitor.place("carts/mine", None)
    items = visitor.sections("last-ordered-items")["last-ordered-items"]["items"]
    assert [(item["name"], item["product_id"]) for item in items] == [("Breakwater Jacket", "17")]
    assert order_id.isdigit()
