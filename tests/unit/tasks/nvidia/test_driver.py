"""The plan of a driver's installation, on invented hosts. The versions that Debian offers are those
of its package lists (bookworm-security: 535.309.01, trixie: 550.163.01); Ubuntu's are invented."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tasks.host.observed import Distribution, ObservedHost
from tasks.nvidia.driver import PART, DriverState, driver_state, wants_driver
from tasks.nvidia.observed import Card, Nvidia
from tasks.nvidia.packages import AptPackages, is_of_a_driver, removals
from tasks.nvidia.recipe import recipe_for
from tasks.nvidia.verdict import verdict
from tasks.words.steps import Action
from tests.unit.tasks.nvidia.samples import (
    ADDRESS,
    BARE,
    GOOD,
    MISMATCH,
    held_by,
    stack,
    with_driver,
)

FERMI, KEPLER, LAST_KEPLER, MAXWELL = "0x06c0", "0x1180", "0x12ba", "0x1340"
AFTER_BLACKWELL = "0x3300"
PASCAL, TURING, AMPERE, BLACKWELL = "0x1b80", "0x1e84", "0x2204", "0x2b85"
NEW = "580.95.05-0ubuntu0.24.04.2"


def host(distribution: str = "ubuntu", version: str = "24.04", **more: object) -> ObservedHost:
    pretty = f"{distribution.title()} {version}"
    values = {"architecture": "x86_64", "apt": "/usr/bin/apt-get", "sudo_status": 0, "user": "ann"}
    return ObservedHost(
        uid=1000,
        distribution=Distribution(distribution, version, pretty_name=pretty),
        **{**values, **more},  # type: ignore[arg-type]
    )


def bare(*devices: str, kernel: str = "6.8.0-79-generic") -> Nvidia:
    cards = tuple(Card(ADDRESS, device, "") for device in devices)
    return replace(BARE, cards=cards, kernel=kernel)


def apt(*installed: tuple[str, str], **candidates: str) -> AptPackages:
    """Return what apt knows; "_" stands for "-" in the names of candidates."""
    found = tuple((name.replace("_", "-"), version) for name, version in candidates.items())
    return AptPackages(installed, found, has_lists=True)


OPEN = apt(nvidia_driver_580_open=NEW, linux_modules_nvidia_580_open_generic="6.8.0-79.79+1")
DECLARED = stack(driver="install")


def plan(
    nvidia: Nvidia = BARE,
    on: ObservedHost | None = None,
    known: AptPackages = OPEN,
    **settings: object,
) -> DriverState:
    return driver_state(nvidia, on or host(), known, stack(**{"driver": "install", **settings}))


@pytest.mark.parametrize(
    ("devices", "expected"),
    [
        ((TURING,), "nvidia-driver-580-open"),
        ((AMPERE,), "nvidia-driver-580-open"),
        ((BLACKWELL,), "nvidia-driver-580-open"),
        ((PASCAL,), "nvidia-driver-580"),
        ((TURING, PASCAL), "nvidia-driver-580"),
    ],
)
@pytest.mark.parametrize("version", ["22.04", "24.04", "25.10"])
def test_ubuntu_has_open_modules_for_turing_and_newer(
    devices: tuple[str, ...], expected: str, version: str
) -> None:
    recipe = recipe_for(host(version=version), bare(*devices), "580.95")
    assert recipe is not None and recipe.driver == expected


@pytest.mark.parametrize(
    ("version", "minimum", "kernel", "expected"),
    [
        ("12", "535", "6.1.0-40-amd64", ("nvidia-kernel-dkms", "linux-headers-amd64")),
        ("13", "550", "6.12.48+deb13-amd64", ("nvidia-kernel-dkms", "linux-headers-amd64")),
        ("13", "580.95", "6.12.48+deb13-cloud-amd64",
         ("nvidia-open-kernel-dkms", "linux-headers-cloud-amd64")),
    ],
)  # fmt: skip
def test_debian_builds_its_modules_and_has_cuda_apart(
    version: str, minimum: str, kernel: str, expected: tuple[str, str]
) -> None:
    recipe = recipe_for(host("debian", version), bare(TURING, kernel=kernel), minimum)
    assert recipe is not None
    assert (recipe.more[0], recipe.headers) == expected
    assert {"nvidia-smi", "libcuda1"} <= {*recipe.more}


def test_a_bare_ubuntu_gets_the_driver_with_the_modules_that_ubuntu_signed() -> None:
    state = plan()
    assert state.step is not None and state.step.action is Action.INSTALL_DRIVER
    assert state.packages == ("nvidia-driver-580-open", "linux-modules-nvidia-580-open-generic")
    assert "580.95.05" in state.step.text and "no driver" in state.step.why
    assert "a reboot is due" in state.step.why and state.step.service == PART


def test_the_kernel_of_the_next_release_has_modules_of_its_own() -> None:
    hwe = {"nvidia_driver_580_open": NEW, "linux_modules_nvidia_580_open_generic": "1"}
    known = apt(("linux-image-generic-hwe-24.04", "6.14"), **hwe)
    with_hwe = (*known.candidates, ("linux-modules-nvidia-580-open-generic-hwe-24.04", "2"))
    state = plan(known=replace(known, candidates=with_hwe))
    assert state.packages[1] == "linux-modules-nvidia-580-open-generic-hwe-24.04"
    without = plan(known=replace(known, installed=(), candidates=with_hwe))
    assert without.packages[1] == "linux-modules-nvidia-580-open-generic"


def test_where_ubuntu_signed_no_modules_they_are_built_with_the_headers() -> None:
    known = apt(nvidia_driver_580_open=NEW, linux_headers_generic="6.17.0.5")
    assert plan(known=known).packages == ("nvidia-driver-580-open", "linux-headers-generic")


def test_debian_13_gets_its_own_driver_where_the_minimum_allows_it() -> None:
    known = apt(nvidia_driver="550.163.01-2", linux_headers_amd64="6.12.107-1")
    nvidia = bare(TURING, kernel="6.12.48+deb13-amd64")
    state = plan(nvidia, host("debian", "13"), known, driver_minimum="550")
    assert state.packages[0] == "nvidia-driver" and state.packages[-1] == "linux-headers-amd64"


@pytest.mark.parametrize(
    ("version", "candidate"), [("12", "535.309.01-0+deb12u1"), ("13", "550.163.01-2")]
)
def test_fault_6_a_candidate_below_the_minimum_fails_with_both_versions(
    version: str, candidate: str
) -> None:
    known = apt(nvidia_driver=candidate, linux_headers_amd64="6.1")
    nvidia = bare(TURING, kernel="6.1.0-40-amd64")
    state = plan(nvidia, host("debian", version), known)
    assert state.failure is not None and state.step is None
    assert candidate.partition("-")[0] in state.failure.cause and "580.95" in state.failure.cause
    assert "driver_minimum" in state.failure.remedy


def test_arm64_is_planned_by_what_its_apt_has() -> None:
    assert plan(on=host(architecture="aarch64")).step is not None
    assert plan(on=host(architecture="aarch64"), known=apt()).failure is not None


NVIDIA_INSTALLER = replace(with_driver("570.133.20"), has_installer=True)
FAILURES = {
    "no candidate on Ubuntu": (plan(known=apt()), "nvidia-driver-580-open", "restricted"),
    "no candidate on Debian": (
        plan(on=host("debian", "12"), known=apt()),
        "no nvidia-driver",
        "non-free",
    ),
    "no sudo": (plan(on=host(sudo_status=1, sudo="/usr/bin/sudo")), "sudo", "usermod"),
    "no apt": (plan(on=host("fedora", "42", apt="")), "Fedora 42", "by hand"),
    "another distribution": (plan(on=host("linuxmint", "22")), "Linuxmint 22", "by hand"),
    "another architecture": (plan(on=host(architecture="riscv64")), "riscv64", "by hand"),
    "no headers": (plan(known=apt(nvidia_driver_580_open=NEW)), "6.8.0-79-generic", "boot"),
    "a kernel of one's own": (plan(bare(TURING, kernel="7.1.0")), "7.1.0", "boot a kernel"),
    "a driver past the packages": (plan(NVIDIA_INSTALLER), ".run installer", "nvidia-uninstall"),
    "no driver for both": (plan(bare(BLACKWELL, PASCAL)), "0x1b80, before Turing", "take one"),
    "no driver for Blackwell": (plan(bare(BLACKWELL), driver_minimum="550"), "0x2b85", "570"),
    "no driver for Pascal": (plan(bare(PASCAL), driver_minimum="590"), "0x1b80", "580"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_what_cannot_be_done_fails_before_anything_is_installed(case: str) -> None:
    state, cause, remedy = FAILURES[case]
    assert state.failure is not None and state.step is None and not state.packages
    assert cause in state.failure.cause and remedy in state.failure.remedy


NOTHING = {
    "driver = check": (BARE, {"driver": "check"}),
    "no card": (Nvidia(), {}),
    "gpu = off": (BARE, {"gpu": "off"}),
    "a driver that is new enough": (GOOD, {}),
    "one that is newer": (with_driver("590.44.01"), {}),
    "one that waits for a reboot": (MISMATCH, {}),
    "one that Secure Boot keeps out": (
        replace(BARE, on_disk="580.95.05", has_secure_boot=True), {},
    ),
    "a card that is given to a virtual machine": (held_by("vfio-pci"), {}),
}  # fmt: skip


@pytest.mark.parametrize("case", NOTHING)
def test_nothing_is_installed(case: str) -> None:
    nvidia, settings = NOTHING[case]
    assert plan(nvidia, **settings) == DriverState()


def working(version: str, *devices: str) -> Nvidia:
    """Return a host whose cards work with a driver; nvidia-smi of 470 knows no compute_cap."""
    cards = tuple(Card(ADDRESS, device, "nvidia") for device in devices)
    host = replace(with_driver(version), cards=cards)
    if version.startswith("580"):
        return host
    said = 'Field "compute_cap" is not a valid field to query.'
    return replace(host, gpus=(), status=2, error=said)


@pytest.mark.parametrize("device", [FERMI, KEPLER, LAST_KEPLER])
@pytest.mark.parametrize("driver", ["470.256.02", "390.157", ""])
@pytest.mark.parametrize("gpu", ["auto", "required"])
def test_report_7_no_driver_is_put_over_the_one_that_an_old_card_needs(
    device: str, driver: str, gpu: str
) -> None:
    nvidia = working(driver, device) if driver else bare(device)
    assert plan(nvidia, gpu=gpu) == DriverState()
    judged = verdict(nvidia, stack(driver="install", gpu=gpu))
    told = str(judged.failures or judged.notes)
    assert not judged.usable and not judged.hold
    assert "compute capability 5.0" in told and device in told
    assert "left as they are" in told and 'driver = "install"' not in told
    assert bool(judged.failures) is (gpu == "required")


def test_report_7_beside_a_card_that_ollama_can_use_the_old_one_keeps_its_driver() -> None:
    for nvidia in (working("470.256.02", KEPLER, TURING), bare(TURING, FERMI)):
        state = plan(nvidia)
        assert state.step is None and state.failure is not None
        assert "up to 470 only" in state.failure.cause and "by hand" in state.failure.remedy
        assert 'driver = "check"' in state.failure.remedy


def test_report_7_a_card_that_nobody_knows_keeps_the_driver_that_works() -> None:
    nvidia = working("570.133.20", AFTER_BLACKWELL)
    state = plan(nvidia)
    assert state.step is None and state.failure is not None
    assert AFTER_BLACKWELL in state.failure.cause and "570.133.20" in state.failure.cause
    assert "look for 3300" in state.failure.remedy
    assert plan(bare(AFTER_BLACKWELL)).step is not None, "there is nothing that works yet"


@pytest.mark.parametrize("device", [MAXWELL, PASCAL, TURING, BLACKWELL])
def test_report_7_a_card_that_580_knows_gets_it(device: str) -> None:
    kind = "580" if device in (MAXWELL, PASCAL) else "580_open"
    known = apt(**{
        f"nvidia_driver_{kind}": NEW, f"linux_modules_nvidia_{kind}_generic": "6.8.0-79.79+1",
    })  # fmt: skip
    nvidia = working("470.256.02", device)
    step = plan(nvidia, known=known).step
    assert step is not None and "470.256.02 → 580.95.05" in step.why
    trouble = verdict(nvidia, stack()).notes[0]
    assert "the driver is 470.256.02, and driver_minimum is 580.95" in trouble


@pytest.mark.parametrize("module", ["nouveau", "nova_core"])
def test_fault_5_a_card_in_the_hands_of_an_open_module_gets_the_driver(module: str) -> None:
    assert plan(held_by(module, kernel=BARE.kernel)).step is not None


def test_fault_6_a_driver_that_is_too_old_is_upgraded() -> None:
    step = plan(with_driver("570.133.20")).step
    assert step is not None and "570.133.20 → 580.95.05" in step.why


def test_without_package_lists_the_plan_waits_for_them() -> None:
    state = plan(known=AptPackages())
    assert state.step is not None and state.packages == ("nvidia-driver-580-open",)


def test_before_the_reboot_nothing_is_installed_again() -> None:
    known = replace(OPEN, installed=(("nvidia-driver-580-open", NEW),))
    state = plan(known=known)
    assert state.step is None and "6.8.0-79-generic" in state.reboot
    judged = verdict(BARE, DECLARED, state)
    assert judged.hold and "sudo reboot" in judged.notes[0]
    required = verdict(BARE, stack(driver="install", gpu="required"), state)
    assert [f.what for f in required.failures] == ["the NVIDIA driver needs a reboot"]
    assert wants_driver(replace(BARE, on_disk="580.95.05", is_fresh=True), DECLARED) is False


def test_while_it_is_installed_auto_goes_on_and_required_fails_service_by_service() -> None:
    state = plan()
    auto = verdict(BARE, DECLARED, state)
    assert auto.hold and not auto.failures and "sudo reboot" in auto.notes[0]
    required = verdict(BARE, stack(driver="install", gpu="required"), state)
    assert [f.service for f in required.failures] == ["qwen", "deepseek", "mistral"]
    assert all("reboot" in f.remedy for f in required.failures)


def test_an_installation_that_cannot_be_done_fails_the_run_and_stops_no_service_that_can_do_without(
) -> None:  # fmt: skip
    state = plan(known=apt())
    assert [f.service for f in verdict(BARE, DECLARED, state).failures] == [PART]
    required = verdict(BARE, stack(driver="install", gpu="required"), state)
    assert [f.service for f in required.failures] == [""]


POLICY = """\
##policy
nvidia-driver-580-open:
  Installed: (none)
  Candidate: 580.95.05-0ubuntu0.24.04.2
  Version table:
     580.95.05-0ubuntu0.24.04.2 500
        500 http://archive.example/ubuntu noble-updates/restricted amd64 Packages
linux-image-generic-hwe-24.04:
  Installed: 6.14.0-27.27~24.04.1
  Candidate: 6.14.0-29.29~24.04.1
  Version table:
 *** 6.14.0-27.27~24.04.1 100
        100 /var/lib/dpkg/status
nvidia-driver:
  Installed: (none)
  Candidate: (none)
  Version table:
##lists
lists=yes
"""


def test_apt_is_read_as_it_prints_its_policy() -> None:
    found = AptPackages.from_lines(POLICY.splitlines())
    assert found.candidate("nvidia-driver-580-open") == "580.95.05-0ubuntu0.24.04.2"
    assert found.installed_version("nvidia-driver-580-open") == ""
    assert found.installed_version("linux-image-generic-hwe-24.04") == "6.14.0-27.27~24.04.1"
    assert found.candidate("nvidia-driver") == "" and found.has_lists
    assert AptPackages.from_lines([]) == AptPackages()


@pytest.mark.parametrize(
    ("package", "expected"),
    [
        ("nvidia-driver-570", True),
        ("nvidia-dkms-570-open", True),
        ("libnvidia-compute-570:i386", True),
        ("linux-modules-nvidia-570-open-6.8.0-79-generic", True),
        ("xserver-xorg-video-nvidia-570", True),
        ("nvidia-firmware-570-570.133.20", True),
        ("nvidia-kernel-dkms", True),
        ("nvidia-container-toolkit", False),
        ("nvidia-cuda-toolkit", False),
        ("nvidia-settings", False),
        ("docker.io", False),
        ("linux-image-6.8.0-79-generic", False),
    ],
)
def test_only_parts_of_a_driver_may_go_when_it_is_replaced(package: str, expected: bool) -> None:
    assert is_of_a_driver(package) is expected


def test_removals_are_read_as_apt_simulates_them() -> None:
    said = "Remv nvidia-driver-570 [570.133.20-0ubuntu1]\nInst nvidia-driver-580-open (580 x)\n"
    assert removals(said) == ("nvidia-driver-570",)
