"""The control files of the stand-ins for Docker's and NVIDIA's packages."""

from lab.debs import control, without


def test_a_control_file_says_that_it_is_a_stand_in() -> None:
    assert control("docker-ce", "5:29.0.0-1~lab", "amd64", {"Depends": "iptables"}) == (
        "Package: docker-ce\n"
        "Version: 5:29.0.0-1~lab\n"
        "Architecture: amd64\n"
        "Depends: iptables\n"
        "Maintainer: Nobody <nobody@lab.invalid>\n"
        "Description: stand-in of the lab, not the real one\n"
    )


def test_the_distributions_runtimes_are_no_dependency() -> None:
    depends = "libc6 (>= 2.34), containerd (>= 1.4~), iptables, runc (>= 1.0.0~rc8~), tini"
    assert without(depends, "containerd", "runc") == "libc6 (>= 2.34), iptables, tini"
