"""Carts in the shapes of the storefront: totals, ``checkoutConfig``, the ``cart`` section, cart REST."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bridge.sandbox import cart
from bridge.sandbox.catalog import attribute
from bridge.sandbox.product_documents import image_url, product_url
from bridge.sandbox.store_documents import customer_document
from bridge.sandbox.values import dumps, four_places, number, price_format, price_span, shown, with_base

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.sandbox.people import Address, Customer, Session
    from bridge.sandbox.quotes import Quote, QuoteItem
    from bridge.sandbox.state import ShopState
    from bridge.sandbox.views import StoreView

Document = dict[str, Any]


def item_options(item: QuoteItem) -> list[Document]:
    """Return the chosen options of a line, with ids as the ``cart`` section gives them."""
    rows: list[Document] = [
        {
            "label": part.option_title,
            "value": [f"{part.qty} x {part.product.name} {shown(part.price)}"],
            "option_id": part.option_id,
            "option_value": str(part.selection_id),
        }
        for part in item.parts
    ]
    if item.child is None:
        return rows
    for axis in item.product.super_attributes:
        found = attribute(axis)
        chosen = item.child.options[found.code]
        rows.append(
            {
                "label": found.label,
                "value": found.option_label(int(chosen)),
                "option_id": axis,
                "option_value": chosen,
            }
        )
    return rows


def cart_section(state: ShopState, quote: Quote | None, view: StoreView) -> Document:
    """Return the ``cart`` section. ``subtotalAmount`` is null as long as the visitor has no cart at all."""
    base_url, locale = state.base_url(view), view.money
    subtotal = quote.subtotal if quote else Decimal(0)
    items = [_section_item(base_url, item, locale) for item in reversed(quote.items)] if quote else []
    return {
        "summary_count": quote.qty if quote else 0,
        "subtotalAmount": four_places(subtotal) if quote else None,
        "subtotal": price_span(subtotal, locale),
        "possible_onepage_checkout": True,
        "items": items,
        "extra_actions": "",
        "isGuestCheckoutAllowed": True,
        "website_id": str(view.website.id),
        "storeId": str(view.id),
        "subtotal_incl_tax": price_span(subtotal, locale),
        "subtotal_excl_tax": price_span(subtotal, locale),
    }


def _section_item(base_url: str, item: QuoteItem, locale: str) -> Document:
    return {
        "product_type": item.product.type_id,
        "options": item_options(item),
        "qty": item.qty,
        "item_id": str(item.id),
        "configure_url": f"{base_url}checkout/cart/configure/id/{item.id}/product_id/{item.product.id}/",
        "is_visible_in_site_visibility": True,
        "product_id": str(item.product.id),
        "product_name": item.product.name,
        "product_sku": item.sku,
        "product_url": product_url(base_url, item.product),
        "product_has_url": True,
        "product_price": f'<span class="minicart-price">{price_span(item.price, locale)}</span>',
        "product_price_value": number(item.price),
        "product_image": _image(base_url, item),
        "canApplyMsrp": False,
        "message": "",
    }


def _image(base_url: str, item: QuoteItem) -> Document:
    source = image_url(base_url, item.product, "mini_cart")
    return {"src": source, "alt": item.product.name, "width": 150, "height": 150}


def totals(quote: Quote, method: str | None) -> Document:
    """Return the totals of a cart as the REST calls give them, with numbers."""
    document = _totals(quote, method, number)
    document["weee_tax_applied_amount"] = None
    segments = [
        {"code": "subtotal", "title": "Subtotal", "value": number(quote.subtotal)},
        *_discount_segment(quote),
        *_shipping_segment(quote, method),
        {"code": "tax", "title": "Tax", "value": 0, "extension_attributes": {"tax_grandtotal_details": []}},
        {"code": "grand_total", "title": "Grand Total", "value": document["grand_total"], "area": "footer"},
    ]
    if quote.rule is not None:
        document |= {"coupon_code": quote.coupon_code, "extension_attributes": {"coupon_label": quote.rule.label}}
    return {**document, "total_segments": segments}


def _discount_segment(quote: Quote) -> list[Document]:
    if quote.rule is None:
        return []
    title = f"Discount ({quote.rule.label or quote.coupon_code})"
    return [{"code": "discount", "title": title, "value": number(-quote.discount)}]


def _shipping_segment(quote: Quote, method: str | None) -> list[Document]:
    if quote.is_virtual:
        return []
    title = cart.shipping_title(method)
    words = f"Shipping & Handling ({title})" if title else "Shipping & Handling"
    return [{"code": "shipping", "title": words, "value": number(cart.shipping_amount(quote, method))}]


def _totals(quote: Quote, method: str | None, write: Callable[[Decimal], Any]) -> Document:
    shipping = cart.shipping_amount(quote, method)
    amounts = {
        "grand_total": quote.subtotal - quote.discount + shipping,
        "subtotal": quote.subtotal,
        "discount_amount": -quote.discount,
        "subtotal_with_discount": quote.subtotal - quote.discount,
        "shipping_amount": shipping,
        "shipping_discount_amount": Decimal(0),
        "tax_amount": Decimal(0),
        "shipping_tax_amount": Decimal(0),
        "shipping_incl_tax": shipping,
    }
    return {
        **with_base({key: write(amount) for key, amount in amounts.items()}, quote.view),
        "subtotal_incl_tax": write(quote.subtotal),
        "base_currency_code": quote.view.website.currency,
        "quote_currency_code": quote.view.currency,
        "items_qty": write(Decimal(quote.qty)),
        "items": [_totals_item(quote, item, write) for item in quote.items],
    }


def _totals_item(quote: Quote, item: QuoteItem, write: Callable[[Decimal], Any]) -> Document:
    zero = write(Decimal(0))
    amounts: Document = {
        "price": write(item.price),
        "row_total": write(item.row_total),
        "tax_amount": zero,
        "discount_amount": write(quote.discount_of(item)),
        "price_incl_tax": write(item.price),
        "row_total_incl_tax": write(item.row_total),
    }
    options = [{"value": row["value"], "label": row["label"]} for row in item_options(item)]
    return {
        "item_id": item.id if write is number else str(item.id),
        **with_base(amounts, quote.view),
        "qty": item.qty,
        "row_total_with_discount": zero,
        "tax_percent": zero,
        "discount_percent": write(quote.rule.percent) if quote.rule else zero,
        "options": dumps(options),
        "weee_tax_applied_amount": None,
        "weee_tax_applied": None,
        "name": item.product.name,
    }


def checkout_config(state: ShopState, session: Session, quote: Quote) -> Document:
    """Return ``window.checkoutConfig`` of the cart and checkout pages: database strings, not numbers."""
    view = quote.view
    base_url, money = state.base_url(view), price_format(view.money)
    customer = state.customers.get(session.customer_id or 0)
    page_totals = _totals(quote, quote.shipping_method, four_places)
    segments = [
        {
            **segment,
            "value": four_places(Decimal(str(segment["value"]))),
            "area": segment.get("area"),
            "extension_attributes": segment.get("extension_attributes", []),
        }
        for segment in totals(quote, quote.shipping_method)["total_segments"]
    ]
    config: Document = {
        "formKey": session.form_key,
        "customerData": _customer_data(state, customer) if customer else [],
        "quoteData": _quote_data(quote, customer),
        "quoteItemData": [_quote_item_data(base_url, quote, item) for item in quote.items],
        "quoteMessages": {str(item.id): "" for item in quote.items},
        "isCustomerLoggedIn": customer is not None,
        "selectedShippingMethod": None,
        "storeCode": view.code,
        "isGuestCheckoutAllowed": True,
        "isCustomerLoginRequired": False,
        **_urls(base_url),
        "priceFormat": money,
        "basePriceFormat": money,
        "imageData": {str(item.id): _image(base_url, item) for item in quote.items},
        "totalsData": {**page_totals, "coupon_code": quote.coupon_code, "total_segments": segments},
        "paymentMethods": [],
        "autocomplete": "off",
        "websiteCode": view.website.code,
        "defaultCountryId": view.website.country,
    }
    if quote.validated_email and customer is None:
        config["validatedEmailValue"] = quote.validated_email
    return config


def _urls(base_url: str) -> Document:
    return {
        "registerUrl": f"{base_url}customer/account/create/",
        "checkoutUrl": f"{base_url}checkout/",
        "defaultSuccessPageUrl": f"{base_url}checkout/onepage/success/",
        "pageNotFoundUrl": f"{base_url}checkout/noroute/",
        "forgotPasswordUrl": f"{base_url}customer/account/forgotpassword/",
        "staticBaseUrl": f"{base_url}static/",
        "cartUrl": f"{base_url}checkout/cart/",
    }


def _customer_data(state: ShopState, customer: Customer) -> Document:
    document = customer_document(state, customer)
    addresses = {
        str(row["id"]): {
            **row,
            "id": str(row["id"]),
            "customer_id": str(customer.id),
            "region_id": "0",
            "default_billing": row.get("default_billing", False),
            "default_shipping": row.get("default_shipping", False),
        }
        for row in document["addresses"]
    }
    return {
        **document,
        "id": str(customer.id),
        "website_id": str(customer.view.website.id),
        "store_id": str(customer.view.id),
        "group_id": "1",
        "disable_auto_group_change": "0",
        "addresses": addresses or [],
    }


def _quote_data(quote: Quote, customer: Customer | None) -> Document:
    discounted = quote.subtotal - quote.discount
    amounts = {
        "grand_total": discounted + cart.shipping_amount(quote, quote.shipping_method),
        "subtotal": quote.subtotal,
        "subtotal_with_discount": discounted,
    }
    return {
        "entity_id": str(quote.id) if customer else quote.masked_id,
        "store_id": quote.view.id,
        "created_at": quote.created_at,
        "updated_at": quote.updated_at,
        "converted_at": None,
        "is_active": "1",
        "is_virtual": 1 if quote.is_virtual else 0,
        "is_multi_shipping": "0",
        "items_count": str(len(quote.items)),
        "items_qty": four_places(Decimal(quote.qty)),
        "orig_order_id": "0",
        "base_currency_code": quote.view.website.currency,
        "store_currency_code": quote.view.website.currency,
        "quote_currency_code": quote.view.currency,
        "global_currency_code": "GBP",
        **with_base({key: four_places(amount) for key, amount in amounts.items()}, quote.view),
        "customer_id": customer.id if customer else None,
        "customer_group_id": 1 if customer else "0",
        "customer_email": customer.email if customer else None,
        "customer_firstname": customer.firstname if customer else None,
        "customer_lastname": customer.lastname if customer else None,
        "customer_is_guest": "0" if customer else "1",
        "coupon_code": quote.coupon_code,
    }


def _quote_item_data(base_url: str, quote: Quote, item: QuoteItem) -> Document:
    price, total = four_places(item.price), four_places(item.row_total)
    amounts = {"price": price, "row_total": total, "price_incl_tax": price, "row_total_incl_tax": total}
    return {
        "item_id": str(item.id),
        "quote_id": str(quote.id),
        "created_at": item.created_at,
        "updated_at": item.updated_at,
        "product_id": str(item.product.id),
        "store_id": quote.view.id,
        "parent_item_id": None,
        "is_virtual": "1" if item.product.type_id == "virtual" else "0",
        "sku": item.sku,
        "name": item.product.name,
        "qty": item.qty,
        **with_base(amounts, quote.view),
        "product_type": item.product.type_id,
        "product": {
            "entity_id": str(item.product.id),
            "type_id": item.product.type_id,
            "sku": item.product.sku,
            "name": item.product.name,
            "url_key": item.product.url_key,
        },
        "options": [{"label": row["label"], "value": row["value"]} for row in item_options(item)],
        "thumbnail": image_url(base_url, item.product, "thumbnail"),
        "message": "",
    }


def rest_item(quote: Quote, item: QuoteItem) -> Document:
    """Return a line as the cart REST calls give it."""
    return {
        "item_id": item.id,
        "sku": item.sku,
        "qty": item.qty,
        "name": item.product.name,
        "price": number(item.price),
        "product_type": item.product.type_id,
        "quote_id": str(quote.id),
    }


def rest_cart(state: ShopState, quote: Quote) -> Document:
    """Answer ``carts/mine`` and ``guest-carts/{id}``."""
    customer = state.customers.get(quote.customer_id or 0)
    document: Document = {
        "id": quote.id,
        "created_at": quote.created_at,
        "updated_at": quote.updated_at,
        "is_active": True,
        "is_virtual": quote.is_virtual,
        "items": [rest_item(quote, item) for item in quote.items],
        "items_count": len(quote.items),
        "items_qty": quote.qty,
    }
    if customer:
        document["customer"] = customer_document(state, customer)
    known = customer.addresses[customer.default_address] if customer and customer.default_address else None
    document["billing_address"] = _rest_address(quote, quote.billing_address or known, customer)
    return {
        **document,
        "orig_order_id": 0,
        "currency": {
            "global_currency_code": "GBP",
            **dict.fromkeys(("base_currency_code", "store_currency_code"), quote.view.website.currency),
            "quote_currency_code": quote.view.currency,
            "store_to_base_rate": 0,
            "store_to_quote_rate": 0,
            "base_to_global_rate": 1,
            "base_to_quote_rate": number(quote.view.rate),
        },
        "customer_is_guest": customer is None,
        "customer_note_notify": True,
        "customer_tax_class_id": 3,
        "store_id": quote.view.id,
        "extension_attributes": {"shipping_assignments": []},
    }


def _rest_address(quote: Quote, address: Address | None, customer: Customer | None) -> Document:
    document: Document = {
        "id": quote.id * 10,
        "region": None,
        "region_id": None,
        "region_code": None,
        "country_id": address.country_id if address else None,
        "street": list(address.street) if address else [""],
        "telephone": address.telephone if address else None,
        "postcode": address.postcode if address else None,
        "city": address.city if address else None,
        "firstname": address.firstname if address else None,
        "lastname": address.lastname if address else None,
    }
    if customer:
        document["customer_id"] = customer.id
    document |= {"email": quote.email or (customer.email if customer else None), "same_as_billing": 0}
    if customer and customer.default_address:
        document["customer_address_id"] = customer.default_address
    return {**document, "save_in_address_book": 0}
