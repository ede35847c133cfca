"""The bench of the loop: exchanges without sockets come to their end, and the page says what they cost."""

from __future__ import annotations

import uvloop

from bench import goals, limit, loop


class _Tags:
    etag_suffix = b"-b1"
    csp_sources: dict[str, tuple[bytes, ...]] = {}  # noqa: RUF012

    def markup(self, request):
        return b"<script data-bridge></script>"


class _Observer:
    def wants(self, request):
        return None

    def seen(self, route, exchange):
        raise AssertionError("nothing was wanted")


def test_every_exchange_comes_to_its_end_and_its_time_is_shared_out(monkeypatch, tmp_path):
    monkeypatch.setattr(loop, "ROUNDS", 2)
    monkeypatch.setattr(loop, "TURNS", 2)
    spent, shares, line = uvloop.run(loop.measure(_Tags(), _Observer(), tmp_path, loop.cases()))
    assert spent.keys() == loop.cases().keys()
    assert min(*spent.values(), line) > 0
    for named in shares.values():
        assert abs(sum(named.values()) - 1) < 1e-6
    assert {"client", "relay"} <= shares["page"].keys()
    lines = (tmp_path / "access.log").read_text().splitlines()
    rounds = len(spent) * 3 + 3
    assert len(lines) == rounds * 2 * loop.AT_ONCE, (
        "each exchange has its line, those of warm-up and of the three profiles too"
    )


def test_the_page_says_what_watching_costs():
    figures = {
        "microseconds": {"POST, unobserved": 10.0, "POST, observed": 17.5},
        "line": 3.5,
        "shares": {"page": {"relay": 0.6, "heads": 0.4}, "watching": {"exchange.add": 0.7, "observing.submit": 0.3}},
    }
    page = loop.section(figures)
    assert "| POST, observed | 17.5 |" in page
    assert "costs **7.5 µs**, within the bound" in page
    assert "costs **3.5 µs**" in page
    assert "relay 60%, heads 40%" in page
    assert "exchange.add 70%, observing.submit 30%" in page
    figures["microseconds"]["POST, observed"] = 27.5
    assert "costs **17.5 µs**, more than the bound" in loop.section(figures)


def test_a_profile_is_put_together_by_whose_code_ran():
    report = """# Overhead  Shared Object
    60.00%  [kernel.kallsyms]
    20.00%  libpython3.11.so.1.0
     4.00%  [vdso]
     6.00%  loop.cpython-311-x86_64-linux-gnu.so
    10.00%  libc.so.6
"""
    assert limit.shares(report) == {"kernel": 0.64, "interpreter": 0.2, "uvloop": 0.06, "libraries": 0.1}


def test_the_profile_says_what_a_goal_leaves_for_python():
    def row(target, cpu, python):
        parts = {"kernel": cpu - python, "interpreter": python, "uvloop": 0.0, "libraries": 0.0}
        return {"path": "/x", "target": target, "goal": 0.5, "cpu": cpu, "parts": parts}

    page = limit.section([row("bridge", 100.0, 60.0), row("bare", 30.0, 2.0), row("nginx", 35.0, 5.0)])
    assert "allows 70 µs" in page
    assert "so 30 µs would be left for Python, which takes 60 µs" in page.replace("\n", " ")


def test_goals_are_read_from_the_larger_bench():
    field = """### html60: /page60.html c=16
| target | rps | x rps | CPU ms/req | eff | x eff | errors |
| --- | ---: | ---: | ---: | ---: | ---: | --- |
| nginx-sub | 1 | 1.00 | 0.065 | 1000 | 1.00 |  |
| bridge | 1 | 1.00 | 0.130 | 500 | 0.50 |  |
| spike | 1 | 1.00 | 0.080 | 790 | 0.79 |  |

### latency html60 at 200 rps (open loop), 3 rounds of 3 s, median of rounds, ms
| target | p50 | p99 | added p50 | added p99 |
| --- | ---: | ---: | ---: | ---: |
| nginx-sub | 0.54 | 8.24 | 0.15 | -1.91 |
| bridge | 0.88 | 21.79 | 0.48 | 4.26 |

### 64 slow clients on the 50 MB file: memory (PSS, MB)
| target | before | peak |
| --- | ---: | ---: |
| bridge | 167 | 178 |

### store takes 200 ms, 128 connections (limit 640 rps)
| target | rps | errors |
| --- | ---: | --- |
| direct | 500 |  |
| bridge | 480 |  |
"""
    captured = {"page": "/category.html", "coding": "identity", "bridge": {"cpu": 0.1}, "nginx": {"cpu": 0.15}}
    page = goals.section({"rows": [captured]}, field)
    assert "| 60 kB page, identity, of `nginx-sub` | >= 0.8 | 0.5 | 0.79 |" in page
    assert "| captured category page of nginx | >= 0.8 | 1.5 | - |" in page
    assert "median, ms | <= 0.4 | 0.48 | - |" in page
    assert "times that of `nginx-sub` | <= 1.5 | 3.2 | - |" in page
    assert "MB more | <= 64 | 11 | - |" in page
    assert "of direct | >= 0.95 | 0.96 | - |" in page
    assert "mitmproxy" not in page, "it was not measured"
