"""The bundled log broker: Kafka's protocol over append-only segments, on one node, in Python alone.

It imports nothing of archc and is copied whole into outputs that use it, so its imports are relative.
"""
