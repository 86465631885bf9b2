"""What a page shows besides charts."""
