"""Values and names as people read them."""
