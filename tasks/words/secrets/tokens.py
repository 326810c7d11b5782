"""Secrets that tell by themselves what they are: keys in armour, and tokens of known services.

Source: the services' own documentation of their tokens, for most as GitHub's secret scanning and
gitleaks list them.
"""

from __future__ import annotations

import re

# Armour of any kind ("OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK", "OpenVPN Static key V1") but
# what is public. A break may be written as "\n".
BLOCK = re.compile(
    r"-{4,5} ?BEGIN (?!PGP PUBLIC|PGP SIGN|SIGNATURE|SSH SIGNATURE|PUBLIC|RSA PUBLIC|SSH2 PUBLIC"
    r"|CERTIFICATE|TRUSTED CERT|X509|DH PARAM|EC PARAM|NEW CERT|ATTRIBUTE CERT|CMS\b|PKCS7\b)"
    r"[^\n\\-]{1,64}-{4,5}"
)
BLOCK_END = re.compile(r"-{4,5} ?END [^\n\\-]{1,64}-{4,5}")
# A private key of PuTTY.
PUTTY = re.compile(r"Private-Lines:[ \t]*\d+")
PUTTY_END = re.compile(r"Private-MAC:[^\n]*")

# What a token begins with, and which characters follow, at least so many.
_WORD, _DASHED, _DOTTED, _BASE64 = r"\w", r"[\w-]", r"[\w.-]", r"[\w+/=-]"
_KINDS: tuple[tuple[str, str, int], ...] = (
    (r"(?:sk|pk|rk)-", r"[^\s\"'<>,;)\]}]", 6),
    (r"(?:sk|pk|rk)_(?:live|test|prod)_|whsec_", _BASE64, 6),
    (r"gsk_|xai-|r8_|pplx-|fw_|tgp_v1_|jina_|tvly-|lsv2_[a-z]{2}_|rpa_|nvapi-|csk-", _DASHED, 6),
    (r"hf_|api_org_|phc_|phx_|sbp_|sb_secret_", _WORD, 6),
    (r"gh[oprsu]_|github_pat_", _WORD, 6),
    (r"gl(?:pat|oas|dt|rt|cbt|ptt|ft|imt|agent|soat|ffct)-", _DOTTED, 6),
    (r"npm_|pypi-|dckr_(?:pat|oat)_|rubygems_|oy2(?=[a-z0-9]{40})|cio(?=\w{32})", _DASHED, 6),
    (r"hv[bsr]\.|[\w]{6,20}\.atlasv1\.|dp\.(?:pt|st|ct|sa)\.|pul-|tskey-|fo1_|FlyV1 ", _DASHED, 6),
    (r"ya29\.|GOCSPX-|AIza|1//0(?=[\w-]{20})|SG\.", _DOTTED, 10),
    (r"xox[a-z]-|xox[a-z]\.|xapp-", _DOTTED, 6),
    (r"AGE-(?:SECRET-KEY|PLUGIN-\w{1,40})-1|age-secret-key-1", _WORD, 6),
    (r"shp(?:at|ss|ca|pa)_|sq0(?:atp|csp|idp)-|do[opr]_v1_|lin_(?:api|oauth)_|ntn_", _DASHED, 6),
    (r"secret_(?=\w{40})|pat[a-z]{2}\d-|figd_|NRAK-|PMAK-|dapi(?=[0-9a-f]{32})", _DASHED, 6),
    (r"sntry[su]_|glc_|glsa_|CFPAT-|xkeysib-|AT(?:ATT|CTT|BB)(?=\w{8})|EZ[AT]K", _BASE64, 6),
    (r"(?:key|SK|AC)-?(?=[0-9a-f]{32}\b)|ops_eyJ|sl\.(?=[\w-]{60})|ABSK(?=\w{40})", _BASE64, 6),
    # JSON Web Tokens, and whatever else is JSON in base64.
    (r"eyJ", _DOTTED, 6),
    # "-----BEGIN" in base64 ("client-key-data"), but not of a certificate.
    (r"LS0tLS1CRUdJTi(?!BDRVJUSUZJQ0FURS)", _BASE64, 8),
    # Hashes of passwords, as in /etc/shadow and htpasswd.
    (r"\$(?:1|2[abxy]|5|6|7|y|gy|apr1|argon2\w{1,2}|scrypt|pbkdf2\S{0,16})\$", r"[\w./$=,+-]", 8),
    (r"hooks\.slack\.com/(?:services|workflows)/|discord(?:app)?\.com/api/webhooks/", r"[\w/-]", 6),
    (r"(?:bot)?\d{8,10}:AA(?=[\w-]{30})", _DASHED, 30),
    # The secret of an AWS key mostly stands beside it.
    (
        r"(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{12,32}(?:[\s:;,|\"'/]{1,6}[A-Za-z0-9/+]{40}(?![\w/+]))?",
        r"",
        0,
    ),
)
TOKENS = re.compile(
    r"(?<![A-Za-z0-9_])(?:"
    + "|".join(
        f"(?:{begin}){follows}{{{least},}}" if follows else begin
        for begin, follows, least in _KINDS
    )
    + ")"
)
