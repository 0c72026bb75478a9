"""Chapter 07, Quantization Networks: steps that are sigmoids in training and hard at inference."""

import lightnn.compress.transforms
import lightnn.functional  # noqa: F401  (their exercises register themselves)
from lightnn.study.exercises.sheets import Mistake, Sheet

CODES = "Y[hard_codes(x, beta, b)]"
SUM_3 = "lambda dy: np.array([(dy * steps).sum()])"
HELD = "np.clip(q, 2.0**-100, 2.0**100)"
BETWEEN = "(c[1:] + c[:-1]) / 2"
MOVED = "np.where(Y[1:] <= 0, np.minimum(b, -edge), np.maximum(b, edge))"
DX = "dy * (alpha * beta * T * slope)"
DBETA = "alpha * T * (dy * x * slope).sum()"
DB = "-alpha * T * (dy * slope_i).sum()"

SHEETS = (
    Sheet(
        "07.1",
        "The steps between the levels",
        "easy",
        "s_i = Y_(i+1) - Y_i,   o = 1/2 sum_i s_i",
        (
            "np.diff gives the differences of neighbours, one less than there are levels.",
            "np.asarray(Y, np.float64) first: the heights are to be float64, and Y may be a tuple of ints.",
            "float(s.sum() / 2) is o, as Python's own float.",
        ),
        (
            Mistake("o is half the sum of the heights, not the sum", "s.sum() / 2", "s.sum()"),
            Mistake("the heights have the wrong sign: want Y_(i+1) - Y_i", "np.diff(np", "-np.diff(np"),
            Mistake("o is the last level, which is half the sum only for symmetric levels", "s.sum() / 2", "Y[-1]"),
            Mistake(
                "the heights are the levels themselves", "np.diff(np.asarray(Y, np.float64))", "np.array(Y, float)"
            ),
            Mistake("the heights are not float64", "np.asarray(Y, np.float64)", "np.asarray(Y)"),
            Mistake("o is half the mean of the heights: want half their sum", "s.sum() / 2", "s.mean() / 2"),
        ),
    ),
    Sheet(
        "07.2",
        "The temperature rises",
        "easy",
        "T = step * epoch",
        (
            "Epochs count from 1, so the first temperature is one step.",
            "max(epoch, 1) is the epoch, and 1 for epoch 0 and below.",
            "It is a product, not a power: after ten epochs T is ten steps.",
        ),
        (
            Mistake("epoch 0 has T = 0: want the first step", "max(epoch, 1)", "epoch"),
            Mistake("every epoch is counted one too high", "max(epoch, 1)", "(max(epoch, 1) + 1)"),
            Mistake("T falls with the epoch: want it to rise", "step * max(epoch, 1)", "step / max(epoch, 1)"),
            Mistake("T doubles from epoch to epoch: want equal steps", "step * max", "step * 2 ** max"),
            Mistake("T does not depend on the epoch", " * max(epoch, 1)", ""),
        ),
    ),
    Sheet(
        "07.3",
        "The hard form, for inference",
        "middle",
        "y = alpha (sum_i s_i 1[beta x - b_i > 0] - o),   dL/dalpha = sum of dy (sum_i s_i 1[beta x - b_i > 0] - o)",
        (
            "checked(name, x, alpha, beta, b, Y) raises the errors, and returns Y as an array of x's dtype, and alpha "
            "and beta as numbers, clipped.",
            "Count the steps that are taken, those with beta x > b_i; the count is the place of the level in Y. "
            "hard_codes(x, beta, b) does this.",
            "Return y and four functions of dy, for x, alpha, beta and b. Three of them give zeros, of the shapes of "
            "x, (1,) and of b.",
            "dL/dalpha = np.array([(dy * levels).sum()]), with the levels before alpha is multiplied in.",
        ),
        (
            Mistake(
                "at the boundary the step is taken: want it only where beta x - b_i > 0",
                CODES,
                "Y[(times(beta, x)[..., None] >= b).sum(-1)]",
            ),
            Mistake("x is not multiplied by beta", "hard_codes(x, beta, b)", "hard_codes(x, beta / beta, b)"),
            Mistake("y is not multiplied by alpha", "alpha * steps,", "steps,"),
            Mistake(
                "y is the number of steps: want the level that they lead to",
                CODES,
                "hard_codes(x, beta, b).astype(x.dtype)",
            ),
            Mistake(
                "o is missing: without a step y must be the lowest level", CODES, "(Y - Y[0])[hard_codes(x, beta, b)]"
            ),
            Mistake("x has the gradient of a straight-through estimator: want 0", "np.zeros(x.shape)", "dy"),
            Mistake("alpha's gradient is a mean: want the sum", SUM_3, SUM_3.replace("sum", "mean")),
            Mistake(
                "alpha's gradient has alpha in it once more", SUM_3, "lambda dy: np.array([(dy * alpha * steps).sum()])"
            ),
            Mistake("NaN becomes the highest level: want NaN", f"np.where(np.isnan(x), x, {CODES})", CODES),
        ),
    ),
    Sheet(
        "07.4",
        "Where alpha and beta start",
        "middle",
        "beta = 5 p / (4 q),   p = max |Y|,   q = max |w|,   alpha = 1 / beta",
        (
            "p and q are largest magnitudes: np.abs(...).max(). For an empty w, .max(initial=0) gives 0.",
            "Take w as float64 before anything else, and q as p if it is 0.",
            "Hold q with np.clip(q, 2.0**-100, 2.0**100), then compute beta, and return the pair (beta, alpha) of "
            "Python's floats.",
        ),
        (
            Mistake("5/4 is missing: beta w must reach beyond the largest level", "5 * p / (4 * q)", "p / q"),
            Mistake("beta has 4/5 in place of 5/4", "5 * p / (4 * q)", "4 * p / (5 * q)"),
            Mistake("beta and alpha are in the wrong order", "beta, 1 / beta", "1 / beta, beta"),
            Mistake("p is the largest level, not the largest magnitude", "np.abs(Y).max()", "np.max(Y)"),
            Mistake(
                "q is the largest weight, not the largest magnitude",
                "np.abs(np.asarray(w, np.float64))",
                "np.asarray(w, np.float64)",
            ),
            Mistake("q is the mean of |w|: want the largest", "np.float64)).max(initial=0)", "np.float64)).mean()"),
            Mistake("for a w of zeros q is 1: want p", "else p", "else 1.0"),
            Mistake("q is not held between 2^-100 and 2^100", HELD, "q"),
        ),
    ),
    Sheet(
        "07.5",
        "Where the steps stand",
        "middle",
        "b_i = (c_i + c_(i+1)) / 2 of the k-means centres c; beside the level 0: -0.05 and 0.05",
        (
            "kmeans(np.ravel(v), k) returns the centres, ascending, and the codes. There are as many centres as "
            "levels, and one step less.",
            "check_levels(name, Y) raises the ValueError. Unless Y[0] < 0 < Y[-1], return the midpoints as they are.",
            "The step i leads from Y[i] to Y[i + 1]: it is left of 0 where Y[i + 1] <= 0. Hold those at most at -0.05, "
            "the others at least at 0.05; without a level 0 both bounds are 0.",
            "np.searchsorted(Y, 0) - 1 is the step that leaves the last negative level. Set it, and with a level 0 the "
            "one after it.",
        ),
        (
            Mistake("the steps stand at the centres: want halfway between them", BETWEEN, "c[:-1]"),
            Mistake(
                "the middle steps are left to v: want -0.05 and 0.05",
                "    b[[below, above]] = -edge, edge\n",
                "    pass\n",
            ),
            Mistake("the two steps beside 0 are exchanged", "= -edge, edge\n", "= edge, -edge\n"),
            Mistake("other steps may stand nearer to 0 than those beside it", f"b = {MOVED}", "b = b.copy()"),
            Mistake("levels from 0 on have no step that is moved", "Y[0] < 0 < Y[-1]", "Y[0] <= 0"),
            Mistake(
                "without the level 0 the middle step stands at 0", "if (Y == 0).any() else 0.0", "if True else 0.0"
            ),
            Mistake("k-means has a centre a step: want one a level", "len(Y))", "len(Y) - 1)"),
            Mistake(
                "the steps are halfway between the levels Y, whatever v is",
                "c, _ = kmeans(np.ravel(v), len(Y))",
                "c = np.array(Y, float)",
            ),
        ),
    ),
    Sheet(
        "07.6",
        "The soft form and its gradients",
        "hard",
        "y = alpha (sum_i s_i p_i - o),   p_i = sigmoid(T (beta x - b_i)),  dy/dx = alpha beta T sum s_i p_i (1 - p_i)",
        (
            "checked(name, x, alpha, beta, b, Y) raises most errors, and returns Y as an array of x's dtype, and alpha "
            "and beta as numbers, clipped. options.number(name, T, at_least=..., at_most=...) does it for T.",
            "logistic(u) returns p and p (1 - p) for u = T (beta x - b_i), accurate in both tails; times(a, x) "
            "multiplies without a warning where it overflows.",
            "Add up two arrays over the steps: steps, which begins at Y[0] and gets s_i p_i, and slope, which gets "
            "s_i p_i (1 - p_i). All gradients but that of b are made of them.",
            "dL/dalpha is the sum of dy steps, dL/dbeta that of dy x slope times alpha T, both in the shape (1,). "
            "dL/db_i has the slope of its own step alone, and a minus.",
        ),
        (
            Mistake(
                "T is missing in p_i",
                "p, p_1_minus_p = logistic(times(T, v - b_i))",
                "p, p_1_minus_p = logistic(v - b_i)",
            ),
            Mistake(
                "b_i is multiplied by beta, too: want beta x - b_i",
                "v = np.diff(Y), times(beta, x)\n",
                "v = np.diff(Y), times(beta, x)\n    b = beta * b\n",
            ),
            Mistake(
                "o is missing: far below all steps y must be alpha Y_1",
                "np.full(x.shape, Y[0], x.dtype)",
                "np.zeros(x.shape, x.dtype)",
            ),
            Mistake("the heights s_i are missing: each step is 1 high", "steps += s_i * p ", "steps += p "),
            Mistake(
                "the heights s_i are missing in the gradients", "slope += s_i * p_1_minus_p", "slope += p_1_minus_p"
            ),
            Mistake("y is not multiplied by alpha", "        alpha * steps,", "        steps,"),
            Mistake("dL/dx lacks T", DX, "dy * (alpha * beta * slope)"),
            Mistake("dL/dx lacks beta", DX, "dy * (alpha * T * slope)"),
            Mistake("dL/dx is straight-through: want the slope of the sigmoids", DX, "dy"),
            Mistake("dL/dalpha has alpha in it once more", "(dy * steps).sum()", "(dy * alpha * steps).sum()"),
            Mistake("dL/dbeta lacks x", DBETA, "alpha * T * (dy * slope).sum()"),
            Mistake("dL/dbeta is a mean: want the sum", DBETA, DBETA.replace("sum", "mean")),
            Mistake("dL/db has the wrong sign", DB, DB[1:]),
            Mistake("dL/db is that of all steps for each: want its own step alone", "(dy * slope_i)", "(dy * slope)"),
            Mistake(
                "the printed gradient with g = p_i: want g = alpha s_i p_i",
                "slope += s_i * p_1_minus_p",
                "slope += p * (alpha * s_i - p) / (alpha * alpha * s_i)",
            ),
        ),
    ),
)


def finale() -> str:
    """Train LeNet-300-100 shortly with soft quantizers that are made of the reader's functions, then run it hard."""
    from lightnn import compress, data, models, optim
    from lightnn.compress.transforms import soft
    from lightnn.training import predict, train

    mnist = data.load_mnist()
    net = models.lenet_300_100(rng=0)

    def trained(images, epochs, rate, schedule=None):
        x, y = mnist.x_train[:images], mnist.y_train[:images]
        options = {"optimizer": optim.Adam(net.parameters(), rate), "schedule": schedule, "batch_size": 100}
        train(net, (x, y), epochs=epochs, progress=False, **options)
        return 100 * (predict(net, mnist.x_test).argmax(1) != mnist.y_test).mean()

    before = trained(30000, 1, 2e-3)
    heights, o = soft.step_heights((-4, -2, -1, 0, 1, 2, 4))
    for layer in (net.fc1, net.fc2):
        compress.use_soft_quantizer(layer.weight, (-4, -2, -1, 0, 1, 2, 4))
    rounded = 100 * (predict(net, mnist.x_test).argmax(1) != mnist.y_test).mean()
    after = trained(10000, 4, 5e-4, compress.RisingTemperature(net, 10.0))
    values = len(set(net.fc1.weight().data.ravel().tolist()))
    assert after < 8 and values <= 7, f"with your functions it makes {after:.2f} % errors with {values} values"
    return (
        f"your chapter 07 trains LeNet-300-100 ({before:.2f} % error in floats) with {len(heights)} sigmoids a weight, "
        f"from {-o:g} to {o:g} times alpha: hardened at once {rounded:.2f} % error, after T = 10, 20, 30, 40 "
        f"{after:.2f} %, with {values} values in fc1"
    )
