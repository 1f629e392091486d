"""Ways to carry the names of pieces to whoever does them."""
