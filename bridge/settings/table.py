"""The one table of shop settings: form, default, validation, command line and docs page come from it."""

from __future__ import annotations

from typing import Any

from bridge.errors import Misconfigured
from bridge.settings import kinds
from bridge.settings.alerts import ALERTS
from bridge.settings.consent import CART_LINK, CONSENT
from bridge.settings.coupons import COUPONS
from bridge.settings.definition import Setting
from bridge.settings.definition import choice as _choice
from bridge.settings.definition import number as _number
from bridge.settings.definition import secret as _secret
from bridge.settings.definition import switch as _switch
from bridge.settings.definition import text as _text
from bridge.settings.mail import MAIL
from bridge.settings.pages import PAGES
from bridge.settings.quality import QUALITY

NAMESPACE = r"[A-Za-z0-9_-]*"
COLLECTION = r"[A-Za-z0-9_.-]{1,60}"
"""No colon: ``optin:sms`` and ``double_optin:sms`` start or record a double opt-in at Ometria."""
DEFAULT_VALID_STATUSES = ["complete", "pending", "processing"]
SESSION_MOST = 5000


def _many(value: Any) -> str:
    """Return the guide's warning about long sessions."""
    if value <= SESSION_MOST:
        return ""
    return f"More than {SESSION_MOST} entries in one session: other accounts and live changes wait noticeably longer."


def _collection(key: str, label: str, text: str, default: str) -> Setting:
    return Setting(key, label, text, default, kinds.text(COLLECTION, "1 to 60 letters, digits, _ . or -"), "text")


def _mapping(key: str, label: str, text: str, *forms: str) -> Setting:
    return Setting(key, label, text, [], kinds.mapping(*forms), "mapping", forms)


def _entity(entity: str, noun: str) -> tuple[Setting, ...]:
    return (
        _text(
            f"{entity}.namespace",
            f"{noun.capitalize()} namespace",
            f"Prefix put before the {noun} id. Set it before the first export: a later change doubles the data.",
            NAMESPACE,
            "letters, digits, dash and underscore only",
        ),
        _text(
            f"{entity}.namespace_separator",
            "Namespace separator",
            f"Text between the namespace and the {noun} id; empty joins them directly.",
            r"[:._/-]?",
            "nothing, or one of : . _ / -",
        ),
        _switch(
            f"{entity}.merge",
            "Merge",
            "Fields that a record leaves out keep their value at Ometria.",
            default=True,
        ),
    )


SETTINGS: tuple[Setting, ...] = (
    _switch(
        "general.enabled", "Enable", "Collect data for Ometria. Off: nothing is tracked or exported.", default=True
    ),
    _text(
        "general.account_id",
        "Site identifier (account ID)",
        "Ometria's id of the account, 16 hexadecimal digits; it names the tag script. Empty: pages carry no tag.",
        r"(?:[A-Za-z0-9]{4,40})?",
        "letters and digits only, usually 16 of them",
    ),
    _secret("general.api_key", "API key", "Ometria's key for the data API. Empty: nothing is exported."),
    _choice(
        "general.store_id_kind",
        "Store identifier",
        "What names a store view at Ometria: its code, or the numeric id that the old module sent. Ometria makes its "
        "stores from the first records, and they cannot be renamed there.",
        "code",
        "id",
    ),
    _switch(
        "logging.requests",
        "Enable request logging",
        "Keep the body of each request to Ometria, masked by field, with its line in the request log.",
        default=False,
    ),
    _switch(
        "logging.errors",
        "Enable error logging",
        "Write extra detail about failed exports to the log.",
        default=False,
    ),
    _secret(
        "global.api_key",
        "Global account API key",
        "A second account that receives a copy of everything in this scope. Empty: none.",
    ),
    _switch(
        "global.use_namespaces",
        "Use entity namespaces",
        "Put the namespaces before the ids that the global account receives.",
        default=True,
    ),
    _switch("export.live", "Enable live update data export", "Send changes as they happen.", default=True),
    Setting(
        "export.schedule",
        "Schedule expression for data export",
        "Cron expression of five fields: when waiting records are sent.",
        "* * * * *",
        kinds.cron,
        "cron",
    ),
    Setting(
        "export.max_per_run",
        "Max entries per job session",
        "How many records one session sends. Above 5000 other accounts wait noticeably longer.",
        1000,
        kinds.whole(1, 100_000),
        "number",
        caution=_many,
    ),
    _number(
        "export.requests_per_second",
        "Requests per second",
        "Ometria's limit for the key, shared by all workers.",
        default=4,
        low=1,
        high=100,
    ),
    _number(
        "export.stock_minutes",
        "Minutes between stock sweeps",
        "How often the shop's list of what can be sold is compared: Magento tells of no stock change by itself.",
        default=15,
        low=1,
        high=1440,
    ),
    _number(
        "export.sweep_hours",
        "Hours of a sweep",
        "Within how many hours everything that was sent is compared with the shop once, spread evenly: for prices by "
        "rule, special price dates, category moves, newsletter status and deletions.",
        default=24,
        low=1,
        high=720,
    ),
    _choice(
        "export.drift",
        "Comparison with Ometria",
        "Compare what the shop has, what was sent and what Ometria holds: repair sends what is missing or differs, "
        "report only shows it, off compares nothing by itself.",
        "repair",
        "report",
        "off",
    ),
    _number(
        "export.drift_hours",
        "Hours between comparisons",
        "How often everything is compared. It reads the shop's list of ids and, where the key may, Ometria's lists.",
        default=24,
        low=1,
        high=720,
    ),
    _switch(
        "export.dry_run",
        "Dry run",
        "Map and show everything, send nothing. The records stay in the queue.",
        default=False,
    ),
    *_entity("customers", "customer"),
    _switch(
        "customers.newsletter_tracking",
        "Newsletter subscription status tracking",
        "Send the newsletter status of customers, and subscribers without an account. Off: neither is sent.",
        default=True,
    ),
    _choice(
        "customers.subscription_time",
        "Time of a subscription that was not seen",
        "Magento tells no time, and Ometria takes a new opt-in without one as of now, which may start welcome "
        "campaigns: send the time at which the account was made, or none.",
        "account",
        "none",
    ),
    _collection(
        "customers.collection",
        "Customer collection",
        "Ometria's name for the list of customer accounts. A later change doubles the data.",
        "customers",
    ),
    _collection(
        "customers.subscriber_collection",
        "Subscriber collection",
        "Ometria's name for the list of subscribers without an account; it must differ from that of the customers, "
        "whose numbers are the same.",
        "subscribers",
    ),
    _mapping(
        "customers.mapping",
        "Customer data mapping",
        "More attributes to send: CODE, or CODE=NAME where Ometria's name differs, with :id or :label behind it for "
        "what of an option is sent (label without). They become properties, in this order while all are under 1 kB; "
        "phone_number and timezone are fields. A dot names a part, such as billing_address.company. Ometria must know "
        "each property as a custom field.",
        "id",
        "label",
    ),
    *_entity("products", "product"),
    _choice(
        "products.id_attribute",
        "Product ID mapping",
        "What Magento attribute is the product id at Ometria, in pages and in records alike.",
        "id",
        "sku",
    ),
    _mapping(
        "products.mapping",
        "Product data mapping",
        "More attributes to send: CODE, or CODE=NAME where Ometria's name differs, with :id, :label or :both behind it "
        "for what of an option is sent (both without). They are the record's attributes; :property puts one, as its "
        "label, into the record's properties instead. Ometria must know each name: as a product attribute, or as a "
        "custom field where it is a property.",
        "id",
        "label",
        "both",
        "property",
    ),
    _switch(
        "products.parent_id",
        "Name the parent of a variant",
        "Send the parent's id with each variant, as the old module did.",
        default=True,
    ),
    _text(
        "products.url_format",
        "Custom format for product URL",
        "Address of a product's page, with {product_id} for Magento's id and {url_path} for the path of the page in "
        "the shop. Empty: the shop's own address.",
        r"(?:https?://(?:[^\s{}<>\"]|\{product_id\}|\{url_path\})+)?",
        "nothing, or an address that begins with http:// or https:// and has no placeholders but {product_id} and "
        "{url_path}",
    ),
    Setting(
        "products.url_suffix",
        "Product URL suffix",
        "What ends the addresses of product pages (Catalog > Search Engine Optimization in Magento), for pages that "
        "the shop tells no address of: those of products that are sold out.",
        ".html",
        kinds.text(r"[A-Za-z0-9._/-]{0,20}", "at most 20 letters, digits, . _ / or -"),
        "text",
    ),
    _choice(
        "products.image",
        "Image size in image URL",
        "Normal takes an image of the gallery, thumbnail the one marked as thumbnail.",
        "normal",
        "thumbnail",
    ),
    _number(
        "products.image_number",
        "Image number in image URL",
        "Which image of the gallery; the last one when there are fewer.",
        default=1,
        low=1,
        high=100,
    ),
    *_entity("orders", "order"),
    _choice(
        "orders.currency",
        "Currency type",
        "In what currency the prices of order lines are sent. Totals are always in the order's own currency. Each "
        "currency that is sent must be set up in Ometria's account settings.",
        "local",
        "base",
        "both",
    ),
    Setting(
        "orders.valid_statuses",
        "Valid order statuses",
        "Orders in these statuses count as revenue.",
        DEFAULT_VALID_STATUSES,
        kinds.words,
        "statuses",
    ),
    _choice(
        "orders.bundle_lines",
        "Lines of a bundle",
        "Send a bundle as one line with what it holds in the line's properties, or each product in it as a line where "
        "the price is on the products.",
        "bundle",
        "children",
    ),
    _choice(
        "orders.refunded",
        "Refunded amount of a line",
        "What a line's refunded amount is: what the customer got back for it (less discount, with tax), or its row "
        "total before both.",
        "paid",
        "row",
    ),
    _switch(
        "orders.subtract_cancelled",
        "Leave out cancelled pieces",
        "Where some pieces of an order were cancelled and the rest goes on, totals and lines count the rest. An order "
        "that is cancelled as a whole keeps its figures.",
        default=True,
    ),
    _mapping(
        "orders.mapping",
        "Order data mapping",
        "More attributes to send: CODE, or CODE=NAME where Ometria's name differs. They become properties of the "
        "order; ip_address and web_id are fields. A dot names a part, such as billing_address.company. Ometria must "
        "know each property as a custom field.",
    ),
    *QUALITY,
    _switch("tracking.enabled", "Enable tracking", "Put the tag into storefront pages.", default=True),
    _switch(
        "tracking.checkout",
        "Track the checkout",
        "Load the tag on checkout pages too; the confirmation page is always tracked.",
        default=True,
    ),
    _switch(
        "tracking.identify_guest_checkout",
        "Identify guests at checkout",
        "Identify a guest by the e-mail given during the checkout.",
        default=False,
    ),
    *PAGES,
    CART_LINK,
    *CONSENT,
    *MAIL,
    *COUPONS,
    *ALERTS,
    _switch(
        "privacy.keep_sent",
        "Keep the last record sent",
        "Keep, encrypted, what each account was sent last, to show what would change. Off: only a fingerprint is kept.",
        default=True,
    ),
    _number(
        "privacy.log_days",
        "Days to keep logs",
        "Request and event logs are deleted after so many days.",
        default=30,
        low=1,
        high=365,
    ),
    _number(
        "privacy.identity_days",
        "Days to keep identities",
        "A visitor's e-mail is forgotten after so many days without a visit.",
        default=90,
        low=1,
        high=730,
    ),
)

BY_KEY = {setting.key: setting for setting in SETTINGS}


def setting(key: str) -> Setting:
    """Return the definition, or raise the sentence that tells the keys of the section."""
    found = BY_KEY.get(key)
    if found is None:
        near = [name for name in BY_KEY if name.startswith(key.partition(".")[0] + ".")] or sorted(
            {definition.section for definition in SETTINGS}
        )
        raise Misconfigured(f"There is no setting {key!r}: use one of {', '.join(near)}.")
    return found


def parse(key: str, value: Any) -> Any:
    """Return the typed value of ``key``, or raise one sentence that names the setting and what it takes."""
    definition = setting(key)
    try:
        return definition.parse(value)
    except Misconfigured as error:
        raise Misconfigured(f"{definition.label} ({key}) is not usable: {error.what}") from None


def caution(key: str, value: Any) -> str:
    """Return the sentence about a typed value that is taken and may still be a mistake, or an empty text."""
    told = setting(key).caution
    return told(value) if told else ""
