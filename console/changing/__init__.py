"""What a verb changes: stack.toml first, then a run of pyinfra."""
