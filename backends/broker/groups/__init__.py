"""Consumer groups: who is in one, who reads which partition, and how far each group has read."""
