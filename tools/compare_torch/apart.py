"""Ops that have no counterpart in torch to compare with, and why."""

DRAWS = (
    "torch draws other random numbers; the kit's tests hold it against its own Philox and the distribution"
)

APART = {
    "philox": "torch does not give the bits",
    "uniform": DRAWS,
    "normal": DRAWS,
    "bernoulli": DRAWS,
    "randint": DRAWS,
    "truncated_normal": DRAWS,
    "categorical": DRAWS,
    "permutation": DRAWS,
    "dropout": DRAWS,
    "checked_index": "the indices themselves, or an error",
    "cross_entropy_grad": "the gradient of cross_entropy, which is compared",
    "region": "elementwise ops, which are compared",
    "conv2d_region": "conv2d and elementwise ops, which are compared",
    "linear_region": "linear and elementwise ops, which are compared",
    "matmul_region": "matmul and elementwise ops, which are compared",
    "lstm_steps": "a part of lstm, which is compared",
    "lstm_steps_grad": "a part of the gradient of lstm, which is compared",
}
