"""Every platform of the registry keeps the same promises, on a made-up export of its own in tests/platforms."""

import contextlib
import csv as csv_module
import gzip
import hashlib
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from consensus import read, read_gold
from consensus.config import ReadConfig
from consensus.errors import ConfigError, FormatError
from consensus.formats import columns_of, platforms
from consensus.formats.platforms.seam import START, Head, Platform, head_of
from consensus.inputs.judgments import Judgments
from tests.conftest import ROOT, Run, csv

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

Write = Callable[[str, str | bytes], Path]
EXAMPLES = ROOT / "tests" / "platforms"
SECRETS = ("203.0.113.", "198.51.100.", "2001:db8", "Waco", "Leeds", "Nagpur", "Maracay", "@example.")
"""What stands in the columns of addresses, cities and e-mails of all examples."""
PLAIN = [
    "item,worker,label",
    "_unit_id,_worker_id,Answer",
    "_unit_id,_worker_id,label,text",
    "unit_id,worker_id,trust,label,colour_gold",
    "_unit_id,_worker_id,_trust,label",
    "_unit_id,_golden,_unit_state,judgments,_last_judgment_at,colour,colour:confidence",
    "_unit_id,user,_trust,_created_at,label",
    "_id,_worker_id,_trust,_created_at,label",
    "HITId,WorkerId,SubmitTime,Answer.label",
    "HITId,WorkerId,AssignmentId,Answer.label",
    "HITId,WorkerId,SubmitTime,WorkTimeInSeconds,Answer.label",
    "HITId,WorkerId,AssignmentId,SubmitTime,WorkTimeInSeconds,label",
    "hitid\tworkerid\tassignmentid\tassignmentstatus\treward\tlabel",
    "task_id,annotator,created_at,label,lead_time",
    "id,annotator,label,created_at,updated_at,lead_time",
    "annotation_id,annotator,label",
    "annotation_id,item,label,created_at,updated_at,lead_time",
    "item,label",
    "item,model,label,probability",
    "item\tworker\tlabel",
    "item;worker;label;_unit_id _worker_id _trust _created_at",
    'item,worker,"_unit_id,_worker_id,_trust,_created_at",label',
    "",
    '{"item": "a", "worker": "_worker_id", "label": "_unit_id"}',
    '[{"id": 1, "annotations": []}]',
    '{"images": [], "annotations": [{"id": 1, "image_id": 2, "category_id": 3}], "completed_by": "someone"}',
    '[{"annotations": "0,1", "annotators": "Ann1,Ann2", "from_name": "x", "lead_time": 3}]',
    '{"annotation_id": 1, "worker": "annotator"}',
    '{"results": {"judgments": 3}, "worker_id": 1, "label": "x"}',
    '{"_input_hash": 1, "_task_hash": 2, "item": "a", "worker": "v", "label": "x"}',
    '[{"datasetObjectId": 1, "annotations": []}]',
    '{"source-ref": "a.png", "worker": "v", "label": "groundtruth/x"}',
    "true,decided,cost",
    "classification_id,user_name,workflow_id,subject_ids,answer",
    "classification_id,user_name,user_id,workflow_id,task,created_at,subject_id,extractor,data.yes,data.no",
    "annotations,subject_ids,user_name,metadata",
    "INPUT:image,worker,label",
    "OUTPUT:result,item,worker",
    "ASSIGNMENT:worker_id,ASSIGNMENT:status,item,label",
    '{"id": 1, "responses": "x", "suggestions": "y", "fields": "z"}',
    '{"id": 1, "text": "t", "label": ["x"], "worker": "v"}',
    '{"a": {"annotations": "0,1", "annotators": "v,w"}}',
    "v\ta\tx\n" * 9,
    "a,b,c,d\nx,,y,x",
    "x" * 70_000 + ",_unit_id,_worker_id",
]
each = pytest.mark.parametrize("platform", platforms.PLATFORMS, ids=[one.NAME for one in platforms.PLATFORMS])


def example(platform: Platform) -> Path:
    (found,) = EXAMPLES.glob(f"{platform.NAME}.*")
    return found


def balanced(judgments: Judgments) -> bool:
    tally = judgments.tally
    return tally.read == tally.used + tally.abstained + tally.repeated + tally.rejected


def same(one: Judgments, other: Judgments) -> bool:
    pairs = [None if it.gold is None else list(zip(it.gold.item, it.gold.label, strict=True)) for it in (one, other)]
    arrays = ("item", "worker", "label", "timestamp", "duration", "price", "group")
    return (
        all(np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays)
        and (one.tally, one.labels, pairs[0]) == (other.tally, other.labels, pairs[1])
        and [(it.line, it.reason, it.row) for it in one.rejects]
        == [(it.line, it.reason, it.row) for it in other.rejects]
    )


class TestEveryPlatform:
    def test_names_differ(self) -> None:
        names = [platform.NAME for platform in platforms.PLATFORMS]
        assert len({*names, platforms.NONE}) == len(names) + 1

    @each
    def test_knows_its_own_export_and_no_other(self, platform: Platform) -> None:
        head = head_of(example(platform))
        assert [one.NAME for one in platforms.PLATFORMS if one.sniff(head)] == [platform.NAME]
        begin = time.process_time()
        platforms.recognised(head_of(example(platform)))
        assert time.process_time() - begin < 0.05

    @each
    @pytest.mark.parametrize("header", PLAIN)
    def test_leaves_plain_tables_alone(self, platform: Platform, header: str, write: Write) -> None:
        assert not platform.sniff(head_of(write("plain.csv", header + "\na,b,c,d\n")))

    @each
    def test_never_fails_on_a_head(self, platform: Platform, write: Write, tmp_path: Path) -> None:
        whole = example(platform).read_bytes()
        nowhere = [
            tmp_path,
            tmp_path / "nothing.csv",
            Path("/dev/zero"),
            write("cut.csv.gz", gzip.compress(whole)[:40]),
        ]
        assert not any(platform.sniff(head_of(path)) for path in nowhere)
        for start in (b"", b"\0" * 100, b"\xff\xfe_\0u\0", whole[:5], whole[:100] + b"\xff" * 100, b'"' + whole):
            assert platform.sniff(Head(tmp_path, start)) in {True, False}

    @each
    def test_goes_by_content_before_the_name(self, platform: Platform, write: Write, tmp_path: Path) -> None:
        whole = read(example(platform))
        assert balanced(whole)
        assert whole.n_judgments
        for name in ("export", "export.dat", "export.jsonl"):
            path = tmp_path / name
            shutil.copy(example(platform), path)
            assert same(read(path), whole)
            assert columns_of(path) == columns_of(example(platform))
        packed = write("export.gz", gzip.compress(example(platform).read_bytes()))
        assert same(read(packed), whole)
        assert same(read(example(platform), platform=platform.NAME, threads=1), whole)

    @each
    def test_says_what_it_understood(self, platform: Platform) -> None:
        name = f"{example(platform).name} is a"
        (note,) = [one for one in read(example(platform)).notes if one.startswith(name)]
        assert note.startswith(f"{example(platform).name} is a {platform.TITLE}: ")
        assert note.endswith("; --platform none reads it as a plain table")

    @each
    def test_gives_its_gold_either_way(self, platform: Platform) -> None:
        """If it has any without being told so."""
        found = read(example(platform))
        digest = hashlib.sha256(example(platform).read_bytes()).hexdigest()
        assert [one.sha256 for one in found.sources] == [digest]
        if found.gold is not None:
            gold = read_gold(example(platform))
            assert found.gold == replace(gold, sources=())
            assert [one.sha256 for one in gold.sources] == [digest]

    @each
    def test_tells_nobody_where_workers_are(self, platform: Platform, run: Run, tmp_path: Path) -> None:
        assert any(secret in example(platform).read_text() for secret in SECRETS)
        out = tmp_path / "out"
        ran = run("run", example(platform), "--output", out, "--posteriors", report=True)
        assert ran.status == 0, ran.err
        assert platform.TITLE in ran.err.splitlines()[2]
        written = [path.read_text() for path in out.iterdir()]
        assert "rejects.csv" in {path.name for path in out.iterdir()}
        assert len(written) >= 8
        for text in (*written, ran.err, ran.out):
            assert not [secret for secret in SECRETS if secret in text]

    @each
    def test_is_a_plain_table_if_told_so(self, platform: Platform, run: Run, tmp_path: Path) -> None:
        settings = tmp_path / "settings.toml"
        settings.write_text('platform = "none"\n')
        ran = run("aggregate", example(platform), "--config", settings)
        with contextlib.suppress(FormatError):  # few are one
            plain = read(example(platform), platform="none")
            assert (plain.notes, plain.gold) == ((), None)
        assert f" is a {platform.TITLE}" not in ran.err
        assert ran.status in {0, 1}


class TestChoice:
    def test_of_no_such_platform(self, write: Write) -> None:
        path = write("j.csv", csv([("a", "v", "x")]))
        with pytest.raises(ConfigError, match='unknown platform "crowd"; known are .*crowdflower, .*none') as caught:
            read(path, platform="crowd")
        assert all(platform.NAME in str(caught.value) for platform in platforms.PLATFORMS)
        with pytest.raises(ConfigError, match='unknown platform "crowd"'):
            read_gold(path, platform="crowd")

    def test_of_a_frame(self) -> None:
        frame = pd.DataFrame({"item": ["a"], "worker": ["v"], "label": ["x"]})
        assert read(frame, platform="none").n_judgments == 1
        with pytest.raises(ConfigError, match='platform = "crowdflower": a data frame is a plain table; give the file'):
            read(frame, platform="crowdflower")

    def test_plain_tables_are_read_as_ever(self, write: Write) -> None:
        path = write("j.csv", csv([("a", "v", "x"), ("b", "w", "y")], "_unit_id,_worker_id,label"))
        found = read(path)
        assert same(found, read(path, platform="none"))
        assert (found.notes, found.gold) == ((), None)

    def test_without_one_there_is_nothing_about_it_in_the_summary(self, write: Write, run: Run, tmp_path: Path) -> None:
        path = write("j.csv", csv([("a", "v", "x"), ("a", "w", "x")]))
        assert run("run", path, "--output", tmp_path / "out").status == 0
        summary = (tmp_path / "out" / "summary.json").read_text()
        assert "platform" not in summary
        assert "notes" not in summary
        settings = write("settings.toml", 'platform = "none"\n')
        assert run("run", path, "--output", tmp_path / "none", "--config", settings).status == 0
        assert '"platform": "none"' in (tmp_path / "none" / "summary.json").read_text()
        assert "platform" in ReadConfig.model_fields


class TestHeads:
    def test_hold_whole_rows_only(self, write: Write) -> None:
        head = head_of(write("j.csv", csv([("a" * 1000, "v", "x")] * 100)))
        assert len(head.start) == START
        assert head.columns == ["item", "worker", "label"]
        assert len(head.table) == 21
        assert {len(row) for row in head.table} == {3}

    def test_of_what_is_no_delimited_text(self) -> None:
        assert Head(Path("x"), b"").columns == []
        assert Head(Path("x"), b'"' + b"x" * 140_000).table == []
        with (ROOT / "tests/platforms/crowdflower.csv").open() as file:
            assert head_of(Path(file.name)).table == list(csv_module.reader(file))[:21]
