"""Kafka's wire protocol: message schemas, their codec, record batches, and the two hot messages."""
