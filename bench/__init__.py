"""What a converge costs beside an empty pyinfra run, Ansible and Compose, measured in one run."""
