"""Text without the credentials in it.

Booleans, null and empty text are never secrets: they say whether one is set.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise

from lib.core.facts.secret_names import SIGNATURES, Secrecy, secrecy, words_of

MASK = "••••"
HINT_CHARACTERS = 500
"""Shorter text is first searched for anything that could announce a credential: most has nothing."""


# Look-behinds let a match start only where a word starts, which keeps the search linear.
# A password may hold an "@", and that of a database a "/" too. In a path two slashes are one.
# What has no end is no password: without a bound the search would begin anew at each of many addresses.
_URL_USER = re.compile(
    r"(?<![A-Za-z0-9+.-])((?i:postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|amqps?|mssql|clickhouse)(?:\+\w++)*+://?)"
    r"[^\s\"'<>]{0,1000}@"
    r"|(?<![\w+.-])([A-Za-z][\w+.-]*+:/(?:/|(?=[^\s/\"'<>?#:@]*:)))[^\s/\"'<>?#]*@"
    # An address inside another one, or a setting of one.
    r"|(?<![\w+.-])([A-Za-z][\w+.-]*+%3[Aa]%2[Ff]%2[Ff])[^\s/\"'<>?#&]{1,300}?%40"
)
# What has no end of its own takes all that may belong to it: a start inside it is not tried again.
_SHAPES = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\Z)"
    r"|(?<![A-Za-z0-9])(?:"
    r"(?<![\w-])eyJ[\w-]{8,}+(?:\.[\w-]*+)+|eyJ[A-Za-z0-9+/]{8,}+(?:\.[\w-]*+)+|eyJ[A-Za-z0-9+/]{40,}+={0,2}"
    r"|hf_(?:oauth|jwt)_[\w.-]{8,}|hf_[A-Za-z0-9]{10,}"
    r"|(?:sk|pk|rk)_(?:live|test)_[\w-]{8,}|(?:sk|pk)-(?:proj|ant|or|lf|svcacct|admin|None)-[\w-]{8,}"
    # Names of runs begin with somebody's initials too.
    r"|(?:c?sk|pk|rk)[-_](?=[A-Za-z]*+[0-9])[A-Za-z0-9]{16,}[\w-]*"
    r"|sb_(?:secret|publishable)_[\w-]+|sbp_[A-Za-z0-9]{8,}"
    r"|(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{8,}|github_pat_\w{8,}|gl(?:pat|dt|cbt|rt|ptt|ft|soat|agent)-[\w-]{8,}"
    r"|xox[a-z](?:\.xox[a-z])?-[\w-]{8,}|xapp-[\w-]{8,}|AIza[\w-]{30,}|r8_[A-Za-z0-9]{20,}|rpa_[A-Za-z0-9]{20,}"
    # The secret of a pair stands behind its id.
    r"|(?:AKIA|ASIA)[0-9A-Z]{12,}(?:[^A-Za-z0-9/+]{1,3}[A-Za-z0-9/+]{40})?"
    r"|ya29\.[\w-]{20,}|dapi[0-9a-f]{32}|SG\.[\w-]{16,}\.[\w-]{16,}"
    r"|gsk_[A-Za-z0-9]{20,}|xai-[A-Za-z0-9]{20,}|pplx-[A-Za-z0-9]{20,}|nvapi-[\w-]{20,}|fw_[A-Za-z0-9]{20,}"
    r"|tgp_v1_[\w-]{20,}|wandb_v\d_[\w-]{20,}|api_org_[A-Za-z0-9]{20,}|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{40,}"
    r"|dop_v1_[0-9a-f]{32,}|gl(?:sa|c)_[\w+/=]{20,}|sntr[yu]s_[\w+/=-]{20,}|shp(?:at|ss|ca|pa)_[0-9a-fA-F]{20,}"
    r"|whsec_[A-Za-z0-9+/=]{16,}|lin_api_[A-Za-z0-9]{20,}|dckr_pat_[\w-]{16,}|LTAI[A-Za-z0-9]{16,}"
    r"|(?:sl|ATATT3|ATCTT3)\.?[A-Za-z0-9_=-]{60,}|ATBB[A-Za-z0-9]{24,}|\d{8,10}:AA[\w-]{33}"
    r"|GOCSPX-[\w-]{20,}|1//0[\w-]{30,}|AGE-SECRET-KEY-1[0-9A-Z]{16,}|tvly-(?:dev-)?[A-Za-z0-9]{16,}|ls__[0-9a-f]{32}"
    r"|lsv2_(?:pt|sk)_[0-9a-f]{20,}\w*|pcsk_\w{20,}|jina_\w{30,}|hv[sbr]\.[\w-]{20,}|ntn_[A-Za-z0-9]{30,}"
    r"|e?secret_(?:lab_)?[A-Za-z0-9.]{24,}|figd_[\w-]{20,}|dp\.(?:pt|st|ct|sa)\.\w{20,}|pscale_(?:tkn|pw)_[\w-]{16,}"
    r"|key-[0-9a-f]{32}|SK[0-9a-f]{32}|(?:a[ks]|pa)-(?=[A-Za-z]*+[0-9])[A-Za-z0-9]{20,}|local-[0-9a-f]{40}"
    r"|[MNO][\w-]{23,25}\.[\w-]{6}\.[\w-]{27,}|gAAAAA[\w-]{60,}={0,2}|(?:FwoGZXIvYXdz|IQoJb3JpZ2luX2Vj)[\w+/=-]{16,}"
    r"|\w{3}[78]Q~[\w.~-]{31,}"
    r")",
    re.DOTALL,
)
_WEBHOOK = re.compile(r"(hooks\.slack\.com/(?:services|workflows)/|discord(?:app)?\.com/api/webhooks/)[\w/-]{8,}")
_LOGIN = re.compile(
    r"((?i:wandb)\W+login\b[^\n]{0,200}?(?<![0-9A-Za-z])|(?i:wandb)\W+(?:\w+@)?|(?<![\w])api:)[0-9a-f]{40}(?![0-9a-f])"
)
"""A key of W&B looks like a commit, so that only what stands before it tells them apart."""
_SPOKEN = re.compile(
    r"(?<![\w.-])((?i:password|passwd|passphrase|(?:add-)?authtoken)\s+(?:is\s+)?)"
    r"(?=[^\s=:]*[0-9])(?=[^\s=:]*[A-Za-z])[^\s=:]{8,}"
    # The user of a command, and who that is in a container are numbers.
    r"|((?<!\S)(?:-u|--user)[ =][\"']?[^\s:\"'/]{1,100}:)(?![0-9]+(?:\s|\Z))[^\s\"']+"
    r"|(<(?i:password|passwd|passphrase|secret|[\w.-]{0,40}(?:token|key|secret|password))>)[^\s<]+(?=\s*</)"
)
"""What stands behind the name of a secret and no sign: in files of logins, in commands, in XML."""
_RANDOM = re.compile(r"(?<![A-Za-z0-9/+=_.-])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_.-])")
_WORD = re.compile("[a-z]{4}")
_LEAST_TURNS = 18
"""Of forty random characters, so many are of another kind than the one before; of words and paths some ten are."""
_SCHEME = re.compile(
    r"\b((?i:bearer)\s+)[\w.~+/=-]{6,}"
    # Base64 has digits, padding, or capitals inside a word; "basic training" has not.
    r"|\b((?i:basic)\s+)(?=[A-Za-z+/]*?(?:[0-9=]|[a-z][A-Z]))[A-Za-z0-9+/]{8,}={0,2}"
)
# Inside of other text quotes stand behind backslashes, which are slashes in what was taken for a path.
_ASSIGNMENT = re.compile(
    r"(?<![\w-])(?:(--?)?+([A-Za-z_][\w-]*+)"
    r"([\\/]*+[\"']?+\s*+(?:\]\s*+)?+(?:=>|:=|[=:]|%3[Dd])\s*+(?:[\\/]*+[\"'])?+|\\*+[\"']\s*+,?+\s*+\\*+[\"'])"
    r"|(--?)([A-Za-z][\w-]*+)(\s++[\"']?+)(?!-))(?=\S)"
)
_VALUE = re.compile(r"[^\s&,;\"'<>{}]+")
_WHOLE_VALUE = re.compile(r"(?:[^\s&,;\"'<>{}]|[&,;<>{}](?![\w.-]{0,100}[=:])(?=[^\s&,;\"'<>{}()\[\]\\]))+")
"""A password may hold a comma; behind it there may be another name with its value instead."""
_COUNT = re.compile(r"[0-9]++(?:[.,_][0-9]++)*+(?:[eE][+-]?[0-9]+)?[kKMB]?(?![^\s,;)\]}])")
_BLOCK = re.compile(r"[|>][+-]?[ \t]*\n[^\n]*")
"""In YAML: a text on the lines below."""
_HINT = re.compile(
    r":(?:/|aa)|key|t(?:oken|gp_|vly)|s(?:ecret|ig|as|ess|k[-_]|k[0-9a-f]{4}|bp?_|g\.|l\.|ntr|hp)"
    r"|p(?:ass|wd|k[-_]|plx-|ypi-|a-|scale)|a(?:uth|[ks]ia|iza|pi[:_]|tatt|tctt|tbb|[ks]-)|c(?:red|ookie|srf)"
    r"|b(?:earer|asic )|eyj|h(?:f_|ook|v[sbr]\.)|jwt|_sid|wandb|ya29|gocspx|1//0|lsv?\d?_|jina_|ntn_|figd|dp\.|local-"
    r"|g(?:h[pousr]_|ithub_|l[a-z]{2,5}-|sk_|lsa_|lc_|aaaaa)|x(?:ox|app-|ai-)|r(?:k[-_]|8_|pa_)"
    r"|d(?:sn|api|op_|ckr)|n(?:vapi-|pm_)|fw_|ltai|fwogz|iqojb|[78]q~|%3a|-u |--user|\.[\w-]{6}\."
)
"""Of texts in small letters, sorted by their first: it is asked of every text, and to ignore case takes ten times as
long."""
_HINT_IN_ANY = re.compile(_HINT.pattern, re.IGNORECASE)
"""Letters beyond ASCII may be one of these in another case, as a dotless i is."""
_LONG_WORD = re.compile(r"[A-Za-z0-9/+]{40}")


def redact(text: str) -> str:
    """Return ``text`` with every credential in it replaced by dots.

    Credentials are known by their shape (``hf_...``, ``sk-...``, JSON web tokens, private keys), by what
    stands before them (``Bearer``, ``api_key=``), and by their place in a URL (``user:password@host``).

    Example:
        >>> redact("https://me:pw@host/x"), redact("run --api-key abc --max_tokens 5")
        ('https://••••@host/x', 'run --api-key •••• --max_tokens 5')
    """
    # On long text the search for hints takes longer than the work it saves.
    if len(text) < HINT_CHARACTERS:
        return _redacted_short(text)
    return _redacted(text)


@lru_cache(maxsize=8192)
def _redacted_short(text: str) -> str:
    hint = _HINT.search(text.lower()) if text.isascii() else _HINT_IN_ANY.search(text)
    return _redacted(text) if hint or (len(text) >= 40 and _LONG_WORD.search(text)) else text


def redact_path(path: str) -> str:
    """As ``redact``, of a path whose parts are shown by themselves: none of them ends in the middle of another.

    Example:
        >>> redact_path("token=5f3a/x"), redact_path("a/https:/me:pw@host/x")
        ('token=••••/x', 'a/https:/••••@host/x')
    """
    return "/".join(map(_redact_assignments, _without_known(path).split("/"))) if redact(path) != path else path


def _redacted(text: str) -> str:
    return _redact_assignments(_without_known(text))


def _without_known(text: str) -> str:
    """A text without what is a credential whatever name stands before it."""
    text = _SHAPES.sub(lambda found: found.group() if _is_model(found.group()) else MASK, text)
    text = _URL_USER.sub(_behind(f"{MASK}@"), text)
    text = _WEBHOOK.sub(_behind(MASK), text)
    text = _LOGIN.sub(_behind(MASK), text)
    text = _RANDOM.sub(lambda found: MASK if _is_random(found.group()) else found.group(), text)
    text = _SPOKEN.sub(_behind(MASK), text)
    return _SCHEME.sub(_behind(MASK), text)


def _behind(mask: str) -> Callable[[re.Match[str]], str]:
    """Puts dots behind what announces a credential, which is a group of the pattern."""
    return lambda found: f"{found.group(found.lastindex or 0)}{mask}"


def _is_model(text: str) -> bool:
    """Whether what begins like a token of Hugging Face's is a name like "hf_mistral7binstruct"."""
    return text.startswith("hf_") and len(text) < 23 and _WORD.search(text) is not None


def _is_random(text: str) -> bool:
    """Whether characters look like those of a key: letters of both cases and digits, in no order."""
    kinds = ["u" if each.isupper() else "l" if each.islower() else "d" if each.isdigit() else "o" for each in text]
    turns = sum(one != other for one, other in pairwise(kinds))
    return {"u", "l", "d"} <= set(kinds) and turns >= _LEAST_TURNS


def _redact_assignments(text: str) -> str:
    """Blot out what stands after the name of a secret: ``name=value``, ``name: value``, ``--name value``."""
    parts: list[str] = []
    done = 0
    plain = 0
    for found in _ASSIGNMENT.finditer(text):
        if found.start() < done:
            continue
        name, separator = found.group(2) or found.group(5), found.group(3) or found.group(6)
        end, plain = _end_of_secret(text, found.end(), name, separator, plain)
        if end > found.end():
            parts += [text[done : found.end()], MASK]
            done = end
    return "".join([*parts, text[done:]])


def _end_of_secret(text: str, start: int, name: str, separator: str, plain: int) -> tuple[int, int]:
    """Where the secret that starts at ``start`` ends; ``start`` itself if it is none.

    ``plain`` is up to where a value without a digit was seen that the place may be inside of. It is given back anew:
    of "key:key:key:" each value would be read to the end of all of them.
    """
    words = words_of(name)
    level = Secrecy.ALL if SIGNATURES.search(words) else secrecy(name)
    if not level:
        return start, plain
    if level is Secrecy.TEXT and (count := _COUNT.match(text, start)):
        # "tokens: 5,000" is a count, "token: 5000" need not be.
        return (start if words.endswith("s") or not count.group().isdecimal() else count.end()), plain
    if separator[-1] in "\"'":
        end = _closing(text, start, separator)
        # In a list ('key', 'value') the names of columns stand beside each other too.
        is_listed = not set("=:%") & set(separator) and not text.startswith("-", start - len(separator) - len(name) - 1)
        return (start if is_listed and not any(map(str.isdecimal, text[start:end])) else end), plain
    if block := _BLOCK.match(text, start):
        return block.end(), plain
    if ":" in separator:
        if level is Secrecy.ALL:
            # A header line: "Authorization: token abc".
            end = text.find("\n", start)
            return (end if end >= 0 else len(text)), plain
        if start < plain:
            return start, plain
    found = (_WHOLE_VALUE if level is Secrecy.ALL else _VALUE).match(text, start)
    # "Key: the answer" is prose, "token: 5f3a" is not.
    if found and ":" in separator and not any(map(str.isdigit, found.group())):
        return start, found.end()
    return (found.end() if found else start), plain


def _closing(text: str, start: int, separator: str) -> int:
    """Where the quote stands, with its backslashes, that closes the one at the end of the separator."""
    quote = separator[-1]
    slashes = len(separator) - 1 - len(separator[:-1].rstrip("\\"))
    end = text.find(quote, start)
    while end >= 0:
        before = 0
        while before < end - start and text[end - before - 1] == "\\":
            before += 1
        if before <= slashes:
            return end - before
        end = text.find(quote, end + 1)
    return len(text)
