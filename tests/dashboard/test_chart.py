"""The chart is an image without code."""

from __future__ import annotations

import base64
import hashlib
import re
from xml.etree import ElementTree as ET

import pytest

from bridge.dashboard.chart import sent_per_hour
from bridge.dashboard.figures import Sent

HOURS = tuple(1_700_000_000 // 3600 * 3600 + step * 3600.0 for step in range(24))


def sent(number):
    return Sent(HOURS, {kind: [number] * 24 for kind in ("contact", "product", "order")})


@pytest.mark.parametrize("dark", [True, False])
@pytest.mark.parametrize("number", [0, 1, 40_000])
def test_the_image_holds_no_script_and_only_the_style_its_policy_names(number, dark):
    answer = sent_per_hour(sent(number), dark=dark)
    root = ET.fromstring(answer.data)  # noqa: S314 our own bytes
    tags = [element.tag.rpartition("}")[2] for element in root.iter() if isinstance(element.tag, str)]
    assert tags[0] == "svg"
    assert "script" not in tags
    assert not any("style" in element.attrib for element in root.iter())
    styles = [element.text for element in root.iter() if str(element.tag).endswith("}style")]
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in styles]
    policy = answer.headers["Content-Security-Policy"]
    assert re.findall(r"'sha256-([^']+)'", policy) == digests
    assert len(digests) == 1
    assert "unsafe" not in policy
    assert (answer.mimetype, "rect" in tags) == ("image/svg+xml", True)


def test_light_and_dark_differ():
    assert sent_per_hour(sent(3), dark=True).data != sent_per_hour(sent(3), dark=False).data
