"""Settings of coupons: what Ometria may call, with what key, and how gently the shop is asked for codes.

Settings of a pool (rule, format, stock, expiry) stand with the pool: they are made with it on its page.
"""

from __future__ import annotations

from bridge.settings.definition import number, secret, switch

BATCH_MOST = 500
"""Codes in one call to the shop: about a quarter of a second there."""

COUPONS = (
    switch(
        "coupons.signed_api",
        "Signed coupon API",
        "Answer Ometria's signed calls under ometria_api/v1 on the shop's host. Off: the shop answers them itself.",
        default=False,
    ),
    switch(
        "coupons.pull_api",
        "Read-only pull API",
        "Also answer the signed calls by which the old importer reads products, customers, orders and subscribers.",
        default=False,
    ),
    secret(
        "coupons.private_key",
        "API private key",
        "The key that signs Ometria's calls; with the account id it is the pair that Ometria was given. Empty: no call "
        "is accepted.",
    ),
    secret(
        "coupons.private_key_second",
        "Second API private key",
        "Accepted beside the first while the key is changed: put the new one here, tell Ometria, then move it up. "
        "Empty: only the first is accepted.",
    ),
    switch(
        "coupons.legacy_errors",
        "Errors with status 200",
        "Answer a failed call with status 200 and an error in its body, as the old module did. Off: with the status "
        "that the failure has.",
        default=False,
    ),
    number(
        "coupons.batch",
        "Codes in one call",
        "How many codes one call to the shop makes or deletes.",
        default=BATCH_MOST,
        low=1,
        high=BATCH_MOST,
    ),
    number(
        "coupons.request_most",
        "Codes of one request",
        "The most codes that one request of staff or a script may ask for.",
        default=100_000,
        low=1,
        high=1_000_000,
    ),
)
