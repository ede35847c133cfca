"""Products, carts and customers in the shapes of Magento's GraphQL API."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from bridge.sandbox import cart
from bridge.sandbox.attributes import attribute
from bridge.sandbox.product_documents import image_url
from bridge.sandbox.values import number
from bridge.sandbox.web import base_url, catalog, shop_state

if TYPE_CHECKING:
    from decimal import Decimal

    from bridge.sandbox.goods import Product
    from bridge.sandbox.people import Address, Customer
    from bridge.sandbox.quotes import Quote, QuoteItem

Node = dict[str, Any]
TYPES = {
    "simple": "SimpleProduct",
    "virtual": "VirtualProduct",
    "bundle": "BundleProduct",
    "grouped": "GroupedProduct",
    "configurable": "ConfigurableProduct",
}


def uid(text: object) -> str:
    """Write an id as GraphQL does."""
    return base64.b64encode(str(text).encode()).decode()


def from_uid(text: object) -> str:
    """Read an id; empty when it is none."""
    try:
        return base64.b64decode(str(text), validate=True).decode()
    except ValueError:
        return ""


def money(amount: Decimal, currency: str) -> Node:
    """Write an amount with its currency."""
    return {"value": number(amount), "currency": currency}


def product_node(product: Product) -> Node:
    """Return a product."""
    seen = catalog()
    lowest = money(seen.lowest_price(product), seen.view.currency)
    price = {"final_price": lowest, "regular_price": lowest}
    node: Node = {
        "__typename": TYPES[product.type_id],
        "id": product.id,
        "uid": uid(product.id),
        "sku": product.sku,
        "name": product.name,
        "url_key": product.url_key,
        "url_suffix": ".html",
        "price_range": {"minimum_price": price, "maximum_price": price},
        "small_image": {"url": image_url(base_url(), product, "small_image"), "label": product.name},
        "image": {"url": image_url(base_url(), product), "label": product.name},
        "stock_status": "IN_STOCK" if shop_state().is_salable(product) else "OUT_OF_STOCK",
        "relative_url": f"{product.url_key}.html",
        "redirect_code": 0,
        "type": "PRODUCT",
    }
    if product.children:
        node |= _configurable(product)
    return node


def _option(axis: int, value: str) -> Node:
    found = attribute(axis)
    return {"code": found.code, "label": found.option_label(int(value)), "uid": uid(f"configurable/{axis}/{value}")}


def _configurable(product: Product) -> Node:
    children = catalog().children(product)
    options = []
    for axis in product.super_attributes:
        values = dict.fromkeys(child.options[attribute(axis).code] for child in children)
        rows = [_option(axis, value) for value in values]
        options.append({"attribute_code": attribute(axis).code, "attribute_uid": uid(axis), "values": rows})
    variants = [
        {
            "product": product_node(child),
            "attributes": [_option(axis, child.options[attribute(axis).code]) for axis in product.super_attributes],
        }
        for child in children
    ]
    return {"configurable_options": options, "variants": variants}


def products_node(found: list[Product], size: int, page: int) -> Node:
    """Return a page of products with the counts of all that were found."""
    categories = [
        {"label": one.name, "value": uid(one.id), "count": sum(one.id in product.categories for product in found)}
        for one in catalog().categories
        if any(one.id in product.categories for product in found)
    ]
    prices: dict[int, int] = {}
    for product in found:
        step = int(catalog().lowest_price(product)) // 10 * 10
        prices[step] = prices.get(step, 0) + 1
    buckets = [
        {"label": f"{low}-{low + 10}", "value": f"{low}_{low + 10}", "count": n} for low, n in sorted(prices.items())
    ]
    start = (page - 1) * size
    return {
        "total_count": len(found),
        "items": [product_node(product) for product in found[start : start + size]],
        "page_info": {"current_page": page, "page_size": size, "total_pages": -(-len(found) // size)},
        "aggregations": [
            {"attribute_code": "price", "label": "Price", "options": buckets},
            {"attribute_code": "category_uid", "label": "Category", "options": categories},
        ],
    }


def cart_node(quote: Quote) -> Node:
    """Return a cart."""
    currency = quote.view.currency
    shipping = cart.shipping_amount(quote, quote.shipping_method)
    discounts = []
    if quote.rule is not None:
        label = f"Discount ({quote.rule.label or quote.coupon_code})"
        discounts = [{"amount": money(quote.discount, currency), "label": label}]
    subtotal = money(quote.subtotal, currency)
    customer = shop_state().customers.get(quote.customer_id or 0)
    method = quote.payment_method
    return {
        "id": quote.masked_id,
        "email": quote.email or (customer.email if customer else None),
        "total_quantity": quote.qty,
        "is_virtual": quote.is_virtual,
        "items": [
            {
                **_line_type(item),
                "id": str(item.id),
                "uid": uid(item.id),
                "quantity": item.qty,
                "prices": {"price": money(item.price, currency), "row_total": money(item.row_total, currency)},
                "errors": None,
            }
            for item in quote.items
        ],
        "prices": {
            "grand_total": money(quote.subtotal - quote.discount + shipping, currency),
            "subtotal_excluding_tax": subtotal,
            "subtotal_including_tax": subtotal,
            "discounts": discounts,
        },
        "applied_coupons": [{"code": quote.coupon_code}] if quote.coupon_code else None,
        "available_payment_methods": [{"code": code, "title": title} for code, title in cart.PAYMENT_METHODS.items()],
        "selected_payment_method": {"code": method or "", "title": cart.PAYMENT_METHODS.get(method or "", "")},
        "shipping_addresses": [_shipping(quote)] if quote.shipping_address else [],
        "billing_address": _address(quote.billing_address) if quote.billing_address else None,
    }


LINE_TYPES = {"bundle": "BundleCartItem", "virtual": "VirtualCartItem"}


def _line_type(item: QuoteItem) -> Node:
    """Return the type of a line with its product: of a configurable one the parent, and the variant beside it."""
    if item.child is None:
        return {
            "__typename": LINE_TYPES.get(item.product.type_id, "SimpleCartItem"),
            "product": product_node(item.product),
        }
    variant = product_node(item.child)
    return {
        "__typename": "ConfigurableCartItem",
        "product": product_node(item.product),
        "configured_variant": variant,
    }


def _address(address: Address) -> Node:
    return {
        "firstname": address.firstname,
        "lastname": address.lastname,
        "city": address.city,
        "postcode": address.postcode,
        "street": list(address.street),
    }


def _shipping(quote: Quote) -> Node:
    rates = [
        {**rate, "amount": {"value": rate["amount"], "currency": quote.view.currency}}
        for rate in cart.shipping_rates(quote)
    ]
    chosen = [rate for rate in rates if f"{rate['carrier_code']}_{rate['method_code']}" == quote.shipping_method]
    address = _address(quote.shipping_address) if quote.shipping_address else {}
    return {
        **address,
        "available_shipping_methods": rates,
        "selected_shipping_method": chosen[0] if chosen else None,
    }


def customer_node(customer: Customer) -> Node:
    """Return a customer. ``orders`` is paged by its arguments, so a function."""
    state = shop_state()

    def orders(_info: Any, pageSize: int, currentPage: int) -> Node:  # noqa: N803 - the schema's names
        mine = state.orders_of(customer)
        start = (currentPage - 1) * pageSize
        return {
            "total_count": len(mine),
            "items": [
                {
                    "id": uid(order.entity_id),
                    "number": order.increment_id,
                    "status": order.status.replace("_", " ").title(),
                    "order_date": order.created_at,
                    "total": {"grand_total": money(order.grand_total, order.view.currency)},
                }
                for order in mine[start : start + pageSize]
            ],
        }

    return {
        "id": customer.id,
        "firstname": customer.firstname,
        "lastname": customer.lastname,
        "email": customer.email,
        "is_subscribed": state.is_subscribed(customer.email, customer.view.website.id),
        "addresses": [
            {"id": id_, "city": one.city, "postcode": one.postcode, "street": list(one.street)}
            for id_, one in customer.addresses.items()
        ],
        "orders": orders,
    }
