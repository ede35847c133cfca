"""Benchmarks: `make bench`. Figures are ratios of targets measured in turn in one run; nothing here is a test."""
