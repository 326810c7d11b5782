"""What is there now: looked at, held against the declaration, and told."""
