"""Random small crowds for property tests: up to 8 items, 5 workers, 4 labels."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from hypothesis import settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from consensus.backends import Threads
from consensus.inputs.coding import encode
from consensus.inputs.judgments import Judgments
from consensus.inputs.model_votes import AlignedVotes, ModelVotes
from consensus.inputs.ordering import RepeatRule
from consensus.inputs.vote_tally import VoteTally
from tests.conftest import AS_PLAIN_PYTHON, FEW_EXAMPLES

Row = tuple[str, str, str | None]
Vote = tuple[str, str, str | Sequence[float]]


def examples(most: int) -> settings:
    """Settings for so many examples, and for no more than a few where loops are not compiled."""
    return settings(max_examples=min(most, FEW_EXAMPLES) if AS_PLAIN_PYTHON else most)


@st.composite
def rows(draw: st.DrawFn, min_size: int = 1, max_labels: int = 4, abstains: bool = True) -> list[Row]:
    """Judgments as rows of text, each (item, worker) at most once; some without a label, at least one with."""
    n_items, n_workers = draw(st.integers(1, 8)), draw(st.integers(1, 5))
    labels = [f"l{k}" for k in range(draw(st.integers(1, max_labels)))]
    pairs = st.tuples(st.integers(0, n_items - 1), st.integers(0, n_workers - 1))
    chosen = draw(st.lists(pairs, min_size=min_size, max_size=n_items * n_workers, unique=True))
    answer = st.sampled_from([*labels, None] if abstains else labels)
    found: list[Row] = [(f"i{i}", f"w{w}", draw(answer)) for i, w in chosen]
    if all(label is None for _, _, label in found):
        item, worker, _ = found[0]
        found[0] = (item, worker, labels[0])
    return found


def encoded(judged: Sequence[tuple[str, str, str | None]]) -> Judgments:
    """Rows as Judgments."""
    item, worker, label = (coded([row[n] for row in judged]) for n in range(3))
    return encode(item, worker, label, None, repeats=RepeatRule("last"), locate=str, backend=Threads(1))


def coded(texts: Sequence[str | None]) -> tuple[NDArray[np.int32], pa.StringArray]:
    """Codes into the sorted distinct texts, -1 for None."""
    known = sorted({text for text in texts if text is not None})
    position = {text: code for code, text in enumerate(known)}
    return np.array([-1 if text is None else position[text] for text in texts], np.int32), pa.array(known, pa.string())


@st.composite
def crowds(draw: st.DrawFn, max_labels: int = 4) -> Judgments:
    """Judgments of a small crowd."""
    return encoded(draw(rows(max_labels=max_labels)))


@st.composite
def tables(draw: st.DrawFn, *shape: int) -> np.ndarray:
    """Probabilities, none of them 0; the last axis sums to 1."""
    cells = draw(st.lists(st.floats(0.01, 1.0), min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
    table = np.array(cells).reshape(shape)
    return np.asarray(table / table.sum(axis=-1, keepdims=True), np.float64)


def voted(votes: Sequence[Vote], labels: Sequence[str] = (), families: Mapping[str, str] | None = None) -> ModelVotes:
    """Rows of item, model, and a label or the probabilities of ``labels``; each model is a family by itself, or of
    that in ``families``.
    """
    ordered = sorted(votes, key=lambda vote: vote[:2])
    soft = [what for _, _, what in ordered if not isinstance(what, str)]
    names = tuple(sorted({*labels, *(what for _, _, what in ordered if isinstance(what, str))}))
    probability = np.zeros((len(soft), len(names)), np.float32)
    if soft:
        probability[:, [names.index(label) for label in labels]] = soft
    best = iter(probability.argmax(axis=1).tolist())
    (item, item_ids), (model, models) = (coded([str(vote[n]) for vote in ordered]) for n in (0, 1))
    is_soft = np.array([not isinstance(what, str) for _, _, what in ordered], np.bool_)
    return ModelVotes(
        item=item,
        model=model,
        label=np.array([names.index(w) if isinstance(w, str) else next(best) for _, _, w in ordered], np.int32),
        row=np.where(is_soft, np.cumsum(is_soft) - 1, -1).astype(np.int32),
        probability=probability,
        item_ids=item_ids,
        models=tuple(models.to_pylist()),
        families=tuple((families or {}).get(name, name) for name in models.to_pylist()),
        labels=names,
        declared=frozenset(labels),
        tally=VoteTally(len(ordered), len(ordered)),
    )


@st.composite
def votes(draw: st.DrawFn, judgments: Judgments, kinds: str = "hard soft") -> ModelVotes:
    """Votes of up to five models of up to three families on the items of a crowd and two more, some soft."""
    labels, n_models = judgments.labels, draw(st.integers(1, 5))
    items = [*judgments.item_ids.to_pylist(), "new0", "new1"]
    hard, soft = st.sampled_from(labels), tables(len(labels)).map(lambda q: [float(p) for p in q])

    def vote() -> str | list[float]:
        is_soft = kinds == "soft" or (kinds != "hard" and draw(st.booleans()))
        return draw(soft) if is_soft else draw(hard)

    pairs = st.tuples(st.sampled_from(items), st.sampled_from([f"m{m}" for m in range(n_models)]))
    chosen = draw(st.lists(pairs, min_size=1, max_size=len(items) * n_models, unique=True))
    families = {f"m{m}": draw(st.sampled_from(["f0", "f1", "f2"])) for m in range(n_models)}
    return voted([(item, model, vote()) for item, model in chosen], labels, families)


@st.composite
def voted_crowds(
    draw: st.DrawFn, max_labels: int = 4, kinds: str = "hard soft"
) -> tuple[Judgments, AlignedVotes, dict[int, set[int]]]:
    """Judgments and votes of models over the same items and labels, and accepted labels of some items."""
    judgments = draw(crowds(max_labels=max_labels))
    judgments, aligned = draw(votes(judgments, kinds)).align(judgments, judgments.labels)
    accepted = st.sets(st.integers(0, judgments.n_labels - 1), min_size=1)
    return judgments, aligned, draw(st.dictionaries(st.integers(0, judgments.n_items - 1), accepted, max_size=3))
