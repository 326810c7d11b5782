"""Docker's and NVIDIA's apt repositories on a fresh host (to be seen: 3).

The host is Debian and dressed by its os-release as Ubuntu 25.10, then as 24.04. Signed local
repositories stand in for Docker's and NVIDIA's (lab/apt.py): names and rules of the packages are
theirs, the engine inside is Debian's. docker.io comes from Debian. What is real: ssh, sudo, apt
with its signatures, dpkg with its locks, systemd, and everything of this project.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lab import apt, debs, state
from lab.state import Host, LabState
from tests.stack.conftest import Maker
from tests.stack.installation import OWN_SOCKET, PYINFRA, WITHOUT_TERMINAL, Installation, Output
from tests.stack.lab_command import lab_command
from tests.stack.one_host import on_host, run, write_inventory

NAME = "ap1"
VERSIONS = {"questing": "25.10", "noble": "24.04"}
OS_RELEASE = (
    'ID=ubuntu\nVERSION_ID="{version}"\nVERSION_CODENAME={suite}\nPRETTY_NAME="Ubuntu {version}"\n'
)
ONE_SERVICE = ("-y", "--data", "only=qwen")
# What takes packages of Docker and all that apt was told of it away; images and models stay.
UNDRESS = r"""
docker rm -f $(docker ps -aq) >/dev/null
there=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' docker.io docker-ce docker-ce-cli \
  containerd containerd.io runc 2>/dev/null | awk '/^ii/ { print $2 }')
dpkg --remove $there >/dev/null
rm -rf /etc/docker /etc/apt/keyrings/docker.asc /etc/apt/sources.list.d/docker.sources
"""
HOLD = """
import fcntl, sys
lock = open("/var/lib/dpkg/lock-frontend", "a")
fcntl.lockf(lock, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def server(lab: LabState) -> Iterator[str]:
    """The repositories, served where the host reaches them."""
    with apt.serve(lab.addresses.gateway) as url:
        yield url


@pytest.fixture(scope="module")
def host(lab: LabState) -> Iterator[Host]:
    """A fresh host without Docker, whose apt asks no proxy for the lab."""
    lab_command("host", "up", NAME)
    found = state.load().host(NAME)
    assert found is not None
    direct = f'Acquire::http::Proxy::{lab.addresses.gateway} "DIRECT";'
    on_host(found, "sh", "-ec", f"echo '{direct}' >/etc/apt/apt.conf.d/91direct")
    # The first run would install these before anything of it can fail.
    install = "apt-get -q update && apt-get -y -q --no-install-recommends install "
    on_host(found, "sh", "-ec", f"{install} curl ca-certificates")
    dress(found, "questing")
    yield found
    lab_command("host", "down", NAME)


@pytest.fixture(scope="module")
def installation(make: Maker, lab: LabState, server: str) -> Installation:
    """The declaration for the host: the repositories' keys, the lab's registries."""
    return make(
        docker_socket=OWN_SOCKET,
        settings={
            "docker_apt_key": apt.fingerprint("own"),
            "toolkit_apt_key": apt.fingerprint("own"),
            "image_mirror": f"{lab.addresses.gateway}:{lab.ports.images}",
            "image_mirror_insecure": True,
        },
    )


def dress(host: Host, suite: str) -> None:
    """Let the host say that it is an Ubuntu."""
    text = OS_RELEASE.format(version=VERSIONS[suite], suite=suite)
    command = ["docker", "exec", "-i", host.container, "sh", "-ec", "rm -f $0; cat >$0"]
    subprocess.run([*command, "/etc/os-release"], input=text, text=True, check=True)


def packages(host: Host) -> dict[str, str]:
    """Return the versions of all packages that are installed."""
    rows = on_host(host, "dpkg-query", "-W", "-f=${db:Status-Abbrev} ${Package} ${Version}\\n")
    return {row.split()[1]: row.split()[2] for row in rows.splitlines() if row.startswith("ii")}


def apt_files(host: Host) -> str:
    """Return what apt was told: its files with their digests."""
    return on_host(host, "sh", "-c", "find /etc/apt -type f -exec sha256sum {} + | sort -k 2")


def running(host: Host) -> list[tuple[str, str, str]]:
    """Return name, id and start of the containers that run on the host."""
    listed = on_host(host, "sh", "-c", "docker inspect $(docker ps -q)")
    return sorted((c["Name"], c["Id"], c["State"]["StartedAt"]) for c in json.loads(listed))


def last(output: Output, host: Host) -> str:
    """Return the last lines, where a failed run names each cause and remedy."""
    _, found, words = output.text.rpartition(f" on {host.name}:\n")
    return words if found else ""


@contextmanager
def dpkg_lock(host: Host) -> Iterator[subprocess.Popen[str]]:
    """Hold dpkg's lock on the host, as another installation does, until its input is closed."""
    command = ["docker", "exec", "-i", host.container, "python3", "-c", HOLD]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        yield holder


@pytest.mark.parametrize(
    ("repository", "cause"),
    [
        ("docker-no-suite", "has nothing for this release"),
        ("docker-empty", "has no installation candidate"),
        ("docker-gone", "lacks what it lists"),
        ("docker-other-key", "has the fingerprint {other}, expected is {own}: do not trust it"),
        ("docker-forged", "is not signed as it should be"),
    ],
)
def test_fault_22_a_repository_that_cannot_be_used_changes_nothing(
    installation: Installation, host: Host, server: str, repository: str, cause: str
) -> None:
    before = packages(host), apt_files(host)
    installation.write(docker_source="docker", docker_apt_url=f"{server}/{repository}")
    output = run(installation, host, *ONE_SERVICE)
    assert output.status == 1
    failures = last(output, host)
    keys = {key: apt.fingerprint(key) for key in apt.KEYS}
    assert "Docker's apt repository cannot be used" in failures
    assert cause.format(**keys) in failures
    assert (packages(host), apt_files(host)) == before


def test_fault_24_a_package_of_others_is_not_removed_for_docker_ce(
    installation: Installation, host: Host, server: str
) -> None:
    on_host(host, "apt-get", "-y", "-q", "--no-install-recommends", "install", "runc")
    before = packages(host), apt_files(host)
    installation.write(docker_source="docker", docker_apt_url=f"{server}/docker")
    output = run(installation, host, *ONE_SERVICE)
    assert output.status == 1
    assert "would have to remove packages that are there: runc" in last(output, host)
    assert (packages(host), apt_files(host)) == before


def test_fault_22_and_23_auto_waits_for_the_lock_and_takes_the_distributions_docker(
    installation: Installation, host: Host, server: str
) -> None:
    before, told = packages(host), apt_files(host)
    installation.write(docker_source="auto", docker_apt_url=f"{server}/docker-no-suite")
    inventory = write_inventory(installation, host)
    command = [str(PYINFRA), str(inventory), "deploys/stack.py", *ONE_SERVICE]
    with (
        dpkg_lock(host) as holder,
        subprocess.Popen(command, env=installation.environment, **WITHOUT_TERMINAL) as process,
    ):
        assert process.stdout is not None and holder.stdin is not None
        waited = next(line for line in process.stdout if "waiting up to" in line)
        assert packages(host) == before
        holder.stdin.close()
        output = Output(process.wait(300), process.stdout.read())
    assert "(python3 -c" in waited and "holds /var/lib/dpkg/lock-frontend" in waited
    assert output.status == 0, output.text
    assert "docker.io of Ubuntu 25.10 is installed in its place" in output.text
    assert before.items() <= packages(host).items()
    assert "docker.io" in packages(host) and apt_files(host) == told
    assert installation.rows()[f"{host.name}/qwen"]["status"] == "active"


def test_fault_24_a_docker_that_is_there_and_containers_of_others_are_left_as_they_are(
    installation: Installation, host: Host, server: str
) -> None:
    image = on_host(host, "docker", "images", "-q").split()[0]
    on_host(host, "docker", "run", "-d", "--name", "theirs", image)
    before = packages(host), running(host)
    installation.write(docker_source="docker", docker_apt_url=f"{server}/docker")
    output = run(installation, host, *ONE_SERVICE)
    assert output.status == 0, output.text
    assert output.planned == []
    assert "asks for docker-ce, and docker.io is here already" in output.text
    assert (packages(host), running(host)) == before


@pytest.mark.parametrize(
    ("suite", "pin", "version"),
    [("questing", "28.5", debs.ENGINES[0]), ("noble", "", debs.ENGINES[-1])],
)
def test_docker_ce_comes_from_dockers_repository_in_the_declared_version(
    installation: Installation, host: Host, server: str, suite: str, pin: str, version: str
) -> None:
    on_host(host, "sh", "-c", UNDRESS)
    dress(host, suite)
    # As an upgrade of Ubuntu leaves the lists of others.
    disabled = f"echo '# deb {server}/docker {suite} stable # disabled on upgrade'"
    on_host(host, "sh", "-c", f"{disabled} >/etc/apt/sources.list.d/docker.list")
    installation.write(
        docker_source="docker", docker_apt_url=f"{server}/docker", docker_version="27"
    )
    if pin:
        refused = run(installation, host, *ONE_SERVICE)
        assert refused.status == 1
        assert "have no docker-ce 27; they have: 29.0.0, 28.5.0" in last(refused, host)
        assert "docker-ce" not in packages(host)
    installation.write(docker_version=pin)
    output = run(installation, host, *ONE_SERVICE)
    assert output.status == 0, output.text
    assert ("is past its support" in output.text) is (suite == "questing")
    there = packages(host)
    assert there["docker-ce"] == there["docker-ce-cli"] == version
    assert there["containerd.io"] == debs.CONTAINERD and "docker.io" not in there
    source = on_host(host, "cat", "/etc/apt/sources.list.d/docker.sources")
    assert f"URIs: {server}/docker\nSuites: {suite}\n" in source
    assert installation.rows()[f"{host.name}/qwen"]["status"] == "active"
    again = run(installation, host, *ONE_SERVICE)
    assert set(again.operations.values()) == {"No changes"}, again.text


def test_the_toolkit_comes_from_nvidias_repository_and_from_no_other(
    installation: Installation, host: Host, server: str
) -> None:
    before = packages(host), running(host)
    deploy = "tests/stack/toolkit_alone.py"
    installation.write(gpu="auto", toolkit_apt_url=f"{server}/nvidia-other-key")
    refused = run(installation, host, "-y", deploy=deploy)
    assert refused.status == 1
    for key in apt.KEYS:
        assert apt.fingerprint(key) in last(refused, host)
    assert (packages(host), running(host)) == before
    installation.write(toolkit_apt_url=f"{server}/nvidia")
    output = run(installation, host, "-y", deploy=deploy)
    assert output.status == 0, output.text
    assert packages(host)["nvidia-container-toolkit"] == debs.TOOLKITS[-1]
    settings = json.loads(on_host(host, "cat", "/etc/docker/daemon.json"))
    assert "nvidia" in settings["runtimes"] and settings["insecure-registries"]
    again = run(installation, host, "-y", deploy=deploy)
    assert again.status == 0 and again.planned == []


def test_fault_29_a_toolkit_that_the_engine_has_not_found_yet_is_finished(
    installation: Installation, host: Host
) -> None:
    """As a run leaves it that was killed just before the restart: daemon.json is written."""
    aside = "cd /etc/docker; mv daemon.json aside; systemctl restart docker; sleep 1"
    on_host(host, "sh", "-ec", f"{aside}; mv aside daemon.json")
    on_host(host, "touch", "/usr/bin/nvidia-container-runtime-hook")
    began = on_host(host, "cat", "/run/docker.pid")
    deploy = "tests/stack/toolkit_alone.py"
    output = run(installation, host, "-y", deploy=deploy)
    assert output.status == 0, output.text
    assert [step.partition(" (")[0] for step in output.planned] == [
        "Register the NVIDIA Container Toolkit in daemon.json",
        "Restart Docker Engine",
    ]
    assert on_host(host, "cat", "/run/docker.pid") != began
    again = run(installation, host, "-y", deploy=deploy)
    assert again.status == 0 and again.planned == []
