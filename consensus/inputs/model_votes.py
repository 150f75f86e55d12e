"""Votes of models: classifiers and LLM judges, as validated columns of integer codes and probabilities."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.errors import JudgmentError
from consensus.inputs import item_columns, off_labels, shown
from consensus.inputs.counted import counted
from consensus.inputs.vocabulary import Vocabulary, positions
from consensus.inputs.vote_tally import NOTHING_READ, VoteTally

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.inputs.judgments import Judgments, Reject, Source
    from consensus.inputs.model_doubts import Doubts, Echoes, SharedMistakes
    from consensus.inputs.notices import Notice


OTHERS = "(another label)"
"""Stands among the labels of votes that all name one label with a score: for what they leave to others."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ModelVotes:
    """What models say about items, one vote an item and model, ordered by item, then model.

    Examples
    --------
    >>> consensus.read_model_votes({"gpt": {"img0": "cat"}})
    ModelVotes(1 vote on 1 item by 1 model, 0 with probabilities)
    """

    item: NDArray[np.int32]
    """(V,) code of the item, a position in ``item_ids``."""
    model: NDArray[np.int32]
    """(V,) code of the model, a position in ``models``."""
    label: NDArray[np.int32]
    """(V,) code of the label it finds most probable, of several the first."""
    row: NDArray[np.int32]
    """(V,) its row of ``probability``; -1 where it only names a label."""
    probability: NDArray[np.float32]
    """(S, K) what soft votes say; rows sum to 1."""
    item_ids: pa.StringArray
    """Sorted bytewise."""
    models: tuple[str, ...]
    """Sorted. A version of a model is a model of its own."""
    families: tuple[str, ...]
    """(M,) family of each model: models of one family may share their mistakes."""
    labels: tuple[str, ...]
    """Sorted."""
    declared: frozenset[str] = frozenset()
    """Labels that have a column of their own: these exist, whether or not somebody gives them."""
    tally: VoteTally = NOTHING_READ
    rejects: tuple[Reject, ...] = ()
    sources: tuple[Source, ...] = ()
    named: NDArray[np.int32] | None = None
    """(V,) the only label that a vote names or gives a score to; -1 where there are several; None: not known."""
    cautions: tuple[Notice, ...] = ()
    """What reading found odd."""
    notes: tuple[str, ...] = ()
    """What was understood of the files, in words."""

    @property
    def n_votes(self) -> int:
        """V."""
        return len(self.item)

    @property
    def n_models(self) -> int:
        """M."""
        return len(self.models)

    def __len__(self) -> int:
        return self.n_votes

    def __repr__(self) -> str:
        sizes = (counted(self.n_votes, "vote"), counted(len(self.item_ids), "item"), counted(self.n_models, "model"))
        facts = "{} on {} by {}, ".format(*sizes) + f"{len(self.probability):,} with probabilities"
        return shown.line("ModelVotes", facts, self.tally, [one.code for one in self.cautions])

    def _repr_html_(self) -> str:
        return shown.votes_card(self)

    def to_pandas(self) -> pd.DataFrame:
        """One row a vote: item, model, label, probability (of the label; missing of a vote that only names one)."""
        return shown.votes_frame(self)

    def align(self, judgments: Judgments, labels: Sequence[str] | None) -> tuple[Judgments, AlignedVotes]:
        """The judgments over all items and labels of both, and the votes as codes of these.

        ``labels`` is the label set, if the user gave it. Otherwise it is what people gave and what has a column of
        probabilities; where people gave nothing, also what models name.

        Raises
        ------
        JudgmentError
            A column of probabilities is for a label outside of the given set, or no vote names a label.
        """
        ordered = labels is not None
        if labels is None:
            labels = judgments.labels
            declared = frozenset(judgments.renaming.labels(sorted(self.declared), labels)) - {""}
            if labels and declared and declared.isdisjoint(labels):
                raise JudgmentError(
                    f'the model votes have columns for labels such as "{min(self.declared)}", the judgments labels '
                    f'such as "{labels[0]}": none is the same; rename the columns, or name the whole set with --labels'
                )
            if not labels or not declared.issubset(labels):
                labels = tuple(sorted({*labels, *declared} or {*self.labels} - {OTHERS}, key=str.encode))
        else:
            outside = sorted({*judgments.renaming.labels(sorted(self.declared), labels)}.difference({"", *labels}))
            if outside:
                raise JudgmentError(
                    f'the model votes have a column for the label "{outside[0]}", which is not in the label set; add '
                    "it to --labels, or leave the column out"
                )
        if tuple(labels) != judgments.labels:
            judgments = replace(judgments.with_labels(labels), labels_ordered=ordered)
        known = judgments.renaming.positions(self.item_ids, judgments.item_ids, "items")
        folded = np.flatnonzero((known >= 0) & (positions(self.item_ids, judgments.item_ids) < 0))
        votes = self if not len(folded) else self._with_names(folded, judgments.item_ids.take(known[folded]))
        judgments, code = _with_items(judgments, votes.item_ids)
        item = votes.item if code is None else code[votes.item]
        return judgments, votes._over(judgments, item, tuple(labels), ordered)

    def _with_names(self, items: NDArray[np.int64], names: pa.StringArray) -> ModelVotes:
        """The votes with other ``names`` (n,) of some items (n,).

        Of two votes of a model on one item, the first counts.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        chosen = np.arange(len(self.item_ids))
        chosen[items] = len(self.item_ids) + np.arange(len(items))
        all_names = pa.concat_arrays([self.item_ids, names]).take(chosen)
        item_ids = all_names.unique()
        item_ids = item_ids.take(pc.array_sort_indices(item_ids.cast(pa.binary())))
        item = positions(all_names, item_ids).astype(np.int32)[self.item]
        order = np.lexsort((self.model, item))
        first = np.ones(len(order), np.bool_)
        first[1:] = np.diff(item[order]).astype(np.bool_) | np.diff(self.model[order]).astype(np.bool_)
        kept = order[first]
        n_gone = len(order) - len(kept)
        tally = replace(self.tally, used=self.tally.used - n_gone, merged=self.tally.merged + n_gone)
        return replace(
            self,
            item=item[kept],
            model=self.model[kept],
            label=self.label[kept],
            row=self.row[kept],
            named=None if self.named is None else self.named[kept],
            item_ids=item_ids,
            tally=tally,
        )

    def _over(
        self, judgments: Judgments, item: NDArray[np.int32], labels: tuple[str, ...], given: bool
    ) -> AlignedVotes:
        names = tuple(dict.fromkeys(self.families))
        shared: dict[str, Any] = {
            "models": self.models,
            "family": np.array([names.index(name) for name in self.families], np.int32),
            "families": names,
            "rejects": self.rejects,
            "sources": self.sources,
        }
        ours = judgments.renaming.labels(self.labels, labels)
        if labels == tuple(ours):
            columns = item, self.model, self.label, self.row, self.probability
            start = _starts(item, judgments.n_items)
            return AlignedVotes(start, *columns, tally=self.tally, cautions=self.cautions, **shared)
        position = {label: code for code, label in enumerate(labels)}
        code = np.array([position.get(label, -1) for label in ours], np.int32)
        probability = _over_labels(self.probability, code, len(labels))
        self._spread(probability, code)
        mass = probability.sum(axis=1)
        label = code[self.label]
        row, soft = self.row.copy(), self.row >= 0
        label[soft] = np.where(mass > 0, probability.argmax(axis=1), -1)[row[soft]]
        named = self.label if self.named is None else np.where(self.named >= 0, self.named, self.label)
        only = ~soft if self.named is None else self.named >= 0
        label[only & (code[named] < 0)] = -1  # a score of a label outside says nothing about the others
        cautions = (*self.cautions, *self._off_labels(label < 0, named, ours, labels, given, judgments))
        votes = np.flatnonzero(label >= 0)
        if not len(votes):
            raise JudgmentError(
                f'no model vote names a label of the label set: "{self.labels[self.label[0]]}" is none; check the '
                "column of the label, or name the whole set with --labels"
            )
        counts = np.zeros(len(mass), np.bool_)  # some rows are for other labels only
        counts[row[votes][soft[votes]]] = True
        if not counts.all():
            row[soft] = (np.cumsum(counts, dtype=np.int32) - 1)[row[soft]]
            probability, mass = probability[counts], mass[counts]
        probability /= mass[:, None]
        return AlignedVotes(
            start=_starts(item[votes], judgments.n_items),
            item=item[votes],
            model=self.model[votes],
            label=label[votes],
            row=row[votes],
            probability=probability,
            tally=replace(self.tally, unparsed=self.n_votes - len(votes)),
            cautions=cautions,
            **shared,
        )

    def _spread(self, probability: NDArray[np.float32], code: NDArray[np.int32]) -> None:
        """What scores of one label alone leave of 1 is due to the others of the set, evenly, whatever else was said.

        ``probability`` (S, K) is over the label set, in which label n is ``code[n]``.
        """
        if self.named is None:
            return
        alone = np.flatnonzero((self.row >= 0) & (self.named >= 0))
        alone = alone[code[self.named[alone]] >= 0]
        row, named = self.row[alone], self.named[alone]
        p = self.probability[row, named]
        probability[row] = ((1 - p) / max(probability.shape[1] - 1, 1))[:, None]
        probability[row, code[named]] = p

    def _off_labels(
        self,
        off: NDArray[np.bool_],
        named: NDArray[np.int32],
        ours: Sequence[str],
        labels: Sequence[str],
        given: bool,
        judgments: Judgments,
    ) -> tuple[Notice, ...]:
        """Say whose votes are for labels outside of the label set; what was mapped to no answer is meant to be none."""
        empty = np.array([not text for text in ours], np.bool_)
        off = off & ~empty[named]
        if off.all() and self.n_votes:  # is refused as a whole
            return ()
        files = [one.file for one in (*self.sources, *judgments.sources)]  # votes may stand beside the judgments
        file = files[0] if files else None
        return off_labels.told(self.model, named, off, self.models, self.labels, labels, given, file)


@dataclass(frozen=True, slots=True, eq=False)
class AlignedVotes:
    """Votes by items and labels of ``Judgments``."""

    start: NDArray[np.int64]
    """(I+1,) votes on item i are ``start[i]:start[i + 1]``."""
    item: NDArray[np.int32]
    """(V,) item of each vote, ascending."""
    model: NDArray[np.int32]
    """(V,) ascending within an item."""
    label: NDArray[np.int32]
    """(V,) most probable label."""
    row: NDArray[np.int32]
    """(V,) row of ``probability``, -1 for hard votes."""
    probability: NDArray[np.float32]
    """(S, K) what soft votes say; rows sum to 1."""
    models: tuple[str, ...]
    family: NDArray[np.int32]
    """(M,) code of each model's family."""
    families: tuple[str, ...]
    tally: VoteTally
    rejects: tuple[Reject, ...] = ()
    sources: tuple[Source, ...] = ()
    cautions: tuple[Notice, ...] = ()
    """What reading, and holding them against the label set, found odd."""

    @property
    def n_models(self) -> int:
        """M."""
        return len(self.models)

    @property
    def family_names(self) -> tuple[str, ...]:
        """(M,) family of each model."""
        return tuple(self.families[f] for f in self.family.tolist())

    def with_families(self, names: Sequence[str]) -> AlignedVotes:
        """The same votes of models in other families, by ``names`` (M,)."""
        families = tuple(dict.fromkeys(names))
        return replace(self, families=families, family=np.array([families.index(name) for name in names], np.int32))

    @property
    def per_item(self) -> NDArray[np.int64]:
        """(I,) votes on each item."""
        return np.diff(self.start)

    def per_model(self, chosen: slice | NDArray[Any] = slice(None)) -> NDArray[np.int64]:
        """(M,) votes of each model, all or the ``chosen``."""
        from consensus.kernels import order

        found = np.zeros(self.n_models, np.int64)
        order.tally(np.ascontiguousarray(self.model[chosen]), found)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """What EM learns about models."""

    weight: NDArray[np.float64]
    """(1+M,) gamma, then beta of each model; not negative."""
    log_shares: NDArray[np.float64]
    """(K,) log s."""
    Cm: NDArray[np.float64]
    """(M, K, K) P(vote v | u) of each model, [m, u, v]."""
    CF: NDArray[np.float64]
    """(F, K, K) P(u | true label k) of each family, [f, k, u]."""


@dataclass(frozen=True, slots=True, eq=False)
class ModelFindings:
    """The votes, and what a fit learnt about the models."""

    votes: AlignedVotes
    weights: Weights
    met: NDArray[np.float64]
    """(M,) items that each voted on and that two people judged, or that are gold; by one person, a tenth each."""
    believed: NDArray[np.bool_]
    """(M,) its probabilities count as such; else only the label that it names."""
    known: NDArray[np.bool_]
    """(M,) it has met enough items that people judged: its votes may settle an item that they did not."""
    circular: NDArray[np.bool_]
    """(M,) it was trained on these judgments: it counts only where nobody judged."""
    echoes: Echoes
    """How far each repeats the majority of people."""
    shared: SharedMistakes
    """Families that share mistakes; those of ``votes`` are as merged."""
    by_gold: Doubts | None = None
    """What gold tells of both, where the fit does not see it: for warnings alone. None: nothing more."""

    @property
    def vouched(self) -> NDArray[np.bool_]:
        """(I,) a known model voted on the item."""
        found = np.zeros(len(self.votes.start) - 1, np.bool_)
        found[self.votes.item[self.known[self.votes.model]]] = True
        return found


def _over_labels(probability: NDArray[np.float32], code: NDArray[np.int32], n_labels: int) -> NDArray[np.float32]:
    """(S, n_labels) the same over another label set, in which column n is ``code[n]``, or none where that is -1.

    Where all columns that are left out have the same share, they were not scored, and only shared what the scores left
    of 1: it is due to the labels of the set that were not scored either.
    """
    known = np.flatnonzero(code >= 0)
    found = np.zeros((len(probability), n_labels), np.float32)
    first = known[np.unique(code[known], return_index=True)[1]]
    found[:, code[first]] = probability[:, first]
    for column in np.setdiff1d(known, first).tolist():  # another spelling of a label
        found[:, code[column]] += probability[:, column]
    others = np.delete(probability, known, axis=1)
    if others.shape[1]:
        share = others.max(axis=1, keepdims=True)
        unscored = np.ones((1, n_labels), np.bool_)
        unscored[:, code[known]] = False
        unscored = (unscored | (found == share)) & (share > 0) & (others.min(axis=1, keepdims=True) == share)
        lost = others.sum(axis=1, keepdims=True) + np.where(unscored, found, 0).sum(axis=1, keepdims=True)
        found = np.where(unscored, lost / np.maximum(unscored.sum(axis=1, keepdims=True), 1), found).astype(np.float32)
    return found


def _starts(codes: NDArray[np.int32], n: int) -> NDArray[np.int64]:
    """(n+1,) where each of ``n`` codes begins in sorted ``codes``."""
    from consensus.kernels import order

    found = np.empty(n + 1, np.int64)
    order.item_starts(codes, found)
    return found


def _with_items(judgments: Judgments, ids: pa.StringArray) -> tuple[Judgments, NDArray[np.int32] | None]:
    """The judgments over their items and ``ids``, and the codes of ``ids``; None: as they are."""
    if ids.equals(judgments.item_ids):
        return judgments, None
    vocabulary = Vocabulary()
    theirs, ours = vocabulary.add(judgments.item_ids), vocabulary.add(ids)
    rank, item_ids = vocabulary.ranks([theirs, ours])
    if len(item_ids) == judgments.n_items:
        return judgments, rank[ours]
    code = rank[theirs]
    start = np.zeros(len(item_ids) + 1, np.int64)
    start[code + 1] = judgments.per_item
    np.cumsum(start, out=start)
    moved = item_columns.moved(judgments, code, len(item_ids))
    return replace(judgments, item=code[judgments.item], item_start=start, item_ids=item_ids, **moved), rank[ours]
