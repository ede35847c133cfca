"""Coupons for Ometria's dynamic pools."""
