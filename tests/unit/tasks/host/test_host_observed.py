"""What the script of HostFacts prints, and what is made of it. Recorded on Debian 12 hosts."""

from hypothesis import given
from hypothesis import strategies as st

from tasks.host.observed import ObservedHost, distribution, installed
from tasks.shell.output import number, sections, values

# Recorded on a bare Debian 12 with systemd, by a user with NOPASSWD; docker.service was stopped.
STOPPED = """\
##host
uid=1000
user=nopass
groups=nopass
hostname=a5e077c98a57
architecture=x86_64
path.curl=/usr/bin/curl
path.docker=/usr/bin/docker
path.dockerd=/usr/sbin/dockerd
path.apt-get=/usr/bin/apt-get
path.sudo=/usr/bin/sudo
systemd=yes
docker_group=dock
##os
PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION_CODENAME=bookworm
ID=debian
##unit
LoadState=loaded
ActiveState=inactive
SubState=dead
##packages
ii  containerd 1.6.20~ds1-1+deb12u3
ii  docker.io 20.10.24+dfsg1-1+deb12u1+b6
##sudo
status=0
said=
##engine
path=/var/run/docker.sock
socket=yes
daemons=
##disk
path=/var/lib/docker
free=20403903
size=66052044
block=4096
##listening
00000000:07E8 616
0100007F:2CAA 34888
"""


def test_a_stopped_engine_is_seen_without_being_asked() -> None:
    host = ObservedHost.from_lines(STOPPED.splitlines())
    assert host.is_known and not host.is_root and host.can_sudo
    assert host.distribution.codename == "bookworm"
    assert host.origin == "docker.io"
    assert host.version_of("docker.io").startswith("20.10.24")
    assert host.unit.active == "inactive"
    assert host.has_socket and not host.answers
    assert host.disk_free == 20403903 * 4096
    assert [one.port for one in host.listening] == [2024, 11434]


def test_nothing_printed_is_an_unknown_host() -> None:
    assert not ObservedHost.from_lines([]).is_known
    assert ObservedHost.from_lines([]) == ObservedHost()


def test_who_is_answered_depends_on_sudo() -> None:
    lines = STOPPED.replace("daemons=", "user=000 7\nroot=200 0\ndaemons=12 34").splitlines()
    host = ObservedHost.from_lines(lines)
    assert host.answers and host.answers_root and not host.answers_user
    assert host.daemons == (12, 34)


def test_refused_is_not_silent() -> None:
    refused = STOPPED.replace("daemons=", "user=000 7\ndaemons=").splitlines()
    silent = STOPPED.replace("daemons=", "user=000 28\ndaemons=").splitlines()
    assert ObservedHost.from_lines(refused).is_refused
    assert not ObservedHost.from_lines(silent).is_refused


def test_origin_of_docker() -> None:
    assert ObservedHost().origin == "none"
    assert ObservedHost(dockerd="/usr/local/bin/dockerd").origin == "other"
    assert ObservedHost(has_snap_docker=True, docker="/snap/bin/docker").origin == "snap"
    podman = ObservedHost(docker="/usr/bin/docker", packages=(("podman-docker", "4.3"),))
    assert podman.origin == "podman-docker"


def test_packages_that_are_only_configured_are_not_installed() -> None:
    assert installed(["rc  docker.io 20.10", "ii  docker-ce 5:27.3.1-1", "un podman-docker"]) == (
        ("docker-ce", "5:27.3.1-1"),
    )


def test_ubuntu_derivatives_name_their_codename() -> None:
    mint = distribution(["ID=linuxmint", 'ID_LIKE="ubuntu debian"', "UBUNTU_CODENAME=noble"])
    assert (mint.codename, mint.like) == ("noble", ("ubuntu", "debian"))
    assert distribution(["NAME='open"]).pretty_name == "'open"


@given(st.lists(st.text()))
def test_no_output_makes_the_parser_fail(lines: list[str]) -> None:
    ObservedHost.from_lines(lines)
    ObservedHost.from_lines(["##host", *lines, "##engine", *lines, "##sudo", *lines, "##disk",
                             *lines, "##listening", *lines, "##os", *lines])  # fmt: skip


def test_sections_and_values() -> None:
    found = sections(["stray", "##a", "x=1=2", "no", "## b", "y="])
    assert found[""] == ["stray"]
    assert values(found["a"]) == {"x": "1=2"}
    assert values(found["b"]) == {"y": ""}
    assert (number("7 "), number(None), number("x", -1)) == (7, 0, -1)
