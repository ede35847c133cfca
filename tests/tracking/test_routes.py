from __future__ import annotations

import pytest

from bridge.tracking.capture import ROUTES
from bridge.tracking.routes import RouteTable, rest_code
from tests.tracking.wires import Request

TABLE = RouteTable(ROUTES)


@pytest.mark.parametrize(
    ("method", "target", "name"),
    [
        ("POST", "/checkout/cart/add/uenc/x/product/5/", "cart-add"),
        ("POST", "/checkout/cart/add/uenc/" + "x" * 1500 + "/product/5/", "cart-add"),
        ("POST", "/shop/index.php/fr/checkout/cart/add", "cart-add"),
        ("POST", "//customer//account/loginPost", "login"),
        ("POST", "/customer/account/LOGINPOST/", "login"),
        ("GET", "/fr/customer/account/logout/", "logout"),
        ("POST", "/rest/all/V1/customers", "register-rest"),
        ("POST", "/rest/default/V1/guest-carts/abc/payment-information", "order-guest"),
        ("PUT", "/rest/V1/guest-carts/abc/order", "order-guest-put"),
        ("POST", "/rest/V1/carts/mine/payment-information?x=1", "order-customer"),
        ("GET", "/checkout/cart/add/product/5/", None),
        ("GET", "/", None),
        ("GET", "/logout-proof-jacket.html", None),
        ("GET", "/customer/account/logoutSuccess/", None),
        ("POST", "/", None),
        ("POST", "/checkout/cart", None),
        ("POST", "/a/b/c/d/checkout/cart/add", None),
        ("POST", "/rest/default/V1/guest-carts/abc/shipping-information", "guest-shipping-information"),
        ("POST", "/rest/default/V1/guest-carts/abc/totals-information", None),
        ("GET", "/rest/default/V1/guest-carts/abc/billing-address", None),
        ("GET", "/rest/fr/V1/customers/me", "account-me"),
        ("PUT", "/rest/fr/V1/customers/me", "account-me"),
        ("DELETE", "/rest/fr/V1/customers/me", None),
        ("POST", "/fr/wishlist/shared/cart/", "wishlist-shared-cart"),
        ("POST", "/sales/guest/reorder/", "sales-guest-reorder"),
        ("GET", "/wishlist/index/cart/", None),
        ("GET", "/rest/fr/V1/customers/me/billingAddress", None),
        ("GET", "/fr/checkout/onepage/success/", "success"),
        ("GET", "/multishipping/checkout/success", "multishipping-success"),
        ("GET", "/multishipping/checkout/results/", "multishipping-results"),
        ("POST", "/checkout/onepage/success/", None),
        ("GET", "/checkout/onepage/failure/", None),
        ("POST", "/customer/account/editPost/", "account-edit"),
        ("POST", "/graphql/", "graphql"),
        ("POST", "/shop/index.php/fr/graphql", "graphql"),
        ("POST", "/a/b/c/d/graphql", None),
        ("POST", "/graphql/x", None),
        ("GET", "/graphql", None),
        ("POST", "/rest/default/V1/carts/12/payment-information", None),
        ("POST", "/rest/default/V1/customers/7", None),
        ("POST", "/rest", None),
        ("POST", "/rest/a/b/V1/customers", None),
        ("DELETE", "/checkout/cart/add", None),
        ("POST", "/checkout/cart/add/" + "x" * 5000, None),
        ("POST", "/customer/account/forgotpasswordpost/", "forgot"),
        ("GET", "/customer/account/forgotpasswordpost/", None),
        ("POST", "/fr/customer/account/resetpasswordpost/?id=1&token=secret", "reset"),
        ("PUT", "/rest/fr/V1/customers/password", "forgot-rest"),
        ("POST", "/rest/V1/customers/resetPassword", "reset-rest"),
        ("PUT", "/rest/V1/customers/me/password", None),
        ("POST", "/graphql", "graphql"),
    ],
)
def test_a_request_is_watched_by_method_and_path_alone(method, target, name):
    route = TABLE.find(Request(method, target))
    assert (route.name if route else None) == name


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (b"/rest/fr/V1/customers", "fr"),
        (b"/index.php/rest/En_GB/V1/customers", "En_GB"),
        (b"/rest/all/V1/customers", None),
        (b"/rest/V1/customers", None),
        (b"/rest", None),
        (b"/rest/fr", None),
        (b"/checkout/cart/add", None),
    ],
)
def test_the_rest_code_is_read_from_a_rest_path(path, code):
    assert rest_code(path) == code


def test_identity_orders_and_subscriptions_are_urgent_and_the_cart_is_not():
    urgent = {route.name for route in ROUTES if route.urgent}
    assert urgent == {
        "guest-shipping-information", "guest-set-payment-information", "guest-billing-address", "success",
        "multishipping-success", "multishipping-results", "account-edit", "account-me", "graphql",
        "login", "login-ajax", "register", "newsletter", "logout", "order-guest", "order-guest-put", "order-customer",
        "order-customer-put", "register-rest", "token-rest", "forgot", "forgot-rest", "reset", "reset-rest",
    }  # fmt: skip
