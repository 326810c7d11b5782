"""Where packages come from: Docker's and NVIDIA's own repositories, or mirrors of them."""

from tasks.apt.sources import docker_repository, toolkit_repository
from tasks.declared.layers import Layer, defaults_layer, merge
from tasks.declared.stack import Stack, declare
from tasks.host.observed import Distribution, ObservedHost

NOBLE = ObservedHost(distribution=Distribution("ubuntu", "24.04", "noble", "Ubuntu 24.04 LTS"))
OTHER_KEY = "0123 4567 89AB CDEF 0123  4567 89ab cdef 0123 4567"


def stack(**values: object) -> Stack:
    return declare(merge([defaults_layer(), Layer("test", values)]))


def test_docker_has_a_repository_for_each_distribution() -> None:
    repository = docker_repository(NOBLE, stack())
    assert repository.deb822() == (
        "Types: deb\n"
        "URIs: https://download.docker.com/linux/ubuntu\n"
        "Suites: noble\n"
        "Components: stable\n"
        "Signed-By: /etc/apt/keyrings/docker.asc\n"
    )
    assert repository.key_url == "https://download.docker.com/linux/ubuntu/gpg"
    assert repository.fingerprint == "9DC858229FC7DD38854AE2D88D81803C0EBFCD88"


def test_nvidia_has_a_flat_repository_for_each_architecture() -> None:
    repository = toolkit_repository("arm64", stack())
    assert repository.deb822() == (
        "Types: deb\n"
        "URIs: https://nvidia.github.io/libnvidia-container/stable/deb/arm64\n"
        "Suites: /\n"
        "Signed-By: /etc/apt/keyrings/nvidia-container-toolkit.asc\n"
    )
    assert repository.key_url == "https://nvidia.github.io/libnvidia-container/gpgkey"
    assert repository.fingerprint == "C95B321B61E88C1809C4F759DDCAE044F796ECB0"


def test_a_mirror_holds_the_same_files_at_the_same_places() -> None:
    declared = stack(
        docker_apt_url="http://mirror.lan/docker/ubuntu/",
        docker_apt_key=OTHER_KEY,
        toolkit_apt_url="http://mirror.lan/nvidia",
    )
    docker = docker_repository(NOBLE, declared)
    assert docker.url == "http://mirror.lan/docker/ubuntu"
    assert docker.key_url == "http://mirror.lan/docker/ubuntu/gpg"
    assert docker.fingerprint == "0123456789ABCDEF0123456789ABCDEF01234567"
    toolkit = toolkit_repository("amd64", declared)
    assert toolkit.url == "http://mirror.lan/nvidia/stable/deb/amd64"
    assert toolkit.key_url == "http://mirror.lan/nvidia/gpgkey"
