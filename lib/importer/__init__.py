"""Writes runs of a folder into the two tables of a Supabase project; nothing else in the app writes there."""
