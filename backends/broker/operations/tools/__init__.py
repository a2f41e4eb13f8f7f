"""What an operator does by hand: look at topics, groups and files, change them, and check a data folder."""
