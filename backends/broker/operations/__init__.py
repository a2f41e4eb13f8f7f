"""Running the broker day by day: what it measures, whether it is well, what it logs, and tools."""
