"""What judgments of gold items say of them, as if there were no gold: by loops over the formula."""

import numpy as np
import pytest

from consensus.kernels import SMALLEST
from consensus.models import cavity


@pytest.mark.parametrize("seed", range(4))
def test_judgments_of_an_item_are_taken_out_of_the_counts(seed: int) -> None:
    """As far as each label is probable, given gold that accepts several, and all that was judged."""
    rng, K = np.random.default_rng(seed), 3
    own = np.array([0, 0, 0, 1, 1, 2, 2, 2])
    worker = np.array([0, 1, 0, 0, 2, 1, 1, 2], np.int32)  # two judge an item twice, with the same label or another
    label = np.array([0, 1, 0, 2, 2, 1, 0, 1], np.int32)
    n = rng.uniform(0.2, 4.0, (8, K))
    N, C, A = n * rng.uniform(0, 1, (8, K)), rng.dirichlet(np.ones(K), 8), rng.uniform(0.1, 4.0, (K, K))
    log_prior = np.log(rng.dirichlet(np.ones(K), 3))
    log_prior[0, 2] = log_prior[2, 0] = -np.inf
    found = cavity.log_likelihoods(own, worker, label, (N, n, C), A, log_prior)
    for j in range(8):
        mine = np.flatnonzero(own == own[j])
        z = np.exp(log_prior[own[j]]) * C[mine].prod(axis=0)
        z /= z.sum()
        for k in range(K):
            same_worker = [i for i in mine if worker[i] == worker[j]]
            same_answer = [i for i in same_worker if label[i] == label[j]]
            counted = max(N[j, k] - len(same_answer) * z[k], 0) + A[k, label[j]]
            of_all = max(n[j, k] - len(same_worker) * z[k], 0) + A[k].sum()
            assert found[j, k] == pytest.approx(np.log(counted / of_all))


def test_nothing_is_known_of_a_worker_under_maximum_likelihood() -> None:
    """Whose only judgment is this one: any answer is as likely, whatever is true."""
    own, worker, label = np.zeros(1, np.int64), np.zeros(1, np.int32), np.ones(1, np.int32)
    counts, none = np.array([[0.0, 1.0]]), np.zeros((2, 2))
    log_prior = np.array([[-np.inf, 0.0]])
    found = cavity.log_likelihoods(own, worker, label, (counts, counts, np.array([[0.5, 0.5]])), none, log_prior)
    np.testing.assert_allclose(found, np.log([[0.5, 0.5]]))
    unknown = cavity.log_likelihoods(own, worker, label, (none[:1], counts * 4, counts), none, log_prior)
    np.testing.assert_allclose(unknown, np.log([[0.5, SMALLEST]]))
