"""The log on the disk: segments of Kafka's own bytes, their indexes, and coming back after a crash."""
