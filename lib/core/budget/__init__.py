"""Runs compared at equal budgets: samples, tokens or hours."""
