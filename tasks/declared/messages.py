"""What is said of a declaration: why a value cannot be taken, and what to do."""

from __future__ import annotations

from tasks.words.messages import Message

# The declaration as a whole.
ONE_FAULT = Message(
    "declared.one-fault", "The declaration has 1 fault; nothing was changed.\n{lines}"
)
MANY_FAULTS = Message(
    "declared.many-faults", "The declaration has {count} faults; nothing was changed.\n{lines}"
)
MEND_SETTINGS = Message("declared.mend-settings", "mend the settings that it names")
ON_HOSTS = Message("declared.on-hosts", "{fault} (on {hosts})")

# Files.
NO_FILE = Message("declared.no-file", "there is no such file (STACK_FILE names it)")
NO_TOML = Message("declared.no-toml", "{words}")
UNREADABLE = Message("declared.unreadable", "cannot be read: {words}: {remedy}")
MEND_RIGHTS = Message(
    "declared.mend-rights", "see that this user may read it (ls -l), and that its folders are there"
)
NEWER = Message("declared.newer", "{words}: {remedy}")
UPDATE = Message("declared.update", "update ollama-stack (git pull)")
NO_VERSION = Message("declared.no-version", "{words}")

# Tables and keys.
VERSION_ELSEWHERE = Message("declared.version-elsewhere", "stack.toml alone has one")
NO_SERVICE = Message("declared.no-service", "declares no service")
NOT_TABLES = Message("declared.not-tables", "should be one table for each service")
NOT_A_TABLE = Message("declared.not-a-table", "should be a table of settings")
NOT_A_LIST = Message("declared.not-a-list", 'should be a list, like ["a", "b"]')
NO_SUCH_SETTING = Message("declared.no-such-setting", "there is no such setting")
OTHER_SETTING = Message("declared.other-setting", "there is no such setting; did you mean {near}?")
MISSING = Message("declared.missing", "is missing")

# Values. What pydantic says of one is told in its words.
WRONG_VALUE = Message("declared.wrong-value", "{words}")
WRONG_VALUE_IS = Message("declared.wrong-value-is", "{fault} (it is {value})")
QUOTES_MISSING = Message(
    "declared.quotes-missing",
    "{fault}; write it in quotes (on the command line: --data 'KEY=\"0.30\"')",
)
NOT_A_NAME = Message(
    "declared.not-a-name",
    "should be lower-case letters and digits, with '-', '_' or '.' between them",
)
NOT_A_SIZE = Message("declared.not-a-size", 'should be a size like "512m" or "12g"')
NOT_A_DURATION = Message(
    "declared.not-a-duration", 'should be a duration like "10m" or "1h", "0" or "-1"'
)
NOT_AN_ADDRESS = Message("declared.not-an-address", 'should be an IP address like "127.0.0.1"')
NOT_A_REGISTRY = Message(
    "declared.not-a-registry",
    'should be host or host:port, like "mirror.lan:5000", without http://',
)
NOT_AN_IMAGE = Message(
    "declared.not-an-image", 'should be an image with its tag, like "ollama/ollama:0.24.0"'
)
NOT_A_MODEL = Message(
    "declared.not-a-model", 'should be a model with its tag, like "qwen2.5-coder:7b"'
)
NAME_OF_A_COPY = Message(
    "declared.name-of-a-copy", "should not end in {kept} or {replaced}: copies are kept so"
)
NAME_SET_ASIDE = Message(
    "declared.name-set-aside",
    "should not end in {kept}, {replaced} or {following}: containers and images that are"
    " set aside or kept are named so",
)
TOO_LITTLE_MEMORY = Message(
    "declared.too-little-memory", 'should be at least "6m", the least that Docker takes'
)
NOT_A_DATABASE = Message(
    "declared.not-a-database", 'should be the path of a file that ends in ".db"'
)
NOT_A_LOCK = Message("declared.not-a-lock", 'should be the path of a file that ends in ".lock"')
NOT_A_LOG = Message(
    "declared.not-a-log", 'should be the path of a file that ends in ".log", or "" for none'
)
NOT_A_VERSION = Message("declared.not-a-version", 'should be a version like "580.95"')
PASSWORD_IN_MIRROR = Message(
    "declared.password-in-mirror",
    "should be without user and password: apt's files are no place for them",
)
NOT_A_MIRROR = Message(
    "declared.not-a-mirror", 'should be a URL like "https://mirror.lan/docker/ubuntu"'
)
NOT_A_FINGERPRINT = Message(
    "declared.not-a-fingerprint",
    "should be a whole fingerprint: 40 digits and letters from A to F",
)
NOT_A_HOST = Message(
    "declared.not-a-host",
    'should be a host or an address, like "gpu.lan", without http:// and port',
)
NOT_A_PROXY = Message(
    "declared.not-a-proxy",
    'should be a URL like "http://proxy.lan:3128" or "http://user:password@proxy.lan:3128",'
    " with other characters than letters and digits written as %XX in user and password",
)
NOT_UNPROXIED = Message(
    "declared.not-unproxied",
    'should be hosts separated by commas, like "localhost,10.0.0.0/8,.lan"',
)
NOT_ABSOLUTE = Message("declared.not-absolute", "should be an absolute path on the host")
NOT_A_PATH = Message(
    "declared.not-a-path",
    "should be a path of letters, digits, blanks and . _ - + = @ ~ ( ) alone",
)

# Settings that do not go together.
OWN_SETTING = Message("declared.own-setting", "is set by a setting of its own: {setting}")
NOT_A_VARIABLE = Message("declared.not-a-variable", "is not a name for an environment variable")
PUBLIC = Message(
    "declared.public",
    "{address} can be reached from other machines, Ollama asks nobody for a password,"
    " and Docker's published ports pass ufw by; set allow_public = true if that is meant",
)
NEEDS_FLASH_ATTENTION = Message(
    "declared.needs-flash-attention", "{kind} needs flash_attention = true"
)
MODEL_TWICE = Message("declared.model-twice", "names a model twice")
SAME_PORT = Message(
    "declared.same-port", "{port} is the port of {other} as well (models.{other}.port)"
)
OF_ONE_RUN = Message("declared.of-one-run", "belongs to one run: give it with --data {key}=…")
UNKNOWN_SERVICE = Message(
    "declared.unknown-service", "there is no service {name}; declared: {names}"
)
