from __future__ import annotations

import re
from pathlib import Path

from bridge.mail.markers import FIELDS, TEMPLATES, header_line, line, markers
from bridge.mail.natives import KIND_OF
from tests.mail.letters import CAPTURED, NEEDS_CAPTURES, mail, parse

FROM_MANIFEST = re.compile(r"^\| (marker_\S+\.eml) \|.*?\| `(.*?)` \|", re.MULTILINE)


def found(body, **more):
    return [dict(one.fields) for one in markers(parse(mail(body, **more)))]


def test_a_marker_is_a_comment_of_the_html_cut_or_not_by_the_transfer_encoding():
    long = "kind=order_new store=default order=100000012 " + "x" * 300
    assert found(f"<p>x</p><!-- obx {long} -->") == [{"kind": "order_new", "store": "default", "order": "100000012"}]
    assert found("<p>x</p><!--obx\n  kind=order_new\n  order=1-->") == [{"kind": "order_new", "order": "1"}]


def test_what_somebody_typed_is_no_marker():
    assert found("<p>&lt;!-- obx kind=order_new --&gt;</p>") == []
    assert found("<p>[obx kind=order_new]</p>") == []
    assert found("<!-- obxh kind=order_new --><!-- an obx kind=order_new -->") == []
    assert found("My wish:\n[obx kind=order_new]\nRegards\n", subtype="plain") == []


def test_a_plain_mail_has_its_marker_in_the_last_line():
    assert found("Hello\n\n[obx kind=order_new order=1]\n\n", subtype="plain") == [{"kind": "order_new", "order": "1"}]


def test_of_a_field_that_is_there_twice_the_first_counts():
    assert found("<!-- obx kind=order_new cname=Jane kind=account_new -->")[0]["kind"] == "order_new"


def test_a_variable_that_printed_nothing_or_no_code_is_no_value():
    [one] = markers(parse(mail("<!-- obx kind=order_new store= order=<b>1</b> customer=Élise shipment=3 -->")))
    assert [one.get(name) for name in ("kind", "store", "order", "customer", "shipment")] == [
        "order_new",
        "",
        "",
        "",
        "3",
    ]


def test_there_is_a_line_for_every_kind_and_every_template_of_it():
    assert set(FIELDS) == {template.native for template in TEMPLATES} == set(KIND_OF)
    for native in KIND_OF:
        for text in (line(native), line(native, plain=True)):
            assert f"kind={native} store={{{{var store.code}}}}" in text
        assert line(native)[4:-3].count("--") == 0
    assert (
        "{{var store.code}}{{depend order.increment_id}} order={{var order.increment_id}}{{/depend}}" in header_line()
    )


def test_the_guide_has_every_line_to_copy_and_names_every_template():
    guide = (Path(__file__).resolve().parents[2] / "docs" / "mail.md").read_text(encoding="utf-8")
    for text in (*map(line, KIND_OF), header_line()):
        assert f"```\n{text}\n```" in guide
    for template in TEMPLATES:
        assert f"*{template.name}*" in guide


def test_markers_without_end_or_in_number_cost_little():
    assert found("<!-- obx " * 20_000) == []
    assert len(found("<!-- obx kind=order_new -->" * 500)) == 10


def test_a_marker_is_in_no_text_of_its_own():
    [one] = markers(parse(mail("<!-- obx kind=password_forgot tok=SECRET -->")))
    assert "SECRET" not in repr(one)


class TestCaptured:
    pytestmark = NEEDS_CAPTURES

    def test_every_captured_marker_is_read_as_it_was_received(self):
        manifest = (CAPTURED / "MANIFEST.md").read_text(encoding="utf-8")
        rows = FROM_MANIFEST.findall(manifest)
        assert len(rows) == len(list(CAPTURED.glob("marker_*.eml"))) == 31
        for name, text in rows:
            told = [dict(one.fields) for one in markers(parse((CAPTURED / name).read_bytes()))]
            comments = re.findall(r"<!-- obx (.*?) -->", text)
            assert told == [dict(reversed(re.findall(r"([a-z]{2,})=(\S*)", one))) for one in comments], name
