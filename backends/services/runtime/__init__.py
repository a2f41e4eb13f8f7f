"""What every generated service runs on. Copied into each: a service needs nothing of archc to run."""
