"""The posterior density of the recovery model, for JAX. Imported only when a fit is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy import special

from trabecula.synthesis.recovery.course import Form, Numerics, Survival
from trabecula.synthesis.recovery.evidence import CLOCKS, STATISTICS
from trabecula.synthesis.recovery.layout import HALF_NORMAL
from trabecula.synthesis.recovery.points import ASKED, SCORE

BLUR = 0.5
"""Weeks over which weeks since start bend towards 0: what counts from onset may come before the
start that is assumed, and is then read as soon after it."""

FURTHEST = 37.0
"""Standard normal deviates beyond this have no probability in double precision."""

MEDIAN, RANGE = STATISTICS.index("median"), STATISTICS.index("range")
ONSET = CLOCKS.index("onset")

SAMPLED_RATES = ("study", "arm")
"""Parameters that are rates themselves; what they deviate by has its prior elsewhere."""

LEAST_EVER = -1e6
"""Smallest logarithm of a share still ill, so that all stays finite."""

LEAST, MOST = -60.0, -1e-9
"""Limits of the logarithm of a conditional share, so that nothing is impossible or sure."""


barrier: Any = jax.lax.optimization_barrier
"""Keeps the compiler from working out the same courses anew for each that reads them."""


def _log_normal_quantile(log_p: Any) -> Any:
    return special.ndtri(jnp.maximum(jnp.exp(log_p), 1e-300))


JAX = Numerics(jnp.exp, jnp.log, jnp.log1p, jnp.logaddexp, special.log_ndtr, _log_normal_quantile)


def correlated(deviates: Any, present: Any, correlation: Any) -> Any:
    """Return exchangeably correlated deviates along the last axis, among those `present`.

    Each is drawn given the sum of those before it; absent ones are 0 and inform nothing.
    """
    total = jnp.zeros(deviates.shape[:-1])
    columns = []
    for k, (slope, own) in enumerate(_conditional(present, correlation)):
        value = (slope * total + own * deviates[..., k]) * present[..., k]
        total = total + value
        columns.append(value)
    return jnp.stack(columns, axis=-1)


def standardised(values: Any, present: Any, correlation: Any) -> Any:
    """Return the deviates of which `values` are made by `correlated`."""
    total = jnp.zeros(values.shape[:-1])
    columns = []
    for k, (slope, own) in enumerate(_conditional(present, correlation)):
        value = values[..., k] * present[..., k]
        columns.append((value - slope * total) / own * present[..., k])
        total = total + value
    return jnp.stack(columns, axis=-1)


def _conditional(present: Any, correlation: Any) -> Iterator[tuple[Any, Any]]:
    """Yield for each column the slope on the sum of those before it, and the SD given that."""
    before = jnp.zeros(present.shape[:-1])
    for k in range(present.shape[-1]):
        spread = jnp.where(before > 0, 1 + (before - 1) * correlation, 1.0)
        slope = jnp.where(before > 0, correlation / spread, 0.0)
        yield slope, jnp.sqrt(1 - before * correlation * slope)
        before = before + present[..., k]


def quantities(at: Mapping[str, Any], data: Mapping[str, Any], prior: Mapping[str, Any]) -> Any:
    """Return what the parameters mean, by name.

    ``log_rate`` (studies, outcomes) of the natural course, ``speed`` (arms, outcomes), the
    logarithm of how many times as fast the clock of an arm runs, ``delay`` (studies,), and the
    quantities of the population.
    """
    half = {name: jnp.exp(at[name]) for name in HALF_NORMAL}
    q = {
        "log_median": jnp.log(prior["median_weeks"]) + prior["median_log_sd"] * at["median"],
        "spread": prior["spread"] * jnp.exp(prior["spread_log_sd"] * at["spread"]),
        "never": _share(prior["never_recover"], prior["never_recover_log_odds_sd"], at["never"]),
        "floor": _share(prior["floor"], prior["floor_log_odds_sd"], at["floor"]),
        "sooner": prior["kind_sd"] * half["sooner"],
        "study_sd": prior["study_sd"] * half["study_sd"],
        "optimism": half["optimism"]
        * jnp.stack([prior["uncontrolled_optimism"], prior["unblinded_optimism"]]),
        "moderator": prior["moderator_sd"] * at["moderator"],
        "delay_slope": prior["moderator_sd"] * at["delay_slope"],
    }
    rho = prior["outcome_correlation"]
    q["delay"], q["delay_se"] = prior["delay"], prior["delay_se"]
    longer = jnp.log(prior["delay"] / prior["delay_weeks"])
    classes = at["class_effect"]
    pooled = prior["effect_sd"] * correlated(classes, jnp.ones_like(classes), rho)
    own = data["members"] @ (prior["member_sd"] * at["member"])
    q["effect"] = data["effect_class"] @ pooled + own
    optimism = data["flags"] @ q["optimism"]
    expected = data["design"] @ q["effect"] + optimism[:, None]
    picked = data["arm_cells"].T @ expected.ravel()
    q["arm_deviate"] = (at["arm"] - picked) / prior["arm_sd"]
    q["speed"] = expected + (data["arm_cells"] @ (at["arm"] - picked)).reshape(expected.shape)
    _log_rates(at, data, q, longer, prior)
    q["arm_log_rate"] = q["log_rate"][data["arm_study"]] + q["speed"]
    return q


def _share(middle: Any, spread: Any, deviate: Any) -> Any:
    """Return shares whose log odds are normal."""
    return jax.nn.sigmoid(special.logit(middle) + spread * deviate)


def drawn_rates(at: Mapping[str, Any], data: Any, prior: Any) -> dict[str, Any]:
    """Return the parameters `SAMPLED_RATES` where `at` has standard deviates in their place."""
    q = quantities(at, data, prior)
    spread = prior["arm_sd"]
    arm = at["arm"] * (1 + spread) - spread * q["arm_deviate"]
    q = quantities({**at, "arm": arm}, data, prior)
    grid = (data["cells"] @ at["study"]).reshape(data["present"].shape)
    own = q["wide"] * correlated(grid, data["present"], prior["outcome_correlation"])
    rate = q["expected_log_rate"] + own + _of_anchor(data, q)
    return {"arm": arm, "study": data["cells"].T @ (rate - data["reference"]).ravel()}


def _log_rates(at: Any, data: Any, q: Any, longer: Any, prior: Any) -> None:
    """Add the natural rates of studies, how far they deviate, and by how much that is common.

    The rate of one arm of each study is sampled itself (centered): most studies tell it better
    than the others tell it for them, and deviations would be entangled with all that is common.
    """
    q["expected_log_rate"] = (
        -q["log_median"] + data["moderators"] @ q["moderator"] + longer[:, None] * q["delay_slope"]
    )
    q["wide"] = jnp.sqrt(q["study_sd"] ** 2 + data["alone"] * prior["arm_sd"] ** 2)
    if not at["study"].size:  # one natural course for all
        q["log_rate"] = q["expected_log_rate"]
        q["deviate"] = jnp.zeros(data["present"].shape)
        return
    own = (data["cells"] @ at["study"]).reshape(data["present"].shape)
    q["log_rate"] = own + data["reference"] - _of_anchor(data, q)
    apart = (q["log_rate"] - q["expected_log_rate"]) / q["wide"]
    q["deviate"] = standardised(apart, data["present"], prior["outcome_correlation"])


def _of_anchor(data: Any, q: Any) -> Any:
    """Return by how much faster than by nature that goes whose rate is sampled."""
    sooner = (data["anchor_kind"] @ q["sooner"].ravel()).reshape(data["present"].shape)
    return data["anchor"] @ q["speed"] + sooner


def potential(form: Form, at: Mapping[str, Any], data: Any, each: Any) -> Any:
    """Return minus the logarithm of the posterior.

    `each` holds ``prior``, and ``use`` (studies,): 1 for studies that count, 0 for others.
    """
    q = barrier(quantities(at, data, each["prior"]))
    rows = _by_table(form, at, data, q)
    total = sum((rows[name] * each["use"][data["study_of"][name]]).sum() for name in rows)
    return -(total + log_prior(at, data, q))


def log_prior(at: Mapping[str, Any], data: Any, q: Mapping[str, Any]) -> Any:
    """Return the logarithm of the prior density of the parameters, up to a constant."""
    total = -(q["deviate"] ** 2).sum() / 2 - (q["arm_deviate"] ** 2).sum() / 2
    if at["study"].size:
        total = total - (jnp.log(q["wide"]) * data["present"]).sum()
    for name, value in at.items():
        if name in HALF_NORMAL:
            total = total + (value - jnp.exp(2 * value) / 2).sum()
        elif name not in SAMPLED_RATES:
            total = total - (value**2).sum() / 2
    return total


def log_likelihood(form: Form, at: Mapping[str, Any], data: Any, prior: Any) -> dict[str, Any]:
    """Return the log-likelihood of every row, by table."""
    return _by_table(form, at, data, barrier(quantities(at, data, prior)))


def _by_table(form: Form, at: Any, data: Any, q: Any) -> dict[str, Any]:
    courses = Courses(form, data, q)
    return {
        "scores": _scores(at, data, courses),
        "counts": _counts(data, courses),
        "times": _times(form, data, q, courses),
        "tests": _tests(data, courses),
    }


class Courses:
    """Courses of arms from their starts, at the points that rows ask for, by who asks.

    ``log_ill`` is the logarithm of the share not recovered of those who will, ``log_density`` of
    the density of their weeks since start, ``score`` the share of the baseline that is left,
    ``log_left`` the logarithm of the share not recovered, never or not yet.
    """

    def __init__(self, form: Form, data: Any, q: Any) -> None:
        point = data["points"]
        outcome, delay = point["outcome"], q["delay"][point["study"]]
        heads = jnp.concatenate([jnp.zeros(1), q["sooner"].ravel()])
        log_rate = q["arm_log_rate"].ravel()[point["arm_cell"]] + heads[point["head_start"]]
        survival = Survival(form, log_rate, q["spread"][outcome], JAX)
        since = BLUR * jax.nn.softplus((point["week"] - delay) / BLUR)
        week = jnp.where(point["onset"], since, point["week"])
        log_week = jnp.log(jnp.where(jnp.isfinite(week) & (week > 0), week, 1.0))
        log_ill = jnp.maximum(survival.log_survival(log_week), LEAST_EVER)
        log_ill = jnp.where(week > 0, log_ill, 0.0)
        floor = q["floor"][outcome]
        never = jnp.where(point["complete"], q["never"][outcome], 0.0)
        some = jnp.log(jnp.maximum(never, 1e-300))
        not_yet = jnp.logaddexp(some, jnp.log1p(-never) + log_ill)
        courses = (
            log_ill,
            survival.log_density(log_week),
            floor + (1 - floor) * jnp.exp(log_ill),
            jnp.where(jnp.isfinite(week), not_yet, some),
        )
        ends = np.cumsum([_asking(data, name) for name in ASKED])[:-1]
        self.log_ill, self.log_density, self.score, self.log_left = (
            dict(zip(ASKED, jnp.split(values, ends), strict=True)) for values in barrier(courses)
        )


def _asking(data: Any, name: str) -> int:
    """Return how many points are asked for."""
    table = {"previous": "counts", "value": "times", "upper": "times"}.get(name, name)
    column = "first" if table in {"first", "second"} else "arm"
    return int(data["tests" if column == "first" else table][column].shape[0])


def _normal(value: Any, mean: Any, sd: Any) -> Any:
    return -(((value - mean) / sd) ** 2) / 2 - jnp.log(sd) - jnp.log(2 * jnp.pi) / 2


def _scores(at: Any, data: Any, courses: Courses) -> Any:
    t = data["scores"]
    mean, scale = expected_scores(at, data, courses)
    far = ((t["mean"] - mean) / scale) ** 2
    shape = (t["df"] + 1) / 2 * jnp.log1p(far / t["df"])
    return t["log_constant"] - jnp.log(scale) - shape


def expected_scores(at: Any, data: Any, courses: Courses) -> tuple[Any, Any]:
    """Return the expected mean of every score, given its printed baseline, and its scale."""
    t = data["scores"]
    deviate = at["baseline"][data["series"]]
    baseline = t["baseline"] + t["baseline_se"] * deviate
    # The error of the baseline, -deviate in units of its SE, goes on into later means.
    carried = jnp.where(t["baseline_se"] > 0, t["correlation"], 0.0)
    left = courses.score["scores"]
    scale = t["scale"] * jnp.sqrt(1 - carried**2)
    return baseline * left - carried * t["scale"] * deviate, scale


def _counts(data: Any, courses: Courses) -> Any:
    t = data["counts"]
    log_left = expected_counts(data, courses)
    some = (t["events"] - t["previous_events"]) * jnp.log(-jnp.expm1(log_left))
    return (some + (t["n"] - t["events"]) * log_left) / t["design_effect"]


def expected_counts(data: Any, courses: Courses) -> Any:
    """Return the log probability of no event, for those not counted by the previous count."""
    earlier = jnp.where(data["counts"]["previous_week"] > 0, courses.log_left["previous"], 0.0)
    return jnp.clip(courses.log_left["counts"] - earlier, LEAST, MOST)


def _times(form: Form, data: Any, q: Any, courses: Courses) -> Any:
    t = data["times"]
    told = _normal(t["value"], *expected_times(form, data, q))
    told = jnp.where(t["statistic"] == MEDIAN, _middle(courses, t["n"], t["log_beta"]), told)
    return jnp.where(t["statistic"] == RANGE, _extremes(courses, t["n"]), told)


def expected_times(form: Form, data: Any, q: Any) -> tuple[Any, Any]:
    """Return the expected mean of every time, on its clock, and its standard error."""
    t = data["times"]
    study, outcome = data["study_of"]["times"], t["outcome"]
    nodes = Survival(form, 0.0, q["spread"], JAX).log_week(jnp.log1p(-data["node"][:, None]))
    first, second = (data["node_weight"] @ jnp.exp(power * nodes) for power in (1, 2))
    median = jnp.exp(-q["arm_log_rate"][t["arm"], outcome])
    se = median * jnp.sqrt(second - first**2)[outcome] / jnp.sqrt(t["n"])
    onset = t["clock"] == ONSET
    mean = median * first[outcome] + jnp.where(onset, q["delay"][study], 0.0)
    return mean, jnp.sqrt(se**2 + jnp.where(onset, q["delay_se"][study], 0.0) ** 2)


def _middle(courses: Courses, n: Any, log_beta: Any) -> Any:
    """Return the log density of the middle order statistic of `n` times."""
    rank, log_ill = (n + 1) / 2, jnp.clip(courses.log_ill["value"], LEAST, MOST)
    ranks = (rank - 1) * jnp.log(-jnp.expm1(log_ill)) + (n - rank) * log_ill
    return ranks + courses.log_density["value"] - log_beta


def _extremes(courses: Courses, n: Any) -> Any:
    """Return the log density of the first and the last of `n` times."""
    n = jnp.maximum(n, 2.0)
    log_first, log_last = courses.log_ill["value"], courses.log_ill["upper"]
    between = log_first + jnp.log(-jnp.expm1(jnp.clip(log_last - log_first, LEAST, MOST)))
    ends = courses.log_density["value"] + courses.log_density["upper"]
    return jnp.log(n) + jnp.log(n - 1) + ends + (n - 2) * between


def _tests(data: Any, courses: Courses) -> Any:
    t = data["tests"]
    expected = expected_tests(data, courses)
    told = _log_within(t["lower"] - expected, t["upper"] - expected)
    turned = _log_within(t["lower"] + expected, t["upper"] + expected)
    return jnp.where(t["either_sign"], jnp.logaddexp(told, turned), told)


def expected_tests(data: Any, courses: Courses) -> Any:
    """Return the expected value of every test statistic."""
    t = data["tests"]
    # NaN where it does not apply would make the slope NaN, though the value is not used.
    per_unit = jnp.where(t["kind"] == SCORE, t["per_unit"], 0.0)
    scores = per_unit * (courses.score["second"] - courses.score["first"])
    one, other = (1 - jnp.exp(courses.log_left[name]) for name in ("first", "second"))
    n_one, n_other = (jnp.nan_to_num(t[name], nan=1.0) for name in ("n_first", "n_second"))
    share = jnp.clip((n_one * one + n_other * other) / (n_one + n_other), 1e-6, 1 - 1e-6)
    counts = (one - other) / jnp.sqrt(share * (1 - share) * (1 / n_one + 1 / n_other))
    return jnp.where(t["kind"] == SCORE, scores, counts)


def _log_within(lower: Any, upper: Any) -> Any:
    """Return the log probability that a standard normal variable lies within, or its density."""
    exact = lower == upper
    low, high = jnp.clip(lower, -FURTHEST, FURTHEST), jnp.clip(upper, -FURTHEST, FURTHEST)
    right = low > 0  # there, what is left of -low is known to more digits
    low, high = jnp.where(right, -high, low), jnp.where(right, -low, high)
    high = jnp.where(high > low, high, low + 1.0)
    log_low, log_high = special.log_ndtr(low), special.log_ndtr(high)
    inside = log_high + jnp.log(-jnp.expm1(jnp.minimum(log_low - log_high, MOST)))
    point = jnp.where(exact, lower, 0.0)
    return jnp.where(exact, _normal(point, 0.0, 1.0), inside)
