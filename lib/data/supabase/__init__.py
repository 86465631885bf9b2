"""Runs in a Supabase project."""
