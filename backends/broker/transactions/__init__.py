"""Transactions: records of many partitions and offsets of groups that are seen together or never."""
