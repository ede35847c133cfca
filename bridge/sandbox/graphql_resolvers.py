"""What the GraphQL queries and mutations of the sandbox shop do. Each takes the schema's arguments by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import GraphQLError

from bridge.sandbox import cart, mails
from bridge.sandbox.account_edit import reset, send_reset_link
from bridge.sandbox.graphql_documents import cart_node, customer_node, from_uid, product_node, products_node, uid
from bridge.sandbox.pages import CMS_PAGES, listed
from bridge.sandbox.people import SUBSCRIBED, Address
from bridge.sandbox.placing import place_order
from bridge.sandbox.rest_base import bearer, selling_view
from bridge.sandbox.signing import EMAIL, put_on_list
from bridge.sandbox.storefront_accounts import by_password, new_token
from bridge.sandbox.web import base_url, catalog, post_mail, request, shop_state, store_view, visitor

if TYPE_CHECKING:
    from bridge.sandbox.graphql_documents import Node
    from bridge.sandbox.people import Customer
    from bridge.sandbox.quotes import Quote


def problem(message: str, category: str = "") -> GraphQLError:
    """Return an error as Magento writes it; ``category``: ``input``, ``authorization``, ``authentication`` or none."""
    return GraphQLError(message, extensions={"category": f"graphql-{category}"} if category else None)


def _caller() -> Customer:
    """Return the customer of the bearer token, or of the session as in 2.4.6."""
    state = shop_state()
    owner = state.tokens.get(bearer()) if bearer() else visitor().customer_id
    customer = state.customers.get(owner or 0)
    if customer is None:
        raise problem("The current customer isn't authorized.", "authorization")
    return customer


def _quote(masked: str) -> Quote:
    quote = next((one for one in shop_state().quotes.values() if one.masked_id == masked), None)
    if quote is None:
        raise problem(f'Could not find a cart with ID "{masked}"')
    if quote.customer_id is not None and quote.customer_id != _caller().id:
        raise problem(f'The current user cannot perform operations on cart "{masked}"', "authorization")
    if not quote.active:
        raise problem("The cart isn't active.")
    return quote


# Queries


def store_config(_root: Any, _info: Any) -> Node:
    """Answer the store view."""
    view = store_view()
    return {
        "id": view.id,
        "code": view.code,
        "store_code": view.code,
        "website_code": view.website.code,
        "website_id": view.website.id,
        "store_name": view.name,
        "locale": view.locale,
        "base_currency_code": view.currency,
        "default_display_currency_code": view.currency,
        "base_url": base_url(),
        "secure_base_url": base_url(),
        "base_media_url": f"{base_url()}media/",
        "title_suffix": None,
    }


def products(_root: Any, _info: Any, *, pageSize: int, currentPage: int, **asked: Any) -> Node:  # noqa: N803
    """Search products by words or by SKU, URL key and category."""
    words, wanted = (asked.get("search") or "").lower(), asked.get("filter") or {}
    if not words and not wanted:
        raise problem("'search' or 'filter' input argument is required.", "input")
    found = [one for one in listed() if words in f"{one.name} {one.sku} {one.blurb}".lower()]
    for name, condition in wanted.items():
        values = [str(value) for value in [condition.get("eq"), *(condition.get("in") or [])] if value is not None]
        if name == "category_id":
            found = [one for one in found if {str(id_) for id_ in one.categories} & set(values)]
        else:
            found = [one for one in found if getattr(one, name) in values]
    return products_node(found, max(pageSize, 1), max(currentPage, 1))


def cart_query(_root: Any, _info: Any, cart_id: str) -> Node:
    """Answer a cart."""
    return cart_node(_quote(cart_id))


def customer_cart(_root: Any, _info: Any) -> Node:
    """Answer the customer's cart, opened when there is none."""
    customer, state = _caller(), shop_state()
    return cart_node(state.quote_of_customer(customer.id) or state.new_quote(customer.id, selling_view()))


def customer(_root: Any, _info: Any) -> Node:
    """Answer the customer."""
    return customer_node(_caller())


def route(_root: Any, _info: Any, url: str) -> Node | None:
    """Tell what an address leads to."""
    key = url.strip("/").removesuffix(".html")
    product = catalog().by_url_key.get(key)
    if product is not None:
        return product_node(product)
    base = {"relative_url": url.strip("/"), "redirect_code": 0}
    for one in catalog().categories:
        if one.url_key == key:
            category = {"__typename": "CategoryTree", "type": "CATEGORY", "id": one.id, "uid": uid(one.id)}
            return {**base, **category, "name": one.name}
    if key in CMS_PAGES:
        page = {"__typename": "CmsPage", "type": "CMS_PAGE", "identifier": key, "title": CMS_PAGES[key][0]}
        return {**base, **page}
    return None


# The cart


def create_empty_cart(_root: Any, _info: Any, **_given: Any) -> str:
    """Open a cart: the customer's, or a guest's."""
    state = shop_state()
    if bearer():
        mine = _caller()
        return (state.quote_of_customer(mine.id) or state.new_quote(mine.id, selling_view())).masked_id
    return state.new_quote(view=selling_view()).masked_id


def _choice(row: Node) -> cart.Choice:
    options: dict[int, str] = {}
    selections: dict[int, list[int]] = {}
    for option in row.get("selected_options") or []:
        parts = from_uid(option).split("/")
        if parts[0] == "configurable":
            options[int(parts[1])] = parts[2]
        elif parts[0] == "bundle":
            selections.setdefault(int(parts[1]), []).append(int(parts[2]))
    return cart.Choice(options, selections)


def add_products(_root: Any, _info: Any, cartId: str, cartItems: list[Node]) -> Node:  # noqa: N803
    """Put products in the cart; what cannot be bought stands in ``user_errors``."""
    quote, errors = _quote(cartId), []
    for row in cartItems:
        product = shop_state().catalogs[quote.view.shelf].by_sku.get(row["sku"])
        if product is None:
            text = f'Could not find a product with SKU "{row["sku"]}"'
            errors.append({"code": "PRODUCT_NOT_FOUND", "message": text})
            continue
        try:
            cart.add(shop_state(), quote, product, int(row["quantity"]), _choice(row))
        except cart.CartError as error:
            errors.append({"code": "UNDEFINED", "message": str(error)})
    return {"cart": cart_node(quote), "user_errors": errors}


def add_simple_products(_root: Any, _info: Any, input: Node) -> Node:  # noqa: A002 - the schema's name
    """Put simple products in the cart, the older way: a refusal is an error."""
    rows = [row["data"] for row in input["cart_items"]]
    answer = add_products(None, None, input["cart_id"], rows)
    if answer["user_errors"]:
        raise problem(answer["user_errors"][0]["message"], "input")
    return {"cart": answer["cart"]}


def _item_id(row: Node) -> int:
    text = from_uid(row["cart_item_uid"]) if row.get("cart_item_uid") else str(row.get("cart_item_id") or "")
    return int(text) if text.isdigit() else 0


def _changed(cart_id: str, change: Any) -> Node:
    quote = _quote(cart_id)
    try:
        change(quote)
    except cart.CartError as error:
        raise problem(str(error), "input") from error
    return {"cart": cart_node(quote)}


def update_items(_root: Any, _info: Any, input: Node) -> Node:  # noqa: A002
    """Change quantities."""

    def change(quote: Quote) -> None:
        for row in input["cart_items"]:
            cart.set_qty(shop_state(), quote, _item_id(row), int(row["quantity"]))

    return _changed(input["cart_id"], change)


def remove_item(_root: Any, _info: Any, input: Node) -> Node:  # noqa: A002
    """Take a line out."""
    return _changed(input["cart_id"], lambda quote: cart.remove(shop_state(), quote, _item_id(input)))


def apply_coupon(_root: Any, _info: Any, input: Node) -> Node:  # noqa: A002
    """Apply a coupon to a cart that has none."""

    def change(quote: Quote) -> None:
        if quote.coupon_code:
            raise cart.CartError("A coupon is already applied to the cart. Please remove it to apply another")
        cart.use_coupon(shop_state(), quote, input["coupon_code"])

    return _changed(input["cart_id"], change)


def remove_coupon(_root: Any, _info: Any, input: Node) -> Node:  # noqa: A002
    """Take the coupon off."""
    return _changed(input["cart_id"], lambda quote: cart.drop_coupon(shop_state(), quote))


def merge_carts(_root: Any, _info: Any, source_cart_id: str, destination_cart_id: str | None = None) -> Node:
    """Move a guest's lines to the customer's cart."""
    mine, state = _caller(), shop_state()
    own = state.quote_of_customer(mine.id) or state.new_quote(mine.id, selling_view())
    target = _quote(destination_cart_id) if destination_cart_id else own
    cart.merge(state, _quote(source_cart_id), target)
    return cart_node(target)


# The checkout


def set_guest_email(_root: Any, _info: Any, input: Node) -> Node:  # noqa: A002
    """Save a guest's e-mail."""
    if not EMAIL.fullmatch(input["email"]):
        raise problem("Invalid email format", "input")
    return _changed(input["cart_id"], lambda quote: setattr(quote, "email", input["email"]))


def _address(given: Node) -> Address:
    customer_address = given.get("customer_address_id")
    if customer_address is not None:
        return _caller().addresses[customer_address]
    row = given["address"]
    names = ("firstname", "lastname", "city", "postcode", "telephone", "company")
    texts = {name: str(row.get(name) or "") for name in names}
    return Address(street=tuple(row["street"]), country_id=row["country_code"], **texts)


def set_shipping_addresses(_root: Any, _info: Any, input: Node) -> Node:  # noqa: A002
    """Save the shipping address."""
    address = _address(input["shipping_addresses"][0])
    return _changed(input["cart_id"], lambda quote: setattr(quote, "shipping_address", address))


def set_billing_address(_root: Any, _info: Any, input: Node) -> Node:  # noqa: A002
    """Save the billing address."""
    given = input["billing_address"]

    def change(quote: Quote) -> None:
        quote.billing_address = quote.shipping_address if given.get("same_as_shipping") else _address(given)

    return _changed(input["cart_id"], change)


def set_shipping_methods(_root: Any, _info: Any, input: Node) -> Node:  # noqa: A002
    """Save the shipping method."""
    chosen = input["shipping_methods"][0]
    code = f"{chosen['carrier_code']}_{chosen['method_code']}"
    return _changed(input["cart_id"], lambda quote: setattr(quote, "shipping_method", code))


def set_payment_method(_root: Any, _info: Any, input: Node) -> Node:  # noqa: A002
    """Save the payment method."""
    code = input["payment_method"]["code"]
    return _changed(input["cart_id"], lambda quote: setattr(quote, "payment_method", code))


def place(_root: Any, _info: Any, input: Node) -> Node:  # noqa: A002
    """Place the order; both ids are the number that people see."""
    state, quote = shop_state(), _quote(input["cart_id"])
    owner = state.customers.get(quote.customer_id or 0)
    quote.email = quote.email or (owner.email if owner else None)
    try:
        order = place_order(state, quote, quote.payment_method or "", request.remote_addr or "127.0.0.1")
    except cart.CartError as error:
        raise problem(f"Unable to place order: {error}") from error
    post_mail(mails.order_placed(state, order))
    return {"order": {"order_number": order.increment_id, "order_id": order.increment_id}}


# The account


def create_customer(_root: Any, _info: Any, input: Node) -> Node:  # noqa: A002
    """Register a customer."""
    state, email = shop_state(), str(input.get("email") or "")
    if not EMAIL.fullmatch(email):
        raise problem(f'"{email}" is not a valid email address.', "input")
    if state.customer_by_email(email, selling_view().website.id):
        raise problem("A customer with the same email address already exists in an associated website.", "input")
    names = (str(input.get("firstname") or ""), str(input.get("lastname") or ""))
    made = state.add_customer(email, *names, str(input.get("password") or ""), view=selling_view())
    post_mail(mails.account(state, made, "welcome" if input.get("password") else "welcome_no_password"))
    if input.get("is_subscribed"):
        put_on_list(email)
    return {"customer": customer_node(made)}


def generate_token(_root: Any, _info: Any, email: str, password: str) -> Node:
    """Give a token for a password."""
    owner = by_password(email, password)
    if owner is None:
        text = "The account sign-in was incorrect, or the account is locked for a while."
        raise problem(text, "authentication")
    return {"token": new_token(owner.id)}


def revoke_token(_root: Any, _info: Any) -> Node:
    """Forget the caller's token."""
    _caller()
    shop_state().tokens.pop(bearer(), None)
    return {"result": True}


def change_password(_root: Any, _info: Any, currentPassword: str, newPassword: str) -> Node:  # noqa: N803
    """Change the customer's password, with its mail."""
    mine = _caller()
    if mine.password != currentPassword:
        raise problem("Invalid login or password.", "authentication")
    mine.password = newPassword
    post_mail(mails.account(shop_state(), mine, "password"))
    return customer_node(mine)


def update_email(_root: Any, _info: Any, email: str, password: str) -> Node:
    """Change the customer's address."""
    mine = _caller()
    if mine.password != password:
        raise problem("Invalid login or password.", "authentication")
    mine.email = email
    return {"customer": customer_node(mine)}


def request_reset(_root: Any, _info: Any, email: str) -> bool:
    """Send a reset link."""
    owner = shop_state().customer_by_email(email, selling_view().website.id)
    if owner is None:
        raise problem("Cannot reset the customer's password")
    send_reset_link(owner)
    return True


def reset_password(_root: Any, _info: Any, email: str, resetPasswordToken: str, newPassword: str) -> bool:  # noqa: N803
    """Set a new password by the token of a mail."""
    owner = shop_state().customer_by_email(email, selling_view().website.id)
    if owner is None or reset(owner.id, resetPasswordToken, newPassword) is None:
        raise problem("Cannot set the customer's password", "input")
    return True


def subscribe(_root: Any, _info: Any, email: str) -> Node:
    """Put an address on the newsletter list."""
    if not EMAIL.fullmatch(email):
        raise problem("Enter a valid email address.", "input")
    if shop_state().is_subscribed(email, selling_view().website.id):
        raise problem("This email address is already subscribed.", "input")
    row = put_on_list(email)
    return {"status": "SUBSCRIBED" if row.status == SUBSCRIBED else "UNCONFIRMED"}


QUERIES = {
    "storeConfig": store_config,
    "products": products,
    "cart": cart_query,
    "customerCart": customer_cart,
    "customer": customer,
    "route": route,
}
MUTATIONS = {
    "createEmptyCart": create_empty_cart,
    "addProductsToCart": add_products,
    "addSimpleProductsToCart": add_simple_products,
    "updateCartItems": update_items,
    "removeItemFromCart": remove_item,
    "applyCouponToCart": apply_coupon,
    "removeCouponFromCart": remove_coupon,
    "setGuestEmailOnCart": set_guest_email,
    "setShippingAddressesOnCart": set_shipping_addresses,
    "setBillingAddressOnCart": set_billing_address,
    "setShippingMethodsOnCart": set_shipping_methods,
    "setPaymentMethodOnCart": set_payment_method,
    "mergeCarts": merge_carts,
    "placeOrder": place,
    "createCustomer": create_customer,
    "createCustomerV2": create_customer,
    "generateCustomerToken": generate_token,
    "revokeCustomerToken": revoke_token,
    "changeCustomerPassword": change_password,
    "updateCustomerEmail": update_email,
    "requestPasswordResetEmail": request_reset,
    "resetPassword": reset_password,
    "subscribeEmailToNewsletter": subscribe,
}
