"""The model and every way out: what is generated, and the command line."""
