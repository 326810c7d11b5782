"""What pyinfra loads before it connects to any host."""

from tasks.preflight.connections import watch_connections

watch_connections()
