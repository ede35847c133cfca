from __future__ import annotations

import pytest

from bridge.tracking.shrink import shrink


@pytest.mark.parametrize(
    ("source", "short"),
    [
        ("const total = 1; // a word\nlet other = total + 2;", "const a=1;let b=a+2;"),
        ("/* head */ const url = 'a // b'; url.length;", "const a='a // b';a.length;"),
        ("const rule = /[/'\"]\\/x/g; rule.test('y');", "const a=/[/'\"]\\/x/g;a.test('y');"),
        ("const half = size / 2 / 3;", "const a=size/2/3;"),
        ("const sum = (first, ...rest) => first + rest[0];", "const c=(a,...b)=>a+b[0];"),
        ("function add(left, right) { return left + right; }", "function c(a,b){return a+b;}"),
        ("const step = 1; count = step + +step - -step;", "const a=1;count=a+ +a- -a;"),
        ("const name = 1; const api = { name, other: name };", "const name=1;const a={name,other:name};"),
        ("const item = 1; page.item = item;", "const item=1;page.item=item;"),
        ("const list = window.list; const { query } = list;", "const list=window.list;const{query}=list;"),
    ],
)
def test_a_script_gets_shorter_and_stays_what_it_is(source, short):
    assert shrink(source) == short


def test_names_of_the_page_and_of_properties_are_left_alone():
    source = "const found = document.cookie; window.found2 = found; location.href = found;"
    assert shrink(source) == "const a=document.cookie;window.found2=a;location.href=a;"


def test_a_short_name_is_none_that_stands_in_the_script_already():
    assert shrink("const value = a + b; const c = value;") == "const d=a+b;const c=d;"
