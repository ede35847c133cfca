"""Readers that share no code with bridge: its oracles."""
