"""What the broker holds: topics, their partitions and configs, and the file that says so."""
