"""No secret that is declared, or that looks like one, is left in what others may read."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
import tomlkit
from hypothesis import assume, given
from hypothesis import strategies as st

from tasks.declared.stack import Service, Stack
from tasks.records import scrub
from tasks.records.scrub import MASK, Scrubber, scrubber_for
from tasks.words.secrets.names import PUBLIC, strength

# Anything but the mask itself and words that are none; long enough to be one.
SECRETS = st.text(
    st.characters(exclude_characters=MASK, exclude_categories=("Cs", "Cc")), min_size=6, max_size=40
).filter(lambda text: text == text.strip() and not scrub.WORDS.fullmatch(text.casefold()))
WORDS = st.text(
    st.characters(codec="ascii", categories=("L", "N"), include_characters=" /:."), max_size=30
)
PASSWORDS = st.text(
    st.characters(codec="ascii", categories=("L", "N"), include_characters="-._~!*+%"), min_size=6
)
SHAPES: dict[str, Callable[[str], str]] = {
    "as it is": lambda secret: secret,
    "in a URL": lambda secret: f"http://user:{quote(secret, safe='')}@proxy:3128/",
    "in JSON": lambda secret: json.dumps({"x": f"a {secret} b"}),
    "in JSON in JSON": lambda secret: json.dumps(json.dumps([secret])),
    "in JSON of all characters": lambda secret: json.dumps([secret], ensure_ascii=False),
    "in a shell": lambda secret: shlex.join(["curl", f"-u:{secret}"]),
    "in a header": lambda secret: base64.b64encode(secret.encode()).decode(),
    "as Python shows it": lambda secret: f"x{secret!r}",
}


@given(SECRETS, WORDS, WORDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_declared_secret_is_removed_in_every_spelling(
    shape: str, secret: str, before: str, after: str
) -> None:
    spelt = SHAPES[shape](secret)
    scrubber = scrubber_for({"models": {"qwen": {"environment": {"HF_TOKEN": secret}}}})
    text = scrubber.text(f"{before}{spelt}{after}")
    assert secret not in text
    assert spelt not in text


@given(PASSWORDS, WORDS)
def test_the_password_of_a_declared_proxy_is_removed_everywhere(secret: str, words: str) -> None:
    scrubber = scrubber_for({"https_proxy": f"http://ada:{secret}@proxy.lan:3128"})
    basic = base64.b64encode(f"ada:{secret}".encode()).decode()
    for text in (secret, f"{words}{secret}", f"Proxy-Authorization: Basic {basic}", basic):
        found = scrubber.text(text)
        assert secret not in found
        assert basic not in found


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "http_proxy", "All_Proxy"])
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_the_password_of_a_proxy_is_known_wherever_and_however_its_variable_is_written(
    name: str, scheme: str
) -> None:
    url = f"{scheme}ada:opensesame@proxy.lan:3128"
    for held in ({name: url}, {"environment": {name: url}}, {"Env": [f"{name}={url}"]}):
        assert "opensesame" not in scrubber_for(held).text("it said opensesame")


@given(PASSWORDS)
@pytest.mark.parametrize(
    "line",
    [
        "Authorization: Bearer {}",
        '{{"authorization": "Basic {}"}}',
        "GET /v2/ HTTP/1.1\r\nProxy-Authorization: Digest username=x, response={}\r\n",
        "Cookie: session={}",
        "https://user:{}@host/path",
        "HTTPS_PROXY:http://ada:{}@proxy:3128 OLLAMA_DEBUG:1",
        "HTTPS_PROXY=ada:{}@proxy:3128",
        "token={}&x=1",
        'api_key = "{}"',
        "'client-secret': '{}'",
        "the password is {}",
        "MY_PASSWORD={}",
        "login --password {}",
        "sk-{}",
        "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_what_looks_like_a_secret_is_removed_though_nobody_declared_it(
    line: str, secret: str
) -> None:
    # A letter and digits at its ends: no shape cuts punctuation off.
    marked = f"A1{secret.replace('%', '')}9Z"
    text = Scrubber().text(line.format(marked))
    assert marked not in text
    assert MASK in text


@given(st.text())
def test_what_is_scrubbed_stays_as_it_is(text: str) -> None:
    scrubber = Scrubber(frozenset({"hunter22"}))
    once = scrubber.text(text)
    assert scrubber.text(once) == once


@pytest.mark.parametrize(
    "text",
    [
        "tiny-qwen:v1 generated 8 tokens on CPU, 22 tokens/s",
        "tokens_per_second: 3.5",
        "keep_alive = 5m",
        'docker_apt_key = "9DC858229FC7DD38854AE2D88D81803C0EBFCD88"',
        "sudo wants the password of ada, and nothing here asks for it",
        "image http://127.0.0.1:5000/v2/ollama@sha256:aaaa",
        "a CDN such as http://mirror.lan:80/x and ada@example.org",
        "load_tensors: tokenizer.ggml.model str = llama, token_embd.weight = f32",
        "author: Ada",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert Scrubber().text(text) == text


def test_values_are_scrubbed_by_the_names_of_their_keys() -> None:
    value: dict[str, Any] = {
        "environment": {"OLLAMA_DEBUG": "1", "X": "1", "OLLAMA_API_KEY": "ab"},
        "Config": {"Env": ["PATH=/bin", "OLLAMA_HOST=0.0.0.0", "OLLAMA_AUTH=ab"]},
        "api_key": "ab",
        "secrets": {"a": ["b"]},
        "port": 11434,
        "pin": 123456,
        "none": None,
    }
    assert Scrubber(frozenset({"123456"})).value(value) == {
        "environment": {"OLLAMA_DEBUG": "1", "X": MASK, "OLLAMA_API_KEY": MASK},
        "Config": {"Env": [f"PATH={MASK}", "OLLAMA_HOST=0.0.0.0", f"OLLAMA_AUTH={MASK}"]},
        "api_key": MASK,
        "secrets": MASK,
        "port": 11434,
        "pin": MASK,
        "none": None,
    }


@given(st.dictionaries(st.from_regex(r"[A-Z]{3,9}", fullmatch=True), SECRETS, min_size=1))
def test_a_declaration_keeps_its_keys_and_none_of_its_private_values(
    values: dict[str, str],
) -> None:
    # A secret that is the name of a setting takes the name with it.
    assume(not {"models", "model", "qwen", "environment"} & {*values.values()})
    declared = {"models": {"qwen": {"model": "m:1", "environment": values}}}
    scrubber = scrubber_for(declared)
    left = scrubber.value(declared)
    environment = left["models"]["qwen"]["environment"]
    assert set(environment.values()) == {MASK}
    shown = tomlkit.dumps(left)
    assert not any(secret in shown for secret in values.values())


def test_what_a_container_holds_under_a_secret_name_is_known() -> None:
    scrubber = scrubber_for([{"Config": {"Env": ["HF_TOKEN=abcd1234", "PATH=/usr/bin"]}}])
    assert scrubber.known == {"abcd1234"}


def test_a_word_of_half_a_megabyte_is_none_of_its_business() -> None:
    word = "a-" * 200_000
    assert Scrubber().text(f"{word} api_key=opensesame") == f"{word} api_key={MASK}"


def test_attack_20_the_table_of_a_secret_holds_it_and_nothing_else() -> None:
    declared = {"apiKey": {"value": "opensesame", "kind": "bearer-token"}, "port": 1}
    scrubber = scrubber_for(declared)
    assert scrubber.known == {"opensesame"}
    assert scrubber.value(declared) == {"apiKey": MASK, "port": 1}


def test_attack_20_a_value_beside_its_name_is_known() -> None:
    declared = {"env": [{"name": "HF_TOKEN", "value": "opensesame"}, {"name": "A", "value": "b"}]}
    scrubber = scrubber_for(declared)
    assert scrubber.known == {"opensesame"}
    assert scrubber.value(declared)["env"] == [
        {"name": "HF_TOKEN", "value": MASK},
        {"name": "A", "value": "b"},
    ]


@pytest.mark.parametrize("word", ["true", "none", "basic", "Default", "ollama", "localhost"])
def test_attack_20_a_word_of_every_text_is_no_secret(word: str) -> None:
    assert scrubber_for({"environment": {"MY_AUTH": word}}).known == frozenset()
    assert scrubber_for([{"Config": {"Env": [f"MY_KEY={word}"]}}]).known == frozenset()


def test_attack_20_no_setting_of_ours_sounds_secret_but_the_public_ones() -> None:
    names = {*Stack.model_fields, *Service.model_fields}
    assert not [name for name in names if strength(name)]
    assert {*PUBLIC} <= names


@pytest.mark.parametrize("name", ["https_proxy", "image_mirror", "docker_apt_url"])
def test_attack_20_html_and_urls_spell_a_secret_in_their_own_way(name: str) -> None:
    scrubber = scrubber_for({name: "http://ada:open<&>sesame@host"})
    for text in ("open&lt;&amp;&gt;sesame", base64.urlsafe_b64encode(b"open<&>sesame").decode()):
        assert "sesame" not in scrubber.text(text)
        assert text.rstrip("=") not in scrubber.text(text)
