"""Charts as SVG images: no script in them, and a policy that allows their own style sheet by its hash alone."""

from __future__ import annotations

import base64
import hashlib
import sys
import time
from typing import TYPE_CHECKING, Any

from flask import Response
from pygal import StackedBar
from pygal.style import Style

from bridge.dashboard.figures import NOUNS
from bridge.dashboard.language import gettext as _

if TYPE_CHECKING:
    from bridge.dashboard.figures import Sent

# pygal hooks an old-style finder for its map plug-ins into every import of the process, which warns at each import that
# fails; no maps are drawn here.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "pygal"]

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
COLOURS = ("#0f766e", "#d97706", "#4f6bed")


def sent_per_hour(sent: Sent, *, dark: bool) -> Response:
    """Return the bars of the last 24 hours, one colour a kind; hours are UTC."""
    chart = StackedBar(
        js=[],
        no_prefix=True,
        disable_xml_declaration=True,
        width=760,
        height=285,
        margin=6,
        spacing=8,
        style=_style(dark=dark),
        show_legend=False,
        truncate_label=-1,
        show_minor_x_labels=False,
        include_x_axis=True,
        range=None if sent.total else (0, 10),
        min_scale=2,
        max_scale=5,
        value_formatter=lambda value: f"{value:,.0f}",
        print_zeroes=False,
    )
    labels = [time.strftime("%H:00", time.gmtime(hour)) for hour in sent.hours]
    chart.x_labels = labels
    chart.x_labels_major = labels[2::3]
    for kind, counts in sent.counts.items():
        chart.add(_(NOUNS[kind]), counts)
    return _image(chart)


def _style(*, dark: bool) -> Style:
    text, line = ("#9aa7b3", "#2e3944") if dark else ("#5d6873", "#dfe3e8")
    return Style(
        background="transparent",
        plot_background="transparent",
        foreground=text,
        foreground_strong=text,
        foreground_subtle=line,
        guide_stroke_color=line,
        major_guide_stroke_color=line,
        guide_stroke_dasharray="0",
        major_guide_stroke_dasharray="0",
        opacity="1",
        transition="0s",
        font_family=FONT,
        label_font_size=11,
        major_label_font_size=11,
        colors=COLOURS,
    )


def _image(chart: Any) -> Response:
    styles: list[str] = []
    chart.add_xml_filter(lambda root: _without_code(root, styles))
    svg = chart.render()
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii") for text in styles]
    sources = " ".join(f"'sha256-{digest}'" for digest in digests)
    policy = f"default-src 'none'; style-src {sources}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    return Response(svg, mimetype="image/svg+xml", headers={"Content-Security-Policy": policy})


def _without_code(root: Any, styles: list[str]) -> Any:
    """Take scripts and inline styles out of the tree, and note the text of its style sheets."""
    for parent in root.iter():
        for child in list(parent):
            if str(child.tag).rpartition("}")[2] in {"script", "desc"}:
                parent.remove(child)
        parent.attrib.pop("style", None)
        if str(parent.tag).rpartition("}")[2] == "style":
            styles.append(parent.text or "")
    return root
