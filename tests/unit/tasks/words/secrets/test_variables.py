"""Which variables and settings may hold a secret: one answer, and rather too often yes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.words.secrets.names import Strength, sounds_secret, strength
from tasks.words.secrets.variables import is_private, is_private_setting

# Some of what `ollama serve` reads. Source: envconfig/config.go of Ollama.
ORDINARY = [
    "OLLAMA_DEBUG",
    "OLLAMA_FLASH_ATTENTION",
    "OLLAMA_KV_CACHE_TYPE",
    "OLLAMA_GPU_OVERHEAD",
    "OLLAMA_HOST",
    "OLLAMA_KEEP_ALIVE",
    "OLLAMA_LLM_LIBRARY",
    "OLLAMA_LOAD_TIMEOUT",
    "OLLAMA_MAX_LOADED_MODELS",
    "OLLAMA_MAX_QUEUE",
    "OLLAMA_MODELS",
    "OLLAMA_NOHISTORY",
    "OLLAMA_NOPRUNE",
    "OLLAMA_NUM_PARALLEL",
    "OLLAMA_ORIGINS",
    "OLLAMA_SCHED_SPREAD",
    "OLLAMA_MULTIUSER_CACHE",
    "OLLAMA_CONTEXT_LENGTH",
    "OLLAMA_NEW_ENGINE",
    "OLLAMA_REMOTES",
]
WORDS = st.sampled_from(
    [
        "api",
        "key",
        "token",
        "secret",
        "pass",
        "word",
        "session",
        "id",
        "psk",
        "otp",
        "sas",
        "sig",
        "hf_",
        "_",
        "-",
        "url",
        "path",
        "Client",
        "My",
        "NUM",
    ]
)


@pytest.mark.parametrize("variable", ORDINARY)
def test_what_ollama_reads_is_shown(variable: str) -> None:
    assert not is_private(variable, "1")


@pytest.mark.parametrize(
    "variable",
    ["OLLAMA_API_KEY", "OLLAMA_SESSIONID", "OLLAMA_PSK", "ollama_auth", "HF_HOME", "HTTPS_PROXY"],
)
def test_what_is_another_programs_or_sounds_secret_is_not(variable: str) -> None:
    assert is_private(variable, "1")


@given(st.lists(WORDS, max_size=6).map("".join))
def test_a_name_that_counts_in_a_text_counts_as_a_variable_too(name: str) -> None:
    assert sounds_secret(name) or strength(name) is Strength.NONE


@pytest.mark.parametrize(
    ("path", "value", "private"),
    [
        ("models.qwen.environment", {}, True),
        ("models.qwen.environment.OLLAMA_DEBUG", "1", True),
        ("https_proxy", "http://proxy:3128", True),
        ("no_proxy", "lan", True),
        ("docker_apt_url", "ftp://mirror", True),
        ("image_mirror", "mirror.lan:5000", False),
        ("image_mirror", "ada:opensesame@mirror.lan", True),
        ("model_registry", "ada@registry.lan", True),
        ("models.qwen.image", "ollama/ollama@sha256:a", False),
        ("models.qwen.port", 99999, False),
        ("gpu", "of", False),
    ],
)
def test_which_settings_are_private(path: str, value: object, private: bool) -> None:
    assert is_private_setting(path, value) is private
