"""lightnn/compress/transforms/clustering.py: k-means in one dimension, and weights that share its centres."""

import itertools

import numpy as np
import pytest

from lightnn.compress import Mask, density_init, kmeans, linear_init, nearest, random_init, share, sharing_rate
from lightnn.nn import Parameter
from lightnn.testing import check_codec

INITS = [linear_init, density_init, random_init]


def objective(w, c, codes):
    return ((w - c[codes]) ** 2).sum()


def test_figure_3_of_deep_compression():
    w = [2.09, -0.98, 1.48, 0.09, 0.05, -0.14, -1.08, 2.12, -0.91, 1.92, 0, -1.03, 1.87, 0, 1.53, 1.49]
    c, codes = kmeans(w, 4)
    np.testing.assert_allclose(c, [-1.0, 0.0, 1.5, 2.0], atol=1e-12)
    assert codes.reshape(4, 4).tolist() == [[3, 0, 2, 1], [1, 1, 0, 3], [0, 3, 1, 0], [3, 1, 2, 2]]


def test_sharing_rate_of_the_papers_example():
    assert sharing_rate(16, 32, 4) == 3.2


@pytest.mark.parametrize("n", [10, 1000, 10**6])
@pytest.mark.parametrize("code_bits", [1, 4, 8])
@pytest.mark.parametrize("bits", [16, 32])
def test_sharing_rate_is_bits_before_over_bits_after(n, code_bits, bits):
    after = n * code_bits + 2**code_bits * bits
    assert sharing_rate(n, bits, 2**code_bits) == pytest.approx(n * bits / after)


def test_one_centre_needs_no_codes_and_as_many_centres_as_weights_save_nothing():
    assert sharing_rate(64, 32, 1) == 64
    assert sharing_rate(64, 32, 64) < 1


def test_linear_init_includes_both_end_points(rng):
    w = rng.standard_normal(100)
    c = linear_init(w, 9)
    assert (c[0], c[-1]) == (w.min(), w.max())
    np.testing.assert_allclose(np.diff(c), np.ptp(w) / 8)


def test_density_init_goes_up_the_cumulative_distribution_in_equal_steps(rng):
    w = rng.standard_normal(1000) ** 3  # most are small
    below = [(w < c).mean() for c in density_init(w, 8)]
    np.testing.assert_allclose(below, (np.arange(8) + 0.5) / 8, atol=2e-3)


def test_random_init_draws_different_weights_by_its_seed(rng):
    w = rng.standard_normal(20)
    c = random_init(w, 20, 3)
    np.testing.assert_array_equal(c, np.sort(w))
    assert set(random_init(w, 5, 3)) < set(w)
    np.testing.assert_array_equal(random_init(w, 5, 3), random_init(w, 5, np.random.default_rng(3)))
    assert (random_init(w, 5, 3) != random_init(w, 5, 4)).any()


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("k", [1, 2, 5, 16, 100])
def test_each_iteration_lowers_the_objective_until_a_fixed_point(rng, k, init):
    w = rng.standard_normal(60)
    steps = [kmeans(w, k, init, iterations=n, rng=1) for n in range(60)]
    errors = [objective(w, *step) for step in steps]
    assert all(after <= before + 1e-12 for before, after in itertools.pairwise(errors))
    c, codes = steps[-1]
    assert c.shape == (k,) and (np.diff(c) >= 0).all()
    np.testing.assert_allclose(np.abs(w - c[codes]), np.abs(w[:, None] - c).min(1), atol=1e-15)
    for i in np.unique(codes):
        np.testing.assert_allclose(c[i], w[codes == i].mean(), atol=1e-12)


def best_clusters(w, k):
    """The optimum by trying every way to cut the sorted weights into k intervals."""
    w, n = np.sort(w), len(w)
    cuts = ([0, *inner, n] for inner in itertools.combinations(range(1, n), k - 1))
    centres = ([w[a:b].mean() for a, b in itertools.pairwise(cut)] for cut in cuts)
    return min((objective(w, np.array(c), nearest(w, np.array(c))), c) for c in centres)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_lloyd_is_never_better_than_the_optimum_and_does_not_leave_it(rng, k):
    for n in (4, 7, 10):
        w = rng.standard_normal(n)
        least, c = best_clusters(w, k)
        for init in INITS:
            assert objective(w, *kmeans(w, k, init)) >= least - 1e-12
        np.testing.assert_allclose(kmeans(w, k, lambda *_, best=c: np.array(best))[0], c, atol=1e-12)


def test_a_tie_goes_to_the_lower_centre():
    assert nearest(np.array([0.0, 0.5, 1.0, 1.5, 2.0]), np.array([0.0, 1.0, 2.0])).tolist() == [0, 0, 1, 1, 2]


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("w", [[1.5], [1.5] * 7, [0.0, 0.0, 1.0]])
def test_more_centres_than_different_weights_lose_nothing(w, init):
    c, codes = kmeans(w, 10, init)
    np.testing.assert_allclose(c[codes], w, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bits", [0, 1, 4, 8, 9])
def test_a_shared_parameter_has_2_to_the_bits_values(rng, bits, dtype):
    p = Parameter(rng.standard_normal((30, 30)).astype(dtype))
    codebook = share(p, bits)
    assert codebook is p.values and codebook.codebook.shape == (2**bits,)
    assert p().dtype == dtype and len(np.unique(p().data)) <= 2**bits
    check_codec(p)


def test_only_surviving_weights_are_clustered(rng):
    w, mask = rng.standard_normal((20, 20)), rng.random((20, 20)) < 0.2
    codebooks = []
    for pruned in (0.0, 1e6):
        p = Parameter(np.where(mask, w, pruned))
        p.support = Mask(mask)
        codebooks.append(share(p, 4).codebook.data)
        assert not p().data[~mask].any()
    np.testing.assert_array_equal(*codebooks)
    np.testing.assert_allclose(codebooks[0], kmeans(w[mask], 16)[0])


@pytest.mark.parametrize(("kept", "k"), [(0, 1), (1, 1), (3, 3), (16, 16), (17, 16)])
def test_there_are_no_more_values_than_surviving_weights(rng, kept, k):
    p = Parameter(rng.standard_normal(50))
    p.support = Mask(np.arange(50) < kept)
    assert share(p, 4).codebook.shape == (k,)
    check_codec(p)


def test_sharing_again_clusters_what_the_network_uses(rng):
    p = Parameter(rng.standard_normal(500))
    share(p, 6)
    used = p().data
    np.testing.assert_allclose(share(p, 2).codebook.data, kmeans(used.ravel(), 4)[0])


@pytest.mark.parametrize("bits", [np.int64(3), np.uint8(3)])
def test_numpy_integers_are_integers(bits):
    assert share(Parameter(np.arange(20.0)), bits).codebook.shape == (8,)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kmeans([], 2), r"kmeans: want finite numbers w \(n,\), n > 0; got shape \(0,\)"),
        (lambda: kmeans([[1.0]], 2), r"got shape \(1, 1\)"),
        (lambda: kmeans([1.0, np.nan], 2), "want finite numbers"),
        (lambda: kmeans([1.0], 0), "kmeans: k: want an int >= 1, got 0"),
    ],
)
def test_errors_say_what_was_wanted_and_what_came(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("bits", [-1, 17, 2.0])
def test_wrong_bits_are_named(bits):
    with pytest.raises(ValueError, match=f"share: (bits: want an int|want bits from 0 to 16).*, got {bits}"):
        share(Parameter(np.ones(3)), bits)


def test_an_empty_cluster_keeps_its_centre_and_iterations_are_counted():
    def init(w, k, rng):
        return np.array([-5.0, 0.0, 4.0])

    w = np.array([0.0, 1.0, 4.0, 8.0])
    c, codes = kmeans(w, 3, init)
    assert (c.tolist(), codes.tolist()) == ([-5.0, 0.5, 6.0], [1, 1, 2, 2])
    np.testing.assert_array_equal(kmeans(w, 3, init, iterations=0)[0], init(w, 3, 0))
    np.testing.assert_allclose(kmeans([0.0, 1, 2, 9, 10, 30], 2, lambda *_: [0.0, 2.5], iterations=1)[0], [0.5, 12.75])


def test_codes_belong_to_the_centres_that_are_returned(rng):
    w = rng.standard_normal(200)
    np.testing.assert_array_equal(kmeans(w, 5, random_init)[0], kmeans(w, 5, random_init, rng=0)[0])
    for iterations in (0, 1, 3, 100):
        c, codes = kmeans(w, 5, iterations=iterations)
        np.testing.assert_array_equal(codes, np.abs(w[:, None] - c).argmin(1))


def test_the_seed_and_the_initialisation_are_passed_on(rng):
    w = rng.standard_normal(50)
    for init, seed in ((linear_init, 0), (density_init, 0), (random_init, 3)):
        codebook = share(Parameter(w), 2, init, seed)
        np.testing.assert_allclose(codebook.codebook.data, kmeans(w, 4, init, rng=seed)[0])
    assert share(Parameter(w), 16).codebook.shape == (50,)
    drawn = share(Parameter(w), 2, random_init).codebook.data
    np.testing.assert_allclose(drawn, share(Parameter(w), 2, random_init, 0).codebook.data)
