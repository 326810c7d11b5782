"""What pyinfra loads before it connects to any host."""

from tasks.run.pyinfra.connections import watch_connections

watch_connections()
