"""What fresh hosts take over from this machine's apt."""

from __future__ import annotations

import pytest

from lab import rootfs


def test_sources_of_the_suite_are_joined_and_others_left(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = (
        "http://mirror.invalid/debian/ bookworm main\n"
        "http://mirror.invalid/debian/ bookworm contrib\n"
        "http://mirror.invalid/security/ bookworm-security main\n"
        "http://other.invalid/ trixie main\n"
        "http://other.invalid/ nodistro main\n"
    )
    monkeypatch.setattr(rootfs, "read", lambda _: shown)
    assert rootfs.apt_sources() == (
        "deb http://mirror.invalid/debian/ bookworm contrib main\n"
        "deb http://mirror.invalid/security/ bookworm-security main\n"
    )


def test_only_the_way_to_the_sources_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = (
        'Acquire::http::Proxy "http://proxy.invalid:3128";\n'
        'Acquire::https::CaInfo "/only/here.pem";\n'
        'Acquire::Check-Date "false";\n'
        'DPkg::Post-Invoke:: "something of this machine";\n'
    )
    monkeypatch.setattr(rootfs, "read", lambda _: shown)
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://unused.invalid")
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://second.invalid:1")
    assert rootfs.apt_settings() == (
        'Acquire::http::Proxy "http://proxy.invalid:3128";\n'
        'Acquire::Check-Date "false";\n'
        'Acquire::https::Proxy "http://second.invalid:1";\n'
    )


def test_another_recipe_is_another_image(monkeypatch: pytest.MonkeyPatch) -> None:
    before = rootfs.image_name()
    monkeypatch.setattr(rootfs, "PACKAGES", (*rootfs.PACKAGES, "more"))
    assert rootfs.image_name() != before
