"""Which of Ometria's page types a page is, by the classes of its ``<body>``.

Magento puts the full action name of every page there, whatever the theme. The table goes to the tag as data, because
the page's type is read in the browser; :func:`page_type` is the same reading in Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

PAGE_TYPES: tuple[tuple[str, str | None], ...] = (
    ("checkout-onepage-success", "confirmation"),
    ("multishipping-checkout-success", "confirmation"),
    ("multishipping-checkout-results", "confirmation"),
    ("checkout-onepage-failure", None),
    ("cms-noroute-index", None),
    ("cms-index-defaultnoroute", None),
    ("cms-index-index", "homepage"),
    ("cms-index-defaultindex", "homepage"),
    ("catalog-category-view", "listing"),
    ("catalogsearch-result-index", "listing"),
    ("catalogsearch-advanced-result", "listing"),
    ("catalog-product-view", "product"),
    ("checkout-cart-configure", "product"),
    ("checkout-cart-index", "basket"),
    ("checkout-index-index", "checkout"),
    ("hyva_checkout-index-index", "checkout"),
    ("onestepcheckout-index-index", "checkout"),
    ("firecheckout-index-index", "checkout"),
    ("multishipping-checkout-*", "checkout"),
    ("paypal-express-review", "checkout"),
    ("paypal-payflowexpress-review", "checkout"),
    ("cms-page-view", "content"),
)
"""Body class, or the beginning of one before ``*``, and Ometria's page type; the first line that fits decides.

None is a page without a type of its own, as is every page that no line names: account, contact, log-in and the like.
"""

META_TYPES: tuple[tuple[str, str | None], ...] = (("og:product", "product"),)
"""What ``og:type`` says, less an ``og:`` of its own, where no class says anything; paths come after it.

Magento's default templates have it on product pages (``product``, or ``og:product`` before).
"""

PATH_TYPES: tuple[tuple[str, str | None], ...] = (
    ("/", "homepage"),
    ("/checkout/cart", "basket"),
    ("/checkout/onepage/success", "confirmation"),
    ("/multishipping/checkout/success", "confirmation"),
    ("/checkout", "checkout"),
    ("/catalogsearch/result", "listing"),
    ("/cart", "basket"),
    ("/search.html", "listing"),
    ("/order-confirmation", "confirmation"),
)
"""Path below the store view's base URL, without a slash at its end, where no class says anything; of found pages only.

The last three are those of front ends that ask by GraphQL.
"""


def page_type(body_classes: str | Iterable[str]) -> str | None:
    """Return Ometria's page type for the value of a body's class attribute, or for its classes."""
    classes = body_classes.split() if isinstance(body_classes, str) else list(body_classes)
    for pattern, found in PAGE_TYPES:
        if any(fits(pattern, name) for name in classes):
            return found
    return None


def is_below(base: str, path: bytes, patterns: Iterable[str]) -> bool:
    """Return whether a path, less the store view's base path, fits one of the patterns: as the tag itself reads it."""
    full = path.decode("latin-1")
    rest = full.removeprefix(base) if full.startswith(base) else full[1:]
    return any(fits(pattern, f"/{rest.rstrip('/')}") for pattern in patterns)


def fits(pattern: str, name: str) -> bool:
    """Return whether a name is the pattern, or begins with what stands before its ``*``."""
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
