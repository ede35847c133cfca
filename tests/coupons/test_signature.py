from __future__ import annotations

import pytest

from bridge.coupons.parameters import form_pairs, parsed
from bridge.coupons.signature import AGE_MOST, AHEAD_MOST, Call, ForbiddenError, sign, verify
from tests.coupons import signed_client

# Contract: made and checked with PHP.
VECTOR = b"codes[]=A/1&codes[]=B&page=0&rule_id=12&request_timestamp=1700000000"
VECTOR_SIGNATURE = "186cf0bd58c9b5d208b2c25b0d308f143064eca691dd0ab23d39c9dc993924fb"
NOW = 1_700_000_000
HOST, METHOD = "shop.example.com", "salesrules_insert_coupons"


def call(query: bytes = VECTOR, host: str = HOST, method: str = METHOD) -> Call:
    return Call(host, method, parsed(form_pairs(query)))


def signed(signature: str = VECTOR_SIGNATURE, **changes) -> Call:
    whole = call(**changes)
    return whole._replace(parameters={**whole.parameters, "signature": signature})


def reason(whole: Call, *, keys=("PRIVKEY",), public="PUBKEY", now: float = NOW) -> str:
    with pytest.raises(ForbiddenError) as caught:
        verify(whole, public, keys, now)
    return str(caught.value)


def test_the_vector_of_the_contract():
    assert sign(call(), "PUBKEY", "PRIVKEY") == VECTOR_SIGNATURE
    assert verify(signed(), "PUBKEY", ["PRIVKEY"], NOW).signature == VECTOR_SIGNATURE


def test_the_client_of_the_tests_agrees_with_the_vector_too():
    parameters = {"codes": ["A/1", "B"], "page": "0", "rule_id": "12", "request_timestamp": "1700000000"}
    assert signed_client.signature(HOST, METHOD, parameters, "PUBKEY", "PRIVKEY") == VECTOR_SIGNATURE


@pytest.mark.parametrize("keys", [["NEW", "PRIVKEY"], ["PRIVKEY", "NEW"], ["", "PRIVKEY"]])
def test_either_of_two_keys_opens(keys):
    assert verify(signed(), "PUBKEY", keys, NOW).expires == NOW + AGE_MOST


def test_time_limits_are_exact():
    for now in (NOW + AGE_MOST, NOW - AHEAD_MOST):
        verify(signed(), "PUBKEY", ["PRIVKEY"], now)
    assert reason(signed(), now=NOW + AGE_MOST + 1) == "too old"
    assert reason(signed(), now=NOW - AHEAD_MOST - 1) == "from the future"


@pytest.mark.parametrize(
    "whole",
    [
        signed(host="shop.example.com:8443"),
        signed(host="evil.example.com"),
        signed(method="salesrules_delete_coupons"),
        signed(query=VECTOR + b"&codes[]=C"),
        signed(query=VECTOR.replace(b"12", b"13")),
        signed(query=VECTOR.replace(b"codes[]=A/1&codes[]=B", b"codes=A/1")),
        signed(query=VECTOR.replace(b"1700000000", b"1700000001")),
        signed("0" * 64),
    ],
)
def test_anything_else_signed_is_wrong(whole):
    assert reason(whole) == "wrong signature"


def test_a_wrong_key_or_account_is_wrong_and_none_at_all_is_refused():
    assert reason(signed(), keys=["OTHER"]) == "wrong signature"
    assert reason(signed(), public="OTHER") == "wrong signature"
    assert reason(signed(), keys=["", ""]) == "no private key is set"
    assert reason(signed(), public="") == "the store view has no account id"


@pytest.mark.parametrize(
    "signature",
    ["", VECTOR_SIGNATURE[:-1], VECTOR_SIGNATURE[:32], VECTOR_SIGNATURE.upper(), VECTOR_SIGNATURE + "\n", "é" * 64],
)
def test_a_truncated_or_odd_signature_is_none(signature):
    assert reason(signed(signature)) == "no signature of 64 hexadecimal digits"


def test_a_signature_as_array_is_none():
    whole = signed()
    listed = whole._replace(parameters={**whole.parameters, "signature": {0: VECTOR_SIGNATURE}})
    assert reason(listed) == "no signature of 64 hexadecimal digits"
    assert reason(call()) == "no signature of 64 hexadecimal digits"


@pytest.mark.parametrize("time", [b"", b"&request_timestamp=", b"&request_timestamp=1e9", b"&request_timestamp[]=1700000000",
                                  b"&request_timestamp=-5", b"&request_timestamp=17000000000000", b"&request_timestamp=1700000000.5"])  # fmt: skip
def test_a_time_that_is_no_number_of_seconds_is_none(time):
    assert reason(signed(query=b"rule_id=1" + time)) == "no time in seconds"
