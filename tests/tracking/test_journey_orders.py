"""Orders of a visitor at the sandbox shop in Chromium: each is a transaction once, and what was not paid is none."""

from __future__ import annotations

import pytest

from tests.chromium import NEEDS_CHROMIUM
from tests.tracking.sandbox_front import MAREN, PASSWORD
from tests.tracking.sandbox_visit import HOLDALL, sandbox_shop

pytestmark = NEEDS_CHROMIUM

PLACE = """async (method) => {
  const call = async (path, body) => (await fetch('/rest/default/V1/' + path, {
    method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Requested-With': 'XMLHttpRequest' },
    body: JSON.stringify(body) })).json();
  const page = await (await fetch('/checkout/')).text();
  const cart = 'guest-carts/' + /"entity_id":\\s*"(\\w{32})"/.exec(page)[1];
  const address = { street: ['1 Quay Street'], city: 'Bristol', country_id: 'GB', postcode: 'BS1 4AA', firstname: 'Greta',
    lastname: 'Shopper', telephone: '0117', region: '' };
  await call(cart + '/shipping-information', { addressInformation: { shipping_address: address,
    billing_address: address, shipping_method_code: 'flatrate', shipping_carrier_code: 'flatrate' } });
  return call(cart + '/payment-information', { cartId: cart, email: 'greta@example.com', billingAddress: address,
    paymentMethod: { method } });
}"""


# A front end of its own: it logs in, fills the customer's cart and orders, all by XMLHttpRequest with a bearer token.
FILL = """async ([email, password]) => {
  let token = '';
  const ask = window.ask = (query) => new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', '/graphql');
    request.setRequestHeader('Content-Type', 'application/json');
    if (token) { request.setRequestHeader('Authorization', 'Bearer ' + token); }
    request.onload = () => {
      const told = JSON.parse(request.responseText);
      if (told.errors) { reject(new Error(told.errors[0].message)); } else { resolve(told.data); }
    };
    request.send(JSON.stringify({ query }));
  });
  const words = `email: ${JSON.stringify(email)}, password: ${JSON.stringify(password)}`;
  token = (await ask(`mutation { generateCustomerToken(${words}) { token } }`)).generateCustomerToken.token;
  const id = window.cart = (await ask('{ customerCart { id } }')).customerCart.id;
  await ask(`mutation { addProductsToCart(cartId: "${id}", cartItems: [{sku: "HP-BAG-01", quantity: 1}])
    { cart { id } user_errors { code } } }`);
}"""
PLACE_ORDER = """async () => {
  const id = `cart_id: "${window.cart}"`;
  const address = `firstname: "M", lastname: "H", street: ["1 Road"], city: "Whitby", postcode: "YO1 1AA",
    country_code: "GB", telephone: "1"`;
  for (const step of [
    `setShippingAddressesOnCart(input: {${id}, shipping_addresses: [{address: {${address}}}]})`,
    `setShippingMethodsOnCart(input: {${id}, shipping_methods: [{carrier_code: "flatrate", method_code: "flatrate"}]})`,
    `setBillingAddressOnCart(input: {${id}, billing_address: {same_as_shipping: true}})`,
    `setPaymentMethodOnCart(input: {${id}, payment_method: {code: "checkmo"}})`,
  ]) { await window.ask(`mutation { ${step} { cart { id } } }`); }
  const told = await window.ask(`mutation { placeOrder(input: {${id}}) { order { order_number } } }`);
  return told.placeOrder.order.order_number;
}"""


@pytest.fixture
def headless(tmp_path, chromium):
    """A visitor at the front that knows GraphQL only."""
    with sandbox_shop(tmp_path, front="graphql") as visitor:
        context = chromium.new_context()
        browser = visitor(context)
        yield browser
        context.close()
        assert browser.wrong == []


@pytest.fixture
def browser(tmp_path, chromium):
    with sandbox_shop(tmp_path) as visitor:
        context = chromium.new_context()
        browser = visitor(context)
        yield browser
        context.close()
        assert browser.wrong == []


def placed(browser):
    """Return the orders that the server told of."""
    return [event for event in browser.room.stream.events if type(event).__name__ == "OrderPlaced"]


def test_a_guests_order_is_told_once_whatever_she_does_with_its_confirmation(browser):
    browser.add("/quayside-holdall.html")
    number = browser.pay()
    browser.check(browser.orders, [number])
    browser.page.reload()
    browser.open("/")
    browser.page.go_back()
    browser.settle()
    other = browser.tab()
    browser.open("/checkout/onepage/success/", other)
    browser.check(browser.orders, [number])
    assert len(placed(browser)) == 1
    browser.add("/enamel-camp-mug.html")
    browser.check(browser.orders, [number])
    second = browser.pay()
    browser.check(browser.orders, [number, second])


def test_each_of_several_addresses_is_an_order_of_its_own(browser):
    shop = browser.state
    shop.add_address(shop.customers[41], shop.customers[42].addresses[72])
    browser.sign_in(MAREN)
    browser.open("/quayside-holdall.html")
    browser.page.fill("#qty", "2")
    browser.click("#product-addtocart-button")
    browser.open("/multishipping/checkout/")
    browser.page.locator("select[name$='[address]']").nth(1).select_option(index=1)
    browser.click("#checkout_multishipping_form button.continue")
    browser.click("#multishipping-shipping-form button.continue")
    browser.page.check("#p_method_checkmo")
    browser.click("#multishipping-billing-form button.continue")
    browser.click("#review-order-form button.continue")
    browser.page.wait_for_url("**/multishipping/checkout/success/")
    numbers = browser.page.locator(".orders-succeed .order-id a").all_inner_texts()
    assert len(numbers) == 2
    browser.check(browser.orders, numbers)
    browser.page.reload()
    browser.check(browser.orders, numbers)
    assert [event.number for event in placed(browser)] == numbers
    stages = [event["stage"] for event in browser.told("checkout")]
    assert stages == ["addresses", "shipping", "billing", "overview"]


def test_an_order_that_another_site_took_the_money_for_is_told_on_the_return_and_what_was_not_paid_is_none(browser):
    browser.add("/quayside-holdall.html")
    for way in ("leave", "pay-declined"):
        browser.open("/checkout/cart/")
        browser.click(".action.paypal-express")
        browser.click(f"a.{way}")
        if way == "pay-declined":
            browser.click("#review-button")
            browser.page.wait_for_url("**/checkout/onepage/failure/")
        browser.check(browser.orders, [])
    assert placed(browser) == []
    browser.check(browser.baskets, [([HOLDALL], 64)])
    browser.open("/paypal/express/start/")
    browser.click("a.pay")
    browser.click("#review-button")
    browser.page.wait_for_url("**/checkout/onepage/success/")
    browser.check(browser.orders, [browser.number()])
    browser.check(lambda: browser.baskets()[1:], [([], 0)])
    browser.page.reload()
    browser.check(browser.orders, [browser.number()])
    assert [event.number for event in placed(browser)] == browser.orders()


def test_a_gateway_that_takes_the_payment_after_the_order_decides_whether_it_is_one(browser):
    browser.add("/quayside-holdall.html")
    address = browser.told("setbasket")[0]["url"]
    links, token = browser.room.tracking.observer._links, address.rpartition("/")[2]
    browser.do(PLACE, "hosted_card")
    browser.open("/hosted/payment/return/?paid=0")
    assert browser.page.url.endswith("/checkout/cart/")
    browser.check(browser.orders, [])
    assert links.find(token), "the link of a cart that the shop gave back opens it"
    browser.do(PLACE, "hosted_card")
    browser.open("/hosted/payment/return/?paid=1")
    browser.check(browser.orders, [browser.number()])
    browser.check(lambda: links.find(token), None)


def test_a_customer_who_orders_by_xmlhttprequest_with_a_bearer_token_is_told_as_any_other(headless):
    headless.open("/quayside-holdall.html")
    headless.check(lambda: [view["type"] for view in headless.told("pageview")], ["product"])
    headless.do(FILL, [MAREN, PASSWORD])
    headless.check(headless.identities, [MAREN])
    headless.check(headless.adds, [("1", 1)])
    headless.check(headless.baskets, [([HOLDALL], 64)])
    number = headless.do(PLACE_ORDER)
    headless.check(headless.orders, [number])
    headless.check(lambda: headless.baskets()[-1], ([], 0))
    # The total of such a cart is what the shop asks for, with the shipping once that is chosen.
    assert set(map(str, headless.baskets()[:-1])) <= {str(([HOLDALL], total)) for total in (64, 69)}
    assert [(event.number, event.guest) for event in placed(headless)] == [(number, False)]
