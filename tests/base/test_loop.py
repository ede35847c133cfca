"""The bench of the loop: exchanges without sockets come to their end, and the page says what they cost."""

from __future__ import annotations

import uvloop

from bench import loop


class _Tags:
    etag_suffix = b"-b1"
    csp_sources: dict[str, tuple[bytes, ...]] = {}  # noqa: RUF012

    def markup(self, request):
        return b"<script data-bridge></script>"


def test_every_exchange_comes_to_its_end_and_its_time_is_shared_out(monkeypatch):
    monkeypatch.setattr(loop, "ROUNDS", 2)
    monkeypatch.setattr(loop, "EXCHANGES", 5)
    for name, case in loop.cases().items():
        spent, shares = uvloop.run(loop.measure(_Tags(), None, case))
        assert spent > 0, name
        assert abs(sum(shares.values()) - 1) < 1e-6
        assert {"client", "relay"} <= shares.keys()


def test_the_page_says_what_watching_costs():
    figures = {
        "microseconds": {"POST, unobserved": 10.0, "POST, observed": 17.5},
        "shares": {"relay": 0.6, "heads": 0.4},
    }
    page = loop.section(figures)
    assert "| POST, observed | 17.5 |" in page
    assert "costs **7.5 µs**" in page
    assert "relay 60%, heads 40%" in page
