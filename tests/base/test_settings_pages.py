from __future__ import annotations

import pytest

from bridge.errors import Misconfigured
from bridge.settings.pages import page_type_pairs, page_type_rules, path_patterns


def test_rules_keep_their_order_and_come_back_as_they_were():
    rows = page_type_rules("brand-index-*=listing, /thanks/=none\n/shop/*=content")
    assert rows == ["brand-index-*=listing", "/thanks/=none", "/shop/*=content"]
    assert page_type_rules(rows) == rows


def test_a_pattern_stands_with_its_type_and_a_path_without_its_last_slash():
    rows = ["brand-index-*=listing", "/thanks/=none", "/=homepage"]
    assert page_type_pairs(rows) == [("brand-index-*", "listing"), ("/thanks", None), ("/", "homepage")]


@pytest.mark.parametrize("row", ["brand=shop", "brand", "=listing", "br*nd=listing", "/<x>=content", "1x=content"])
def test_what_is_no_rule_is_refused_with_the_row(row):
    with pytest.raises(Misconfigured, match="PATTERN=TYPE"):
        page_type_rules([row])


def test_excluded_paths_come_as_a_list_and_without_their_last_slash():
    assert path_patterns("/blog/, /landing/*\n/") == ["/blog", "/landing/*", "/"]
    assert path_patterns(["/blog", "/landing/*"]) == ["/blog", "/landing/*"]


@pytest.mark.parametrize("row", ["blog", "*", "/a*b", "/<x>", "/a=b", "/" + "x" * 200])
def test_what_is_no_path_is_refused_with_the_row(row):
    with pytest.raises(Misconfigured, match="paths parted by commas"):
        path_patterns([row])
