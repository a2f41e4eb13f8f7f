"""The APIs: one module for each group of them, a handler for each API."""
