"""Chapter 05, knowledge distillation: soft targets and their loss, ensembles, unseen classes, and features."""

import lightnn.functional
import lightnn.papers.hinton2015
import lightnn.training  # noqa: F401  (their exercises register themselves)
from lightnn.study.exercises.sheets import Mistake, Sheet

E_1 = "    e = np.exp((v - v.max(-1, keepdims=True)) / T)\n"
Q_2 = "e / K, dtype)\n    q[np.arange(len(y)), y] += 1 - e"
BEST_3 = "float(offsets[int(np.argmin(errors))])"
MEAN_4 = "np.logaddexp.reduce(log_p, 0) - math.log(len(v))"
LOGS_5 = "(a / T - np.logaddexp.reduce(a / T, 1, keepdims=True) for a in (v.astype(float), z.astype(float)))"
L_5 = "    L = T * T * (p * (log_p - log_q)).sum() / n\n    return np.asarray(L, z.dtype)[()], lambda dy: (dy * T *"
KL_5 = "(p * (log_p - log_q))"
MAPS_6 = "    Q = F_a / norm_a\n    apart = Q - F_b / norm_b\n"
NORM_6 = "np.sqrt((f * f).sum(1, keepdims=True))"
L_6 = "(apart * apart).sum() / n"
DF_6 = "(dQ - Q * (dQ * Q).sum(1, keepdims=True)) / norm_a"
PSI_7 = "    mean = max(dist.sum() / pairs, LEAST)\n    t = dist / mean - theirs / max(theirs.sum() / pairs, LEAST)\n"
H_7 = "np.where(np.abs(t) <= 1, t * t / 2, np.abs(t) - 0.5)"
PULL_7 = "pull.sum(1, keepdims=True) * flat - pull @ flat"

SHEETS = (
    Sheet(
        "05.1",
        "Soft targets",
        "easy",
        "p_k = exp(v_k / T) / sum_j exp(v_j / T)",
        (
            "It is the softmax of v / T.",
            "exp(10000) is too large for any float. Softmax stays the same when all logits of a row lose one number.",
            "Take the row's largest logit off (keepdims=True), divide by T, then exp, then divide by the row's sum. "
            "temperature(name, T) raises the ValueError and returns T.",
        ),
        (
            Mistake("the logits are multiplied by T: want v / T", "keepdims=True)) / T)", "keepdims=True)) * T)"),
            Mistake("T is missing", "keepdims=True)) / T)", "keepdims=True)))"),
            Mistake(
                "the softmax is softened: want the softmax of the softened logits",
                E_1,
                "    p = np.exp(v - v.max(-1, keepdims=True))\n    e = np.exp(p / p.sum(-1, keepdims=True) / T)\n",
            ),
            Mistake("the sum goes over the first axis: want the last one", "e.sum(-1", "e.sum(0"),
            Mistake("large logits overflow: take the largest off first", E_1, "    e = np.exp(v / T)\n"),
            Mistake("the result is always float64: want v's dtype", "return e /", "return e.astype(float) /"),
            Mistake("T is not checked", '    T = temperature("soft_targets", T)\n', ""),
        ),
    ),
    Sheet(
        "05.2",
        "Label smoothing",
        "easy",
        "q_k = (1 - e) [k = y] + e / K",
        (
            "Every class gets e / K, the label as well.",
            "Start with np.full((N, K), e / K, dtype).",
            "Row n has its label in column y[n]: q[np.arange(len(y)), y].",
        ),
        (
            Mistake("the label lacks its own e / K", "y] += 1 - e", "y] = 1 - e"),
            Mistake(
                "e is shared by the other classes alone: want e / K for all K",
                Q_2,
                "e / (K - 1), dtype)\n    q[np.arange(len(y)), y] = 1 - e",
            ),
            Mistake("each class gets e: want e / K", "np.full((len(y), K), e / K", "np.full((len(y), K), e"),
            Mistake("the label keeps its whole 1: want 1 - e of it", "y] += 1 - e", "y] += 1"),
            Mistake("the result is always float64: want dtype", "e / K, dtype)", "e / K)"),
        ),
    ),
    Sheet(
        "05.3",
        "The bias of a digit never seen",
        "easy",
        "offset = argmin over the offsets of the number of n with argmax_k (v_nk + offset [k in classes]) != y_n",
        (
            "Try every offset: add it to the columns of the classes, take the argmax of each row, count the errors.",
            "v must stay as it is: add to a copy, or add offset times an array of zeros and ones.",
            "np.argmin gives the first place of the smallest number; return the offset there, as a float.",
        ),
        (
            Mistake(
                "the offset is taken off, or added to the others: want it added",
                "v + offset",
                "v - offset",
            ),
            Mistake(
                "all classes get the offset, which changes nothing: want only `classes`",
                "shown = np.zeros(",
                "shown = np.ones(",
            ),
            Mistake("the most errors are looked for: want the fewest", "!= y", "== y"),
            Mistake(
                "of equally good offsets the last: want the first",
                BEST_3,
                "float(offsets[len(errors) - 1 - int(np.argmin(errors[::-1]))])",
            ),
            Mistake("the number of errors is returned: want the offset", BEST_3, "float(min(errors))"),
            Mistake("the offset's place is returned: want the offset", BEST_3, "float(np.argmin(errors))"),
            Mistake(
                "the logits are multiplied by the offset: want it added",
                "v + offset * shown",
                "v * (1 + (offset - 1) * shown)",
            ),
        ),
    ),
    Sheet(
        "05.4",
        "Many teachers, one opinion",
        "middle",
        "arithmetic: log mean_m softmax(v_m);   geometric: log softmax(mean_m log softmax(v_m))",
        (
            "log softmax of a row is v - log sum exp v, and np.logaddexp.reduce(v, axis, keepdims=True) is that last "
            "term, without an overflow.",
            "Geometric: the mean of the logarithms, made to add up to 1 by the same step once more.",
            "Arithmetic: the logarithm of a sum of exponentials again, this time over the teachers; the mean is the "
            "sum, less log M. A Python float keeps float32 as it is.",
        ),
        (
            Mistake(
                "the arithmetic mean is that of the logarithms: want that of the probabilities",
                'if kind == "geometric":',
                "if True:",
            ),
            Mistake("the two kinds are swapped", 'if kind == "geometric":', 'if kind == "arithmetic":'),
            Mistake("the probabilities are added up: want their mean", " - math.log(len(v))", ""),
            Mistake(
                "the geometric mean does not add up to 1",
                "return mean - np.logaddexp.reduce(mean, 1, keepdims=True)",
                "return mean",
            ),
            Mistake("the arithmetic mean itself: want its logarithm", MEAN_4, "np.exp(log_p).mean(0)"),
            Mistake(
                "large logits overflow: take the largest off first",
                "np.logaddexp.reduce(v, 2, keepdims=True)",
                "np.log(np.exp(v).sum(2, keepdims=True))",
            ),
            Mistake(
                "small probabilities become 0, whose logarithm is -inf",
                MEAN_4,
                "np.log(np.exp(log_p).mean(0))",
            ),
            Mistake("the softmax goes over the teachers: want the classes", "(v, 2, keep", "(v, 0, keep"),
            Mistake("the result is float64: want v's dtype", "math.log(len(v))", "np.log(len(v))"),
        ),
    ),
    Sheet(
        "05.5",
        "The loss of distillation, and its gradient",
        "middle",
        "L = (T^2 / N) sum_n KL(p_n || q_n),   dL/dz = T (q - p) / N",
        (
            "p = softmax(v / T) is the teacher's, q = softmax(z / T) the student's; both are softened.",
            "Work with logarithms: log q = z / T - log sum exp(z / T); np.logaddexp.reduce gives the last term.",
            "d(T^2 KL)/dz: T^2, times 1 / T of the inner derivative, times (q - p). Then the mean over the images.",
            "An op returns (y, vjp of z, None): vjp(dy) = dy T (q - p) / N. Sum in float64, return z's dtype.",
        ),
        (
            Mistake(
                "T^2 is missing, in L and in its gradient",
                L_5,
                "    L = (p * (log_p - log_q)).sum() / n\n    return np.asarray(L, z.dtype)[()], lambda dy: (dy / T *",
            ),
            Mistake("L is right, but dL/dz lacks T^2: want T (q - p) / N", "(dy * T *", "(dy / T *"),
            Mistake("dL/dz lacks the factor T", "(dy * T *", "(dy *"),
            Mistake(
                "only the teacher is softened",
                LOGS_5,
                "(a - np.logaddexp.reduce(a, 1, keepdims=True) for a in (v.astype(float) / T, z.astype(float)))",
            ),
            Mistake(
                "only the student is softened",
                LOGS_5,
                "(a - np.logaddexp.reduce(a, 1, keepdims=True) for a in (v.astype(float), z.astype(float) / T))",
            ),
            Mistake("KL has its sides swapped: want p of the teacher", KL_5, "(np.exp(log_q) * (log_q - log_p))"),
            Mistake("the cross-entropy: want KL, without the teacher's own entropy", KL_5, "(-p * log_q)"),
            Mistake("the sum over the images: want the mean", "np.exp(log_p), len(z)", "np.exp(log_p), 1"),
            Mistake("the mean over the classes, too: want their sum", "np.exp(log_p), len(z)", "np.exp(log_p), z.size"),
            Mistake("dL/dz has the wrong sign: want q - p", "(np.exp(log_q) - p)", "(p - np.exp(log_q))"),
            Mistake("dL/dz is not divided by N", " - p) / n)", " - p))"),
            Mistake(
                "large logits overflow: take the largest off first",
                "np.logaddexp.reduce(a / T, 1, keepdims=True)",
                "np.log(np.exp(a / T).sum(1, keepdims=True))",
            ),
        ),
    ),
    Sheet(
        "05.6",
        "Look where the teacher looks",
        "hard",
        "L = (1 / N) sum_n |Q_n(a) - Q_n(b)|^2,   Q = F / |F|,   F = sum_c a_c^2",
        (
            "F is (N, H, W); flatten it to (N, H W). Then a norm for each image, with keepdims=True.",
            "From Q back to F: a unit vector can only turn. So what points along Q is taken out of dQ, and the rest "
            "is divided by |F|.",
            "From F back to a: dF stands for all channels, times 2 a. Reshape it to (N, 1, H, W).",
            "An op returns (y, vjp of a, None). Hold the norms at LEAST by np.maximum, in the array's own dtype.",
        ),
        (
            Mistake("F is the sum of |a|: want squares", "((f * f).sum(1).reshape", "(np.abs(f).sum(1).reshape"),
            Mistake("the maps are not divided by their norms", MAPS_6, "    Q = F_a\n    apart = Q - F_b\n"),
            Mistake("the maps are divided by their sums: want their norms", NORM_6, "f.sum(1, keepdims=True)"),
            Mistake(
                "one norm for the whole batch: want one for each image",
                NORM_6,
                "np.sqrt((f * f).sum(keepdims=True))",
            ),
            Mistake("the sum over the images: want the mean", L_6, "(apart * apart).sum()"),
            Mistake("the distance is not squared", L_6, "np.sqrt((apart * apart).sum(1)).sum() / n"),
            Mistake("the gradient takes the norm for a constant", DF_6, "dQ / norm_a"),
            Mistake("dF is not divided by the norm", DF_6, DF_6.removesuffix(" / norm_a")),
            Mistake("da lacks the 2 of the square", "return 2 * a * dF", "return a * dF"),
            Mistake("da lacks a", "return 2 * a * dF", "return 2 * np.ones_like(a) * dF"),
        ),
    ),
    Sheet(
        "05.7",
        "As far apart as the teacher sees them",
        "hard",
        "L = mean over i != j of h(psi_ij(a) - psi_ij(b)),   psi_ij = |a_i - a_j| / mean |a_i - a_j|",
        (
            "Flatten each image's features to a row; distances(rows) gives all |a_i - a_j|, with 0 on the diagonal. "
            "There t is 0 as well, so sums over all of the array are sums over the pairs i != j.",
            "The slope of h is t, held between -1 and 1: g = dy clip(t, -1, 1) / pairs is dL/dpsi.",
            "psi = d / mean d: a longer distance also makes the mean larger. "
            "dL/dd = (g - sum(g d) / (pairs mean)) / mean.",
            "d |a_i - a_j| / d a_i = (a_i - a_j) / |a_i - a_j|, and a_i is in the pairs (i, j) and (j, i).",
        ),
        (
            Mistake("psi is not divided by the mean", PSI_7, "    mean = 1.0\n    t = dist - theirs\n"),
            Mistake(
                "the mean counts each image beside itself: want N (N - 1) pairs",
                "len(a) * (len(a) - 1)",
                "len(a) ** 2",
            ),
            Mistake("h is square everywhere: want |t| - 1 / 2 beyond 1", H_7, "(t * t / 2)"),
            Mistake("h is |t| everywhere: want t^2 / 2 up to 1", H_7, "np.abs(t)"),
            Mistake("h lacks its 1 / 2", "t * t / 2", "t * t"),
            Mistake("the sum over the pairs: want the mean", "- 0.5).sum() / pairs", "- 0.5).sum()"),
            Mistake(
                "the distances are squared",
                "distances(flat), distances(b.reshape(len(b), -1))",
                "distances(flat) ** 2, distances(b.reshape(len(b), -1)) ** 2",
            ),
            Mistake(
                "the gradient takes psi's mean for a constant",
                "(g - (g * dist).sum() / (pairs * mean)) / mean",
                "g / mean",
            ),
            Mistake("the gradient has each pair once: a_i is in (i, j) and (j, i)", "return (2 * (", "return (("),
            Mistake("the slope of h is not held between -1 and 1", "np.clip(t, -1, 1)", "t"),
            Mistake("the gradient has the wrong sign", PULL_7, "pull @ flat - pull.sum(1, keepdims=True) * flat"),
        ),
    ),
)


def finale() -> str:
    """Distil a teacher of the reader's soft targets into a student that never sees a three, and put its bias right."""
    import numpy as np

    from lightnn import data, optim, training
    from lightnn import functional as F
    from lightnn.papers import hinton2015

    mnist = data.load_mnist()
    x, y = mnist.x_train[:4000], mnist.y_train[:4000]

    def trained(units, xy, loss, seed=0, epochs=8):
        net = hinton2015.experiment.mlp(units, seed)
        sgd = optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
        options = {"epochs": epochs, "batch_size": 50, "progress": False}
        training.train(net, xy, optimizer=sgd, loss=loss, schedule=optim.CosineLR(sgd, epochs), **options)
        return net

    teacher = training.Ensemble([trained(100, (x, y), F.cross_entropy, seed) for seed in (1, 2)], "geometric")
    softest = training.soft_targets(training.predict(teacher, x[:1]), 20.0).max()
    student = trained(50, (x[y != 3], y[y != 3]), training.distil(teacher, T=10.0, weight=0.9))
    v, held = training.predict(student, mnist.x_train[-2000:]), mnist.y_train[-2000:]
    offset = hinton2015.best_offset(v, held, [3])
    v, threes = training.predict(student, mnist.x_test), mnist.y_test == 3
    before = 100 * (v.argmax(1) == 3)[threes].mean()
    v[:, 3] += np.float32(offset)
    after = 100 * (v.argmax(1) == 3)[threes].mean()
    assert after > 60, f"with your functions it gets {after:.0f} % of the threes right"
    return (
        f"your chapter 05 teaches a student what a three is without showing it one: at T = 20 the teacher is at most "
        f"{softest:.0%} sure of the first digit; the student gets {before:.1f} % of the test threes right, and with "
        f"its bias raised by {offset:g} {after:.1f} %"
    )
