"""Which names people give to secrets: `HF_TOKEN`, `clientSecret`, `AccountKey`, `api-key`."""

from __future__ import annotations

import re
from enum import IntEnum

# Public, though their names sound secret.
PUBLIC = ("docker_apt_key", "toolkit_apt_key")
# No name of a setting is longer; of a longer word its end counts.
LONGEST = 128
# "APIKey" is API and Key, "clientSecret" is client and Secret, "HF_TOKEN" is HF and TOKEN.
_WORDS = re.compile(r"[A-Z]++(?![a-z])|[A-Z]?[a-z]++|[A-Z]")
# Wherever they are in a name that is written together ("mydbpassword").
_STRONG_PARTS = re.compile(
    "passw(?:or)?d|passphrase|passcode|passwort|secret|credential|sessionid|sessid"
    "|(?:api|private|access|account|shared|master|signing|encryption|auth|storage|service)key"
)
_STRONG_WORDS = re.compile(
    "pwd|pw|psk|otp|totp|jwt|sas|sig|signature|cookie|cookies|bearer|cred|creds|dbpass"
    "|userpass|identitytoken|registrytoken|authorization"
)
_WEAK_WORDS = re.compile(r"key|\w*token|auth|pass")
# What is told of a secret without being one: "token_type", "password-file", "auth_url".
_ABOUT = re.compile(
    "file|path|dir|folder|url|uri|endpoint|length|len|count|size|type|ttl|expiry|expires"
    "|stdin|realm|method|mode|scheme|policy|limit|budget|embd|embed|prompt|rate|usage|ids"
    "|store|error|exception"
)
# "public_key", "primary key"; tokens of a language model.
_OPEN = re.compile(
    "public|pub|pubkey|fingerprint|primary|foreign|sort|hot|eos|bos|pad|unk|eot|eog|eom|sep"
    "|cls|mask|nl|lf|fim|special|stop|next|first|last|prompt|eval|embd|embedding"
)


class Strength(IntEnum):
    """How sure a name is: of a weak one small numbers and the like are no secrets."""

    NONE = 0
    WEAK = 1
    STRONG = 2


def strength(name: str) -> Strength:
    """Tell how sure it is that a value of this name is a secret."""
    name = name[-LONGEST:].strip(".-_")
    if name.lower() in PUBLIC:
        return Strength.NONE
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words or _ABOUT.fullmatch(words[-1]) or words[-2:] == ["key", "id"]:
        return Strength.NONE
    if any(map(_OPEN.fullmatch, words)):
        return Strength.NONE
    # "api_key" as well as "apikey".
    if any(map(_STRONG_WORDS.fullmatch, words)) or _STRONG_PARTS.search("".join(words)):
        return Strength.STRONG
    return Strength.WEAK if any(map(_WEAK_WORDS.fullmatch, words)) else Strength.NONE


def sounds_secret(variable: str) -> bool:
    """Tell whether the name of a variable is one that people give to secrets, rather too often."""
    words = ("KEY", "TOKEN", "SECRET", "PASS", "PWD", "AUTH", "CRED", "COOKIE", "JWT", "SIGNATURE")
    return strength(variable) > Strength.NONE or any(word in variable.upper() for word in words)
