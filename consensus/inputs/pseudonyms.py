"""Names in place of the ids of workers, by a key: who has the key can make them again, and nobody else can guess them.

HMAC-SHA256 (RFC 2104) of the id, of which 60 bits are shown: the same id and key always have the same name, on any
machine and among any others.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from consensus.errors import ConfigError, JudgmentError, reason
from consensus.inputs.counted import counted
from consensus.inputs.identities import NOBODY
from consensus.inputs.notices import Notice

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from consensus.config import ReadConfig
    from consensus.inputs.judgments import Reject

SHOWN = 12  # letters and figures of 5 bits
LEAST_BYTES, MOST_BYTES = 16, 1 << 20  # of a key
MAIL = r"^\s*[^\s@,;]+@[^\s@,;]+\.[^\s@,;]+\s*$"
PERSONAL = re.compile(
    r"(?:^|[\W_])(?:e[\W_]?mails?|mail|ip|ip[\W_]?addr(?:ess)?|phone|telephone|city|town|region|country|location|address|street|"
    r"zip|zip[\W_]?code|postal[\W_]?code|postcode|lat|latitude|lon|lng|longitude|geo)(?:$|[\W_])",
    re.IGNORECASE,
)
"""Names of columns that tell who or where somebody is."""
NAMING = ("anonymous", "drop", "gold_worker", "wide_columns")
"""Settings that may name workers."""
NOT_SHOWN = "not shown"


def read_key(path: Path | str) -> bytes:
    """The key: all bytes of a file.

    Raises
    ------
    ConfigError
        There is no such file, it can't be read, or it is too short or too long for a key.
    """
    try:
        with Path(path).open("rb") as file:
            key = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"can't be read as a key: {reason(error)}; {HOW}", path) from None
    if len(key.strip()) < LEAST_BYTES:
        raise ConfigError(
            f"a key of {counted(len(key.strip()), 'byte')} can be guessed; it takes {LEAST_BYTES} or more: {HOW}", path
        )
    if len(key) > MOST_BYTES:
        raise ConfigError(f"more than {MOST_BYTES:,} bytes are no key; {HOW}", path)
    return key


HOW = "make one with: head -c 32 /dev/urandom > FILE"


def pseudonym(key: bytes, worker: str) -> str:
    """The name of a worker, such as ``p-k3x9qab2c4de``; names that are nobody's, such as guest, stay."""
    if worker.strip().lower() in NOBODY:
        return worker
    digest = hmac.new(key, worker.encode("utf-8", "surrogateescape"), hashlib.sha256).digest()
    return f"p-{base64.b32encode(digest).decode()[:SHOWN].lower()}"


def pseudonyms(key: bytes, workers: Sequence[str]) -> list[str]:
    """The names of different ``workers``.

    Raises
    ------
    JudgmentError
        Two have the same one (of a million workers, that happens with one key in 2 million).
    """
    names = [pseudonym(key, one) for one in workers]
    if len(set(names)) < len(names):
        raise JudgmentError("two workers have the same pseudonym; take another key (--pseudonyms)")
    return names


def shown(rejects: Sequence[Reject], settings: ReadConfig, unused: Sequence[str]) -> Sequence[Reject]:
    """Rows that can't be used, without what stood in them where that tells who or where somebody is.

    So it does where workers have pseudonyms, and where an ``unused`` column is called like an address or a place; none
    of a platform's export, whose reader leaves such cells out of rows. Where files are called like workers who have
    pseudonyms, their names are not shown either.
    """
    hides = settings.pseudonyms is not None
    if not (hides or any(PERSONAL.search(name) for name in unused)):
        return rejects
    of_files = hides and settings.worker_from_file
    return [replace(one, row=NOT_SHOWN, file=NOT_SHOWN if of_files else one.file) for one in rejects]


def notices(worker_ids: pa.StringArray) -> list[Notice]:
    """Say that ids of workers look like e-mail addresses."""
    import pyarrow.compute as pc

    n = pc.sum(pc.match_substring_regex(worker_ids, MAIL)).as_py() or 0
    if not n:
        return []
    whose = (
        "look like e-mail addresses, which tell who somebody is" if n > 1 else "looks like an e-mail address, which "
    )
    whose += "" if n > 1 else "tells who somebody is"
    message = (
        f"{n:,} of {counted(len(worker_ids), 'id')} of workers {whose}, and every output holds them; "
        "--pseudonyms KEYFILE writes other names"
    )
    return [Notice("workers_are_addresses", message, {"n_workers": n}, ("--pseudonyms", "KEYFILE"))]
