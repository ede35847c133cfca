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
        ("function add(left, right) { return left + right; }", "function c(a,b){return a+b}"),
        ("const step = 1; count = step + +step - -step;", "const a=1;count=a+ +a- -a;"),
        ("const name = 1; const api = { name, other: name };", "const a=1;const b={name:a,other:a};"),
        ("const one = { read(text) { return text; }, size: 2 };", "const a={read(text){return text},size:2};"),
        ("const [left, right] = pair; right.left;", "const[b,a]=pair;a.left;"),
        ("function one(first) { first(); } function two(second) { second(); }", "function b(a){a()}function c(a){a()}"),
        ("const text = 1; if (text) { text = 2; }", "const a=1;if(a){a=2}"),
        (
            "const text = 1; const rest = { text }; call({ text: rest ? text : 0 });",
            "const a=1;const b={text:a};call({text:b?a:0});",
        ),
        ("const item = 1; page.item = item;", "const a=1;page.item=a;"),
        ("const list = window.list; const { query } = list;", "const a=window.list;const{query:b}=a;"),
    ],
)
def test_a_script_gets_shorter_and_stays_what_it_is(source, short):
    assert shrink(source) == short


def test_names_of_the_page_and_of_properties_are_left_alone():
    source = "const found = document.cookie; window.found2 = found; location.href = found;"
    assert shrink(source) == "const a=document.cookie;window.found2=a;location.href=a;"


def test_a_short_name_is_none_that_stands_in_the_script_already():
    assert shrink("const value = a + b; const c = value;") == "const d=a+b;const c=d;"
