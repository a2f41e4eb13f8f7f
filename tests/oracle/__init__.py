"""The rules' oracle: clean systems in which they find nothing, and defects of which they find every one."""
