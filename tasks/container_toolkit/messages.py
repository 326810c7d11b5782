"""Why containers cannot be given the GPU, and what to do."""

from __future__ import annotations

from tasks.words.messages import Message

REPOSITORY_FAILED = Message(
    "container_toolkit.repository-failed", "NVIDIA's apt repository cannot be used: {cause}"
)
OR_NO_GPU = Message("container_toolkit.or-no-gpu", '{remedy}, or set gpu = "off"')
NO_APT = Message("container_toolkit.no-apt", "this host has no apt-get")
INSTALL_BY_HAND = Message(
    "container_toolkit.install-by-hand",
    "install it by hand (docs.nvidia.com/datacenter), then run again",
)
NOT_DESCRIBED = Message(
    "container_toolkit.not-described",
    "the toolkit ran, and no description of nvidia.com/gpu is there afterwards",
)
LIST_DEVICES = Message(
    "container_toolkit.list-devices", "read sudo nvidia-ctk cdi list, then run again"
)
COMMAND_FAILED = Message("container_toolkit.command-failed", "{command}: {words}")
TRY_COMMAND = Message("container_toolkit.try-command", "sudo {command}")
NO_DEVICE = Message(
    "container_toolkit.no-device",
    "the GPU is described by CDI, and Docker Engine shows no device nvidia.com/gpu",
)
READ_BOTH = Message(
    "container_toolkit.read-both",
    "read sudo nvidia-ctk cdi list and sudo journalctl -u docker -n 50, then run again",
)
STILL_WITHOUT_CDI = Message(
    "container_toolkit.still-without-cdi", "the engine restarted and has CDI switched off"
)
STILL_WITHOUT_RUNTIME = Message(
    "container_toolkit.still-without-runtime",
    "the engine restarted and does not know the runtime {runtime}",
)
SEE_SETTINGS = Message(
    "container_toolkit.see-settings",
    "see {path} and sudo journalctl -u docker -n 50, then run again",
)
OLD_ENGINE = Message(
    "container_toolkit.old-engine",
    "Docker Engine {version} is too old for it ({since} and newer can)",
)
ATTACH_OR_UPGRADE = Message(
    "container_toolkit.attach-or-upgrade", 'set gpu_attach = "gpus", or upgrade Docker'
)
OTHER_ENGINE = Message(
    "container_toolkit.other-engine",
    "the engine on {socket} is not set up by this project, and has no toolkit",
)
INSTALL_THERE = Message(
    "container_toolkit.install-there",
    'install nvidia-container-toolkit where that engine runs, or set gpu = "off"',
)
OTHER_ENGINE_NO_CDI = Message(
    "container_toolkit.other-engine-no-cdi",
    "the engine on {socket} has CDI off, and is not set up by this project",
)
SWITCH_ON_THERE = Message(
    "container_toolkit.switch-on-there",
    'switch it on there ("features": {{"cdi": true}}), or set gpu_attach = "gpus"',
)
