"""Records of Argilla, a list of JSON or one a line, in the three forms that it writes.

Assumed is:

- ``responses`` by question, each with ``value`` and ``user_id`` (``to_json`` of version 2); a list of responses with
  ``values`` and a ``status`` (the REST interface, and version 1); or columns ``<question>.responses``, ``.users`` and
  ``.status`` (data sets of Hugging Face).
- What was discarded is an abstain, and so is a draft. The first form has no status, so that all in it counts.
- The item is ``id``, the worker ``user_id``; the time, where there is one, ``updated_at``, else ``inserted_at``.
  Records that went out again (``consensus requeue``) have other ids in the REST interface: there the item is
  ``consensus_item`` of their metadata.
- Several values of one answer are one label. Marked spans and rankings are none.
- Suggestions are votes of models: of their ``agent``, or of "suggestion"; a ``score`` between 0 and 1 is a probability.
  Those of the agent "consensus" are labels that went out, and no votes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from consensus.formats.platforms import answered
from consensus.formats.platforms.answered import Export, Given, Said
from consensus.formats.platforms.seam import ITEM, OURS, is_ours
from consensus.formats.tables.text_form import PLAIN
from consensus.inputs.counted import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from consensus.formats.platforms.seam import Head
    from consensus.formats.tables.blocks import Reading
    from consensus.formats.tables.roles import Roles
    from consensus.formats.tables.text_form import TextForm

NAME = "argilla"
TITLE = "file of Argilla records"
KEYS = [re.compile(rb'"%s"\s*:\s*[\[{]' % key) for key in (b"responses", b"suggestions", b"fields")]
FLAT = [re.compile(rb'"([^"\\]+)%s"\s*:' % end) for end in (rb"\.responses", rb"\.responses\.users")]
RESPONSES, SUGGESTION = ".responses", ".suggestion"
NOT_ITEMS = ("responses", "suggestions", "vectors")
NO_ANSWER = ("discarded", "draft")
TIMES = ("updated_at", "inserted_at")
NOBODY = "suggestion"


def sniff(head: Head) -> bool:
    """Whether a file holds records: by the keys of the first ones."""
    start = head.text
    return start[:1] in {b"[", b"{"} and (all(key.search(start) for key in KEYS) or _is_flat(start))


def _is_flat(start: bytes) -> bool:
    """Whether some column of answers stands beside that of who gave them."""
    answers, users = ({*key.findall(start)} for key in FLAT)
    return not answers.isdisjoint(users)


def read(path: Path, roles: Roles, form: TextForm = PLAIN) -> Reading:
    """The responses to one question, and what models suggested.

    Raises
    ------
    FormatError
        The file can't be read, several questions could be meant, or a named value is missing.
    """
    lines, digest = answered.objects_in(path, form)
    asked = {
        name for line in lines for one in _objects(line.record.get("responses")) for name in _dict(one.get("values"))
    }
    given: list[Given] = []
    models: list[Said] = []
    went_out = any(map(_sent_as, (line.record for line in lines)))
    n_ours = 0
    for line in lines:
        if line.fault:
            given.append(Given(line.line, {}, {}, fault=line.fault))
            continue
        own = {key: value for key, value in line.record.items() if key not in NOT_ITEMS and not _is_answer(key)}
        if went_out:
            own[ITEM] = _sent_as(line.record) or own.get("id")
        for user, status, answers, times in responses(line.record, asked):
            state = status if status in NO_ANSWER else ""
            given.append(Given(line.line, {**own, "user_id": user, **times}, answers, state))
        said = list(suggestions(line.record))
        models += [Said(line.line, own, *one) for one in said if not is_ours(one[1])]
        n_ours += sum(is_ours(one[1]) for one in said)
    when = next((key for key in TIMES if any(one.record.get(key) for one in given)), "")
    usual = {"item": ITEM if went_out else "id", "worker": "user_id", "timestamp": when}
    also = [f'{counted(n_ours, "suggestion")} of "{OURS}", labels that went out, and no votes'] if n_ours else []
    return answered.read(Export(path, TITLE, given, digest, usual, models, also), roles)


def _sent_as(record: dict[str, Any]) -> Any:
    """The item that a record was sent for; None if it was not. In a data set of Hugging Face metadata are columns."""
    return _dict(record.get("metadata")).get(ITEM) or record.get(ITEM)


def _is_answer(key: str) -> bool:
    return RESPONSES in key or SUGGESTION in key


def responses(
    record: dict[str, Any], asked: Collection[str]
) -> Iterator[tuple[Any, str, dict[str, Any], dict[str, Any]]]:
    """Who answered, the status, values by question, and times; all that is ``asked`` where a response has them all."""
    found = record.get("responses")
    if isinstance(found, list):
        for one in _objects(found):
            values = _dict(one.get("values"))
            answers = {name: _dict(values.get(name)).get("value") for name in asked}
            times: dict[str, Any] = {key: one[key] for key in TIMES if key in one}
            yield one.get("user_id"), str(one.get("status") or ""), answers, times
        return
    for name, several in _dict(found).items():
        for one in _objects(several):
            yield one.get("user_id"), str(one.get("status") or ""), {name: one.get("value")}, {}
    for key, values in record.items():
        users, status = record.get(f"{key}.users"), record.get(f"{key}.status")
        if key.endswith(RESPONSES) and isinstance(values, list) and isinstance(users, list):
            states = status if isinstance(status, list) and len(status) == len(users) else [""] * len(users)
            for user, state, value in zip(users, states, values, strict=False):
                yield user, str(state), {key.removesuffix(RESPONSES): value}, {}


def suggestions(record: dict[str, Any]) -> Iterator[tuple[str, str, Any, Any]]:
    """Question, model, value and score."""
    found = record.get("suggestions")
    pairs: list[tuple[Any, dict[str, Any]]] = []
    pairs += [(one.get("question_name"), one) for one in _objects(found)] if isinstance(found, list) else []
    pairs += [(name, one) for name, one in _dict(found).items() if isinstance(one, dict)]
    for key, value in record.items():
        if key.endswith(SUGGESTION):
            more = {part: record.get(f"{key}.{part}") for part in ("agent", "score")}
            pairs.append((key.removesuffix(SUGGESTION), {"value": value, **more}))
    for name, one in pairs:
        agent = one.get("agent")
        if isinstance(name, str):
            yield name, agent if isinstance(agent, str) and agent else NOBODY, one.get("value"), one.get("score")


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
