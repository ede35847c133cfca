"""A guest who orders by plain HTTP through the proxy: quick, and able to lose a connection at any moment."""

from __future__ import annotations

import json
import re

import requests

ADDRESS = {
    "countryId": "GB",
    "region": "",
    "street": ["1 Quay Street"],
    "telephone": "01170000000",
    "postcode": "BS1 4AA",
    "city": "Bristol",
    "firstname": "Greta",
    "lastname": "Shopper",
}


class Guest:
    """One visitor with cookies of their own. Every call may raise ``requests.RequestException``."""

    def __init__(self, shop: str) -> None:
        self.shop = shop
        self.session = requests.Session()
        self.session.trust_env = False

    def add(self, product: int, path: str) -> None:
        """Put a simple product in the cart."""
        page = self._get(path)
        key = re.search(r'name="form_key" type="hidden" value="([^"]*)"', page.text).group(1) or "bridgetestform00"
        self.session.cookies.set("form_key", key)
        self._post(
            f"/checkout/cart/add/uenc/x/product/{product}/",
            data={"product": str(product), "qty": "1", "form_key": key, "item": str(product)},
            headers={"X-Requested-With": "XMLHttpRequest"},
        )

    def order(self, email: str) -> None:
        """Go through the checkout; the answer of the last call may be lost although the shop has the order."""
        page = self._get("/checkout/")
        config = json.loads(re.search(r"window\.checkoutConfig = (\{.*?\});</script>", page.text, re.DOTALL).group(1))
        base = f"/rest/default/V1/guest-carts/{config['quoteData']['entity_id']}"
        given = {"shipping_address": ADDRESS, "billing_address": ADDRESS}
        given |= {"shipping_method_code": "flatrate", "shipping_carrier_code": "flatrate"}
        self._post(f"{base}/shipping-information", json={"addressInformation": given})
        self._post(
            f"{base}/payment-information",
            json={"email": email, "paymentMethod": {"method": "checkmo"}, "billingAddress": ADDRESS},
        )

    def close(self) -> None:
        """Leave."""
        self.session.close()

    def _get(self, path: str) -> requests.Response:
        answer = self.session.get(self.shop + path, timeout=20)
        answer.raise_for_status()
        return answer

    def _post(self, path: str, **rest) -> requests.Response:
        answer = self.session.post(self.shop + path, timeout=20, **rest)
        answer.raise_for_status()
        return answer
