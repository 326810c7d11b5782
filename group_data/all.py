"""The declared stack: every setting, its default and what it means.

What this installation changes belongs in stack.toml, not here (see README, "Settings").
"""

# --- the three servers --------------------------------------------------------------------------

# Image of every server, as repository:tag.
image = "ollama/ollama:0.24.0"
# One table for each service; the key is its name. Container and volume are container_prefix + name.
models = {
    "qwen": {
        # Fills in the middle, and is small enough to stay beside the agents' model on 8 GB.
        "model": "qwen2.5-coder:1.5b",
        # What agents use, since it calls tools; "" for none: they use `model` then.
        "agent": "qwen3:4b",
        "role": "code completion",
        "port": 11434,
        "context": 32768,
    },
    "deepseek": {
        "model": "deepseek-r1:8b",
        "role": "technical reasoning",
        "port": 11435,
        "context": 8192,
    },
    "mistral": {
        "model": "mistral:7b",
        "role": "documentation and architecture",
        "port": 11436,
        "context": 16384,
    },
}
# Groups and hosts change single keys of the services here: {"qwen": {"model": "…"}}.
models_override = {}

# --- defaults of every service; a service's own table wins --------------------------------------

# Address on which the port is published.
bind = "127.0.0.1"
# true allows a bind address that other machines can reach (Docker's ports pass ufw by).
allow_public = False
# How long an idle model stays loaded: "10m", "1h", "0" (unload at once) or "-1" (for ever).
keep_alive = "5m"
# Requests that one model answers at the same time; each needs a context of its own.
parallel = 1
# Type of the KV cache: f16, q8_0 (half the memory) or q4_0 (a quarter).
kv_cache_type = "q8_0"
# Flash attention; q8_0 and q4_0 need it.
flash_attention = True
# Memory limit of a container, like "12g"; "" for none.
memory = ""
# CPU limit of a container in cores, like 4 or 1.5; 0 for none.
cpus = 0

# --- clients: editors and programs on the host ---------------------------------------------------

# Clients whose files are kept in order: "auto" (all that are found), or names; [] for none.
clients = ["auto"]
# Users of the host whose clients they are; [] for the one who runs this (also by sudo).
client_users = []
# Name of the host as clients on another machine reach it; "" for clients on the host itself.
client_host = ""
# true: a client's default model and agents are set too, where a person has not set them.
client_defaults = True
# true: Kilo Code is also configured in /etc/kilo, which is stronger, for all users of the host.
kilo_managed = False
# What each role asks of its models, and the agents of Kilo Code that it serves (docs/clients.md).
roles = {
    "code completion": {
        "needs": ["insert"],
        "agents": ["code"],
        "agent_needs": ["tools"],
        "agent_context": 32768,
    },
    "technical reasoning": {"needs": ["thinking"], "agents": ["debug"]},
    "documentation and architecture": {
        "needs": ["tools"],
        "agents": ["ask", "plan", "architect"],
        "agent_needs": ["tools"],
        "agent_context": 16384,
    },
}

# --- the host -----------------------------------------------------------------------------------

# auto: use the GPU where there is one; required: fail without it; off: CPU only.
gpu = "auto"
# true: a model that is too big for the card may run partly on the CPU, many times slower.
gpu_partial = False
# Memory of the card, in GB, that is left to the desktop and others.
vram_reserve_gb = 0.5
# Memory, in GB, that models may use of the card; 0 for all of it but vram_reserve_gb.
vram_budget_gb = 0
# check: only look at the NVIDIA driver; install: install the distribution's, and tell to reboot.
driver = "check"
# Oldest NVIDIA driver that is accepted; its branch (580) is the one to install.
driver_minimum = "580.95"
# Oldest CUDA version, as nvidia-smi reports it, that is accepted.
cuda_minimum = "13.0"
# Where Docker Engine comes from: docker (Docker's apt repository), distro, or auto.
docker_source = "auto"
# Version of Docker Engine to install, like "29.0" (then 29.0.1 is one); "" for the newest.
docker_version = ""
# Add the user who runs this with sudo to the group docker (its members can become root).
docker_group = True
# How containers are given the GPU: gpus (--gpus all), cdi, or auto (cdi where only that is there).
gpu_attach = "auto"
# Version of the NVIDIA Container Toolkit to install, like "1.17.8"; "" for the newest.
toolkit_version = ""
# A mirror of download.docker.com/linux/<distribution> (key at URL/gpg); "" for Docker's own.
docker_apt_url = ""
# Fingerprint of the one key that Docker's apt repository, or the mirror of it, is signed with.
docker_apt_key = "9DC858229FC7DD38854AE2D88D81803C0EBFCD88"
# A mirror of nvidia.github.io/libnvidia-container (key at URL/gpgkey); "" for NVIDIA's own.
toolkit_apt_url = ""
# Fingerprint of the one key that NVIDIA's apt repository, or the mirror of it, is signed with.
toolkit_apt_key = "C95B321B61E88C1809C4F759DDCAE044F796ECB0"
# Socket of the Docker Engine; another one than the default is used as it is, never installed.
docker_socket = "/var/run/docker.sock"
# true: containers go on while Docker restarts ("live-restore" in daemon.json); false: left alone.
live_restore = False
# Free disk space, in GB, that must remain after everything is pulled.
disk_reserve_gb = 5

# --- names, files and registries ----------------------------------------------------------------

# Prefix of containers and volumes; it also names the stack: two prefixes are two stacks.
container_prefix = "ollama-"
# The inventory of what is really there (SQLite), on the machine that runs pyinfra.
database = ".models.db"
# The digests that were proven, on the machine that runs pyinfra.
lock = "stack.lock"
# Log of what was changed and why (5 MB at most), beside the database; "" for none.
log_file = ".ollama-stack.log"
# Keep the proven image and models before the present ones on the disk, for a rollback.
keep_previous = True
# Ask the registries in each converge whether a proven tag moved; it is told, never taken.
check_upgrades = True
# Registry to pull the image from in place of Docker Hub, as host:port; "" for none.
image_mirror = ""
# true: the image mirror speaks plain HTTP (loopback mirrors may always).
image_mirror_insecure = False
# Registry to pull models from in place of registry.ollama.ai, as host:port; "" for none.
model_registry = ""
# true: the model registry speaks plain HTTP.
model_registry_insecure = False
# Proxy for plain HTTP: of the host's downloads and, inside the containers, of model pulls.
http_proxy = ""
# Proxy for HTTPS, for the same.
https_proxy = ""
# Hosts that are reached without the proxy, separated by commas.
no_proxy = ""
# File on the host with a private CA certificate (PEM) that the containers trust as well.
ca_certificate = ""

# --- limits -------------------------------------------------------------------------------------

# Seconds that a new container has until it answers.
start_timeout = 60
# Seconds that a generation may take, loading the model included.
generate_timeout = 300
# Seconds without a new byte after which a pull counts as stalled.
pull_stall = 60
# How often a stalled or broken pull is taken up again.
pull_retries = 3
# Size at which a container's log is rotated.
log_max_size = "10m"
# How many files of a container's log are kept.
log_max_files = 3

# --- the console --------------------------------------------------------------------------------

# Seconds between two looks of the terminal app and of `status --watch`.
refresh_seconds = 2
