"""Verdicts of LLM judges: no judgments of people, but votes of models.

- The annotations of alpaca_eval (a list of JSON): item ``instruction`` and ``generator_2``, judge ``annotator``. A
  ``preference`` of 1 or 2 names the output; between them it is a probability: 1.2 gives ``output_2`` 0.2. Ties (0 and
  1.5), and what could not be parsed (null), are abstains.
- Logs of inspect_ai (``.json``, or ``.eval``, which is a zip file): item ``id``, the model that was evaluated, and the
  epoch where there are several; the judge is the model in the options of a scorer, its name where there is none.
  Scorers that are code are no judges. Several of one name (``model_graded_qa``, ``model_graded_qa1``) are judges of one
  question. A verdict that was not found in what the judge wrote is an abstain, though the log has "I" for it.
- Results of promptfoo (JSON): item is the test, the ``provider``, which is the system that is tested and no judge, the
  prompt and the rubric where there are several; the judge is the provider of an assertion that a model grades, its type
  where none is named. The label is ``pass`` or ``fail``.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import zipfile
import zlib
from collections import Counter
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from consensus.errors import FormatError
from consensus.formats import archives
from consensus.formats.platforms.records import Judged, parsed_json, reading, whole_json
from consensus.formats.platforms.seam import head_of
from consensus.formats.tables.roles import listed
from consensus.formats.tables.streams import displayed, unreadable
from consensus.inputs.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from hashlib import _Hash
    from pathlib import Path

    from consensus.formats.platforms.seam import Head
    from consensus.formats.tables.blocks import Reading

PAGE = "llm-judges"
"""The page about them, among those of platforms."""
ALPACA, INSPECT, PROMPTFOO = "alpaca_eval annotations file", "inspect_ai log", "promptfoo results file"
KEYS = {
    ALPACA: (b"[", ("instruction", "output_1", "output_2", "annotator", "preference")),
    INSPECT: (b"{", ("status", "eval", "run_id", "task")),
    PROMPTFOO: (b"{", ("evalId", "results", "prompts")),
}
"""How a file of JSON begins, and what its head has keys of."""
ZIPPED = b"PK\x03\x04"
HEADER, SAMPLES = "header.json", "samples/"
GRADED = "model_graded"  # begins names of scorers that ask a model
NOT_FOUND = "Grade not found"  # begins the explanation of a verdict that is none
GRADERS = re.compile(
    r"(?:not-)?(?:llm-rubric|model-graded-.+|factuality|g-eval|answer-relevance|context-.+|select-best)"
)
ROLES = ("item", "model", "label", "probability")
OUTPUTS = ("output_1", "output_2")


def kind_of(head: Head) -> str:
    """Which of them a file is; empty for any other."""
    start = head.text
    if start.startswith(ZIPPED):
        return INSPECT if _is_log(head.path) else ""
    for kind, (first, keys) in KEYS.items():
        if start.startswith(first) and all(re.search(rb'"%s"\s*:' % key.encode(), start) for key in keys):
            return kind
    return ""


def _is_log(path: Path) -> bool:
    names = archives.names_in(path)
    return HEADER in names and any(name.startswith(SAMPLES) for name in names)


def refusal(path: Path, kind: str) -> FormatError:
    """The error where such a file shall hold judgments beside those of people."""
    return FormatError(
        f"this file ({kind}) holds verdicts of models, and no judgments of people; give it as votes of models, "
        f"by itself or beside judgments: consensus run --model-votes {shlex.quote(str(path))}",
        path,
    )


def votes_in(path: Path, named: Mapping[str, str | None], usual: Mapping[str, str | None]) -> Reading | None:
    """The verdicts of such a file; None where it is none.

    Parameters
    ----------
    path
        The file.
    named
        By role, what the user named: "label" is the scorer of a log. Where any other is named, it is a plain table.
    usual
        The same, where it may be missing.

    Raises
    ------
    FormatError
        The file can't be read, or several scorers could be meant.
    """
    head = head_of(path)
    kind = kind_of(head)
    if not kind or any(named.get(role) for role in ROLES if role != "label"):
        return None
    digest, told = hashlib.sha256(), _Told(path, kind)
    whole = _log_in(path, digest) if head.start.startswith(ZIPPED) else whole_json(path, digest)
    if kind == INSPECT:
        votes = list(_of_inspect(whole, told, named.get("label"), usual.get("label")))
    else:
        votes = list((_of_alpaca if kind == ALPACA else _of_promptfoo)(whole, told))
    if not votes:
        raise FormatError(f"no verdict of a judge in this {kind}", path)
    return reading(path, votes, ROLES, digest=digest, platform=kind, columns={"item": told.item}, note=told.note)


class _Told:
    """What a file turned out to hold."""

    def __init__(self, path: Path, kind: str) -> None:
        self.path, self.kind = path, kind
        self.item = self.label = ""
        self.models: set[str] = set()
        self.silent: Counter[str] = Counter()
        """Verdicts that are none, by why."""

    def vote(self, line: int, item: list[Any], model: Any, label: Any, probability: str | None = None) -> Judged:
        """A vote; a reject where its item or its model is no text."""
        for role, values in (("item", item), ("model", [model])):
            if not all(isinstance(one, str) and one for one in values):
                return Judged(line, {}, f"the {role} is missing or no text")
        self.models.add(model)
        return Judged(
            line, {"item": " | ".join(item), "model": model, "label": label or None, "probability": probability}
        )

    def note(self) -> str:
        """What was understood, in a line."""
        name = PurePath(displayed(self.path)).name
        n = len(self.models)
        said = [f"{name} ({self.kind}): item {self.item}, {counted(n, 'judge')}, label {self.label}"]
        if self.silent:
            said.append("no verdict: " + ", ".join(f"{why} {times:,}" for why, times in sorted(self.silent.items())))
        return "; ".join([*said, "judges are models, so that their verdicts are votes of models"])


def _of_alpaca(whole: Any, told: _Told) -> Iterator[Judged]:
    """Preferences between two outputs."""
    told.item, told.label = "instruction and generator_2", "preference (output_1 or output_2)"
    for n, one in enumerate(_list(whole), 1):
        if not isinstance(one, dict):
            yield Judged(n, {}, "not a JSON object")
            continue
        item, judge = [one.get("instruction"), one.get("generator_2")], one.get("annotator")
        given = one.get("preference")
        try:
            preference = 0.0 if given is None else float(given)
        except (TypeError, ValueError):
            preference = -1.0
        if preference in {0.0, 1.5}:
            told.silent["not parsed" if given is None else "tie"] += 1
            yield told.vote(n, item, judge, None)
        elif 1 <= preference <= 2:
            share = preference - 1
            soft = None if share in {0.0, 1.0} else f"{max(share, 1 - share):.9g}"
            yield told.vote(n, item, judge, OUTPUTS[share > 0.5], soft)
        else:
            yield Judged(n, {}, "the preference is no number from 1 to 2")


def _log_in(path: Path, digest: _Hash) -> Any:
    """The log that is packed in a zip file, as if it were one object.

    Raises
    ------
    FormatError
        It can't be read.
    """
    with unreadable(path):
        digest.update(path.read_bytes())
        try:
            with zipfile.ZipFile(path) as archive:
                samples = [parsed_json(archive.read(name)) for name in _samples(archive)]
                return {**_dict(parsed_json(archive.read(HEADER))), "samples": samples}
        except (ValueError, zipfile.BadZipFile, zlib.error, RuntimeError, EOFError) as error:
            raise FormatError(f"this {INSPECT} is damaged: {error}; copy it again", path) from None


def _samples(archive: zipfile.ZipFile) -> list[str]:
    return sorted(one for one in archive.namelist() if one.startswith(SAMPLES) and one.endswith(".json"))


def _of_inspect(whole: Any, told: _Told, named: str | None, usual: str | None) -> Iterator[Judged]:
    """Scores that models gave."""
    log = _dict(whole)
    about = _dict(log.get("eval"))
    samples = [(n, _dict(one)) for n, one in enumerate(_list(log.get("samples")), 1)]
    judges = {str(one.get("name")): _judge_of(one) for one in map(_dict, _list(about.get("scorers")))}
    scored = dict.fromkeys(name for _, one in samples for name in _dict(one.get("scores")))
    question, names = _scorers(told.path, list(scored), judges, named, usual)
    evaluated = about.get("model")
    several = any(str(one.get("epoch", "1")) != "1" for _, one in samples)
    told.item = "id, model" + (" and epoch" if several else "")
    told.label = question
    for n, one in samples:
        scores = _dict(one.get("scores"))
        for name in names:
            if name not in scores:
                continue
            score = _dict(scores[name])
            value, why = score.get("value"), score.get("explanation")
            item = [one.get("id"), *([evaluated] if evaluated else []), *([one.get("epoch")] if several else [])]
            if isinstance(value, (dict, list)):
                yield Judged(n, {}, f"the value of {name} is no single one")
                continue
            if isinstance(why, str) and why.startswith(NOT_FOUND):
                told.silent["not parsed"] += 1
                value = None
            label = str(value).lower() if isinstance(value, bool) else value
            yield told.vote(n, item, judges.get(name) or name, label)


def _judge_of(scorer: dict[str, Any]) -> str:
    """The model that a scorer asks; empty where it names none."""
    options = _dict(scorer.get("options"))
    model = next((options[key] for key in ("model", "model_role") if options.get(key)), None)
    several = model if isinstance(model, list) else [model]
    return " + ".join(str(_dict(one).get("model") or one) for one in several if one)


def _scorers(
    path: Path, scored: list[str], judges: Mapping[str, str], named: str | None, usual: str | None
) -> tuple[str, list[str]]:
    """The question, and the scorers that ask it."""
    groups: dict[str, list[str]] = {}
    for name in scored:
        groups.setdefault(name.rstrip("0123456789") if name not in {named, usual} else name, []).append(name)
    asked = [one for one in groups if one.startswith(GRADED) or any(judges.get(name) for name in groups[one])]
    wanted = named or (usual if usual in groups else None)
    said = f"{path}: the scorers of this {INSPECT} are: {listed(scored) or 'none'}"
    if wanted is not None:
        if wanted not in groups:
            raise FormatError(f'{said}; there is no "{wanted}": correct --vote-label')
        return wanted, groups[wanted]
    if len(asked) != 1:
        which = f"several of them ask a model ({listed(asked)})" if asked else "none of them asks a model"
        raise FormatError(f"{said}; {which}; choose one with --vote-label")
    return asked[0], groups[asked[0]]


def _of_promptfoo(whole: Any, told: _Told) -> Iterator[Judged]:
    """Assertions that models graded."""
    told.label = "pass or fail"
    results = [_dict(one) for one in _list(_dict(_dict(whole).get("results")).get("results"))]
    graded = [(n, one, verdict) for n, one in enumerate(results, 1) for verdict in _graded(one)]
    prompts = len({str(one.get("promptIdx")) for _, one, _ in graded}) > 1
    rubrics = len({_rubric(verdict) for _, _, verdict in graded}) > 1
    told.item = "test, provider" + ", prompt" * prompts + ", rubric" * rubrics
    for n, one, verdict in graded:
        test = _dict(one.get("testCase")).get("description") or one.get("testIdx")
        item = [test, _provider(one.get("provider"))]
        item += [f"prompt {one.get('promptIdx')}"] if prompts else []
        item += [_rubric(verdict)] if rubrics else []
        assertion = _dict(verdict.get("assertion"))
        options = _dict(_dict(one.get("testCase")).get("options"))
        judge = _provider(assertion.get("provider")) or _provider(options.get("provider")) or assertion.get("type")
        passed = verdict.get("pass")
        if isinstance(passed, bool):
            yield told.vote(n, item, judge, "pass" if passed else "fail")
        else:
            told.silent["neither passed nor failed"] += 1
            yield told.vote(n, item, judge, None)


def _graded(result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The verdicts of models on a result."""
    for one in _list(_dict(result.get("gradingResult")).get("componentResults")):
        kind = _dict(_dict(one).get("assertion")).get("type")
        if isinstance(kind, str) and GRADERS.fullmatch(kind):
            yield one


def _rubric(verdict: dict[str, Any]) -> str:
    assertion = _dict(verdict.get("assertion"))
    value = assertion.get("value")
    told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return f"{assertion.get('type')}: {told}"


def _provider(value: Any) -> str:
    """The name of a provider; empty where there is none."""
    found = _dict(value).get("label") or _dict(value).get("id") if isinstance(value, dict) else value
    return found if isinstance(found, str) else ""


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
