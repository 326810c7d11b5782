"""The indexes of the lab's apt repositories, and how they are served."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lab import apt
from lab.http import request

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_the_index_of_packages_names_files_with_size_and_digest() -> None:
    digest = hashlib.sha256(b"deb").hexdigest()
    assert apt.packages_index({"pool/x.deb": "Package: x\n"}, {"pool/x.deb": b"deb"}) == (
        f"Package: x\nFilename: pool/x.deb\nSize: 3\nSHA256: {digest}\n"
    )
    assert apt.packages_index({}, {}) == ""


def test_the_release_of_a_suite_and_of_a_flat_repository() -> None:
    digest = hashlib.sha256(b"text").hexdigest()
    path = "stable/binary-amd64/Packages"
    assert apt.release("noble", "amd64", {path: "text"}, AT).splitlines() == [
        "Origin: lab",
        "Date: Fri, 02 Jan 2026 03:04:05 GMT",
        "Codename: noble",
        "Components: stable",
        "Architectures: amd64",
        "SHA256:",
        f" {digest} 4 {path}",
    ]
    assert "Codename" not in apt.release("", "amd64", {"Packages": "text"}, AT)


def test_served_while_the_block_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gpg").write_text("key")
    monkeypatch.setattr(apt, "repositories", lambda: tmp_path)
    with apt.serve("127.0.0.1") as url:
        assert request("GET", f"{url}/gpg").body == b"key"
        assert request("GET", f"{url}/dists").status == 404
    assert request("GET", f"{url}/gpg").status == 0
