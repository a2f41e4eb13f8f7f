"""Envoy, the default engine of gateways."""
