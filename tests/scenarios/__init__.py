"""What the executor has to do, told once: on the fake engine, and on a real one of the lab."""
