"""The fake registry speaks the distribution protocol."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

from tasks.vram.gguf import read_header
from tests.fake import content
from tests.fake.host import FakeHost


def get(host: FakeHost, path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """Return status, body and headers."""
    url = f"http://{host.registry_name}{path}"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.status, answer.read(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read(), dict(error.headers)


def test_a_manifest_by_tag_and_by_digest(host: FakeHost) -> None:
    status, body, headers = get(host, "/v2/library/tiny-qwen/manifests/v1")
    digest = headers["Docker-Content-Digest"]
    assert (status, digest) == (200, content.digest_of(body))
    assert get(host, f"/v2/library/tiny-qwen/manifests/{digest}")[1] == body
    status, body, _ = get(host, "/v2/library/tiny-qwen/manifests/none")
    assert (status, json.loads(body)["errors"][0]["code"]) == (404, "MANIFEST_UNKNOWN")


def test_a_part_of_a_blob(host: FakeHost) -> None:
    manifest = json.loads(get(host, "/v2/library/tiny-qwen/manifests/v1")[1])
    path = f"/v2/library/tiny-qwen/blobs/{manifest['layers'][0]['digest']}"
    _, whole, _ = get(host, path)
    assert read_header(whole).values["llama.block_count"] == 1
    status, part, headers = get(host, path, Range="bytes=4-7")
    assert (status, part) == (206, whole[4:8])
    assert headers["Content-Range"] == f"bytes 4-7/{len(whole)}"


def test_a_token_is_asked_for_where_one_is_needed(host: FakeHost) -> None:
    host.registry.token = "abc"
    status, _, headers = get(host, "/v2/library/tiny-qwen/manifests/v1")
    assert status == 401
    assert 'Bearer realm="http://' in headers["Www-Authenticate"]
    assert json.loads(get(host, "/token")[1]) == {"token": "abc"}
    assert get(host, "/v2/library/tiny-qwen/manifests/v1", Authorization="Bearer abc")[0] == 200


def test_a_tag_moves(host: FakeHost) -> None:
    before = host.registry.tags["library/tiny-qwen", "v1"]
    after = host.registry.put("library/tiny-qwen", "v1", content.model("tiny-qwen", build=2))
    assert after != before
    assert get(host, f"/v2/library/tiny-qwen/manifests/{before}")[0] == 200
