"""Why the GPU cannot be used or its driver not be installed, and what to do."""

from __future__ import annotations

from tasks.words.messages import Message

# The card.
NO_CARD = Message("nvidia.no-card", "there is no NVIDIA card on the PCI bus")
CHECK_CARD = Message(
    "nvidia.check-card",
    'check the card and its power cable, or set gpu = "auto" to use the CPU',
)
TOO_OLD = Message(
    "nvidia.too-old", "{cards}: Ollama needs compute capability {least}, so Maxwell or newer"
)
USE_CPU = Message(
    "nvidia.use-cpu",
    'set gpu = "off" (or "auto") and use the CPU; card and driver are left as they are',
)
OLD_BESIDE = Message(
    "nvidia.old-beside",
    "Ollama cannot use {cards}, older than Maxwell; take it out, or let it be",
)
HELD_BY_OTHER = Message(
    "nvidia.held-by-other",
    "the module {name} holds the card{where}, as it does for virtual machines",
)
GIVE_BACK = Message("nvidia.give-back", "give it back: unbind it from {name}")
HELD_BY_NOUVEAU = Message(
    "nvidia.held-by-nouveau",
    "the open module {name} holds the card{where}, and only NVIDIA's driver runs CUDA",
)
JUST_INSTALLED = Message(
    "nvidia.just-installed", "{cause}; the driver {version} was installed just now"
)
BLACKLIST = Message(
    "nvidia.blacklist",
    "echo 'blacklist {name}' | sudo tee /etc/modprobe.d/blacklist-{name}.conf, "
    "sudo update-initramfs -u, then sudo reboot",
)
OTHER_CARD = Message(
    "nvidia.other-card", "that card is not used; to use it, unbind it from {driver}"
)

# A driver that is there.
REBOOT = Message("nvidia.reboot", "reboot the host: sudo reboot, then run again")
NO_MODULE = Message(
    "nvidia.no-module",
    "{package} {version} is installed, and the running kernel {kernel} "
    "has no module of it (if a reboot does not help: sudo dkms status)",
)
WILL_BE_INSTALLED = Message(
    "nvidia.will-be-installed",
    "{package}, which a converge installs, works after a reboot only",
)
LOCKED_OUT = Message(
    "nvidia.locked-out",
    "the driver {version} is installed and not loaded, and Secure Boot is on: it "
    "refuses a module whose key is not enrolled (sudo modprobe nvidia then says so)",
)
ENROLL_KEY = Message(
    "nvidia.enroll-key",
    "sudo mokutil --import /var/lib/shim-signed/mok/MOK.der (Debian: /var/lib/dkms/mok.pub), "
    "sudo reboot, and choose Enroll MOK in the blue screen",
)
NO_DRIVER = Message("nvidia.no-driver", "there is an NVIDIA card and no driver for it")
INSTALL_DRIVER = Message(
    "nvidia.install-driver",
    'set driver = "install", or sudo ubuntu-drivers install (Debian: sudo apt-get install'
    " nvidia-driver), then sudo reboot",
)
NOT_LOADED = Message("nvidia.not-loaded", "the driver {version} is installed and not loaded")
CAME_LATER = Message("nvidia.came-later", "{cause}; it came after this system had started")
LOAD_DRIVER = Message(
    "nvidia.load-driver",
    "sudo modprobe nvidia, and read sudo dmesg where that fails; after an update: sudo reboot",
)
MISMATCHED = Message(
    "nvidia.mismatched", "the driver was updated and the kernel still runs {loaded}{installed}"
)
ON_DISK = Message("nvidia.on-disk", " (on disk is {version})")
OLDER_VERSION = Message("nvidia.older-version", "an older version")
ONLY_REBOOT = Message("nvidia.only-reboot", "reboot the host: sudo reboot; nothing was recreated")
REBOOT_SOME_TIME = Message("nvidia.reboot-some-time", "sudo reboot, when it suits you")
NO_SMI = Message("nvidia.no-smi", "the driver {version} is loaded and nvidia-smi is missing")
INSTALL_SMI = Message(
    "nvidia.install-smi", "sudo apt-get install nvidia-utils-{branch} (Debian: nvidia-smi)"
)
SILENT = Message(
    "nvidia.silent", "the driver {version} is loaded and nvidia-smi shows no card: {said}"
)
SAID_NOTHING = Message("nvidia.said-nothing", "it ended with {status} and said nothing")
NO_ANSWER = Message("nvidia.no-answer", "it did not answer within 20 s")
READ_KERNEL = Message("nvidia.read-kernel", "read sudo dmesg | grep NVRM; sudo reboot")
OLD_DRIVER = Message(
    "nvidia.old-driver", "the driver is {version}, and driver_minimum is {minimum}"
)
NEWER_DRIVER = Message(
    "nvidia.newer-driver",
    "install a newer one: {install}; or lower driver_minimum, if your image can live with it",
)
OLD_CUDA = Message(
    "nvidia.old-cuda", "the driver {version} brings CUDA {cuda}, and cuda_minimum is {minimum}"
)
NEWER_CUDA = Message(
    "nvidia.newer-cuda",
    "install a newer driver: sudo ubuntu-drivers install, then sudo reboot; "
    "or lower cuda_minimum, if your image can live with it",
)
READ_TABLE = Message("nvidia.read-table", "read the head of nvidia-smi's table")
SMALLER_MODELS = Message(
    "nvidia.smaller-models", "models of 3 billion parameters want {least}: declare smaller ones"
)
END_OTHERS = Message(
    "nvidia.end-others",
    "others leave models less than {least}: end what is not needed (nvidia-smi)",
)
KEEP_AWAKE = Message("nvidia.keep-awake", "sudo systemctl enable --now nvidia-persistenced")

# A driver that is to be installed.
OR_CHECK = Message("nvidia.or-check", '{remedy}; or set driver = "check"')
BEFORE_MAXWELL = Message(
    "nvidia.before-maxwell",
    "the card at {address} (device {device}, before Maxwell) works with drivers up"
    " to 470 only, and a newer one would take it from whoever uses it",
)
TAKE_OUT_OLD = Message(
    "nvidia.take-out-old",
    "take that card out, or install by hand the driver that you want",
)
NO_COMMON_DRIVER = Message(
    "nvidia.no-common-driver",
    "the card at {new} ({new_device}, Blackwell) only runs with the open modules, "
    "and the one at {old} ({old_device}, before Turing) only without them",
)
TAKE_OUT_ONE = Message("nvidia.take-out-one", "take one of them out")
BEFORE_TURING = Message(
    "nvidia.before-turing",
    "the card (device {device}) is older than Turing and its last driver is "
    "{last}, and driver_minimum is {minimum}",
)
LOWER_MINIMUM = Message("nvidia.lower-minimum", "lower driver_minimum to {version}")
IS_BLACKWELL = Message(
    "nvidia.is-blackwell",
    "the card (device {device}) is a Blackwell, whose first driver is "
    "{first}, and driver_minimum is {minimum}",
)
RAISE_MINIMUM = Message("nvidia.raise-minimum", "raise driver_minimum to {version}")
UNKNOWN_CARD = Message(
    "nvidia.unknown-card",
    "nobody here knows whether the driver {minimum} knows the card at"
    " {address} (device {device}), and the driver {present} is there for it",
)
LOOK_UP_CARD = Message(
    "nvidia.look-up-card",
    'look for {device} in "Supported NVIDIA GPU Products" of that'
    " driver's README (nvidia.com/drivers), and install it by hand if it is there",
)
RUN_INSTALLER = Message(
    "nvidia.run-installer",
    "the driver here came from NVIDIA's own .run installer, and packages would break it",
)
UNINSTALL = Message("nvidia.uninstall", "sudo nvidia-uninstall, then run again")
NO_HEADERS = Message(
    "nvidia.no-headers", "apt has neither NVIDIA's modules nor headers for the kernel {kernel}"
)
OTHER_KERNEL = Message(
    "nvidia.other-kernel", "boot a kernel of {system}, or install the driver by hand"
)
UNKNOWN_SYSTEM = Message(
    "nvidia.unknown-system",
    "which packages make a driver is known of Ubuntu and Debian only, not of {system} on"
    " {architecture}",
)
UNKNOWN_ARCHITECTURE = Message("nvidia.unknown-architecture", "an unknown architecture")
BY_HAND = Message("nvidia.by-hand", "install it by hand, then sudo reboot")
NOT_PACKAGED = Message("nvidia.not-packaged", "apt of {system} has no {package}")
ENABLE_RESTRICTED = Message(
    "nvidia.enable-restricted",
    "enable the component restricted (sudo add-apt-repository restricted), sudo apt-get update,"
    " then run again",
)
ENABLE_NON_FREE = Message(
    "nvidia.enable-non-free",
    "add contrib non-free non-free-firmware to the components in /etc/apt, sudo apt-get update,"
    " then run again",
)
OLD_PACKAGE = Message(
    "nvidia.old-package",
    "{package} of {system} is {version}, and driver_minimum is {minimum}",
)
OTHER_REPOSITORY = Message(
    "nvidia.other-repository",
    "sudo apt-get update, if its lists are old; or add NVIDIA's own repository "
    "(docs.nvidia.com/datacenter/tesla/driver-installation-guide); or lower driver_minimum and "
    "cuda_minimum, if your image can live with it",
)
REMOVES_OTHERS = Message(
    "nvidia.removes-others",
    "apt would remove what is no part of the old driver: {packages}",
)
SIMULATE = Message(
    "nvidia.simulate", "see why: sudo apt-get install -s {packages}; nothing was changed"
)
