"""Text to tree: the syntax of `.arch` files, their faults and their one style."""
