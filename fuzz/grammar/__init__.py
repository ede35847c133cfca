"""Makers of cases that know how the bytes in question are built, and how they are built wrongly."""
