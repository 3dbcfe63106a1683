"""The density that is sampled: the model written out again, row by row, with scipy."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import pytest
from scipy import integrate, special, stats

from tests.synthesis.recovery.made import (
    BORROWED,
    COMPLETE,
    MEAN,
    MEDIAN,
    PRIORS,
    SCORE,
    all_kinds,
    evidence_of_all_kinds,
)
from trabecula.synthesis.recovery.course import (
    FORMS,
    NUMPY,
    SPREAD_OF_SHAPE_ONE,
    Form,
    Survival,
)
from trabecula.synthesis.recovery.layout import NODES, NORMAL, assumed, layout

At = dict[str, np.ndarray]
Cell = tuple[int, int]

HALF_NORMAL = ("sooner", "study_sd", "optimism")


def distribution(form: Form, median: float, spread: float) -> Any:
    """Return the distribution of one patient's weeks, of scipy."""
    shape = SPREAD_OF_SHAPE_ONE[form] / spread
    if form == "weibull":
        return stats.weibull_min(shape, scale=median / math.log(2) ** (1 / shape))
    if form == "log-normal":
        return stats.lognorm(1 / shape, scale=median)
    return stats.fisk(shape, scale=median)


def rows(table: str) -> list[dict[str, Any]]:
    """Return the rows of a table of `all_kinds`."""
    held = all_kinds()[table]
    return [dict(zip(held, row, strict=True)) for row in zip(*held.values(), strict=True)]


class Written:
    """The model at one point, as the manual tells it: loops over studies, arms and rows."""

    def __init__(self, form: Form, at: At, *, exchangeable: bool = True) -> None:
        self.form, self.at, self.exchangeable = form, at, exchangeable
        self.told, self.p = all_kinds(), PRIORS
        self.log_prior = 0.0
        self.study_of = self.told["arm_study"]
        self.delay = [8.0 if math.isnan(d) else d for d in self.told["delay"]]
        self.delay_se = [
            d * (0.5 if math.isnan(t) else 0.15)
            for d, t in zip(self.delay, self.told["delay"], strict=True)
        ]
        self.natural_course()
        self.expected_speeds()
        self.speeds_of_arms()
        self.rates_of_studies()

    def natural_course(self) -> None:
        """Set what is common to all studies, with its prior."""
        at, p = self.at, self.p
        for name in HALF_NORMAL:
            deviate = np.exp(at[name])
            self.log_prior += (stats.halfnorm.logpdf(deviate) + at[name]).sum()
        plain = ("median", "spread", "never", "floor", "moderator", "delay_slope", "member")
        for name in (*plain, "baseline"):
            self.log_prior += stats.norm.logpdf(at[name]).sum()
        self.log_median = np.log(p.median_weeks) + 0.5 * at["median"]
        self.spread = 0.8 * np.exp(0.3 * at["spread"])
        self.never = special.expit(special.logit(0.05) + 0.8 * at["never"])
        self.floor = special.expit(special.logit(0.05) + 0.8 * at["floor"])
        self.sooner = 0.7 * np.exp(at["sooner"])  # partial recovery, scores
        self.study_sd = 0.5 * np.exp(at["study_sd"])
        self.optimism = np.exp(at["optimism"]) * [0.3, 0.15]
        self.moderator = 0.25 * at["moderator"]
        self.slope = 0.25 * at["delay_slope"]

    def expected_speeds(self) -> None:
        """Set the effects (class drug: its own, x, y; waves alone) and what arms expect."""
        among = 0.35**2 * (0.5 * np.eye(2) + 0.5)
        pooled = (np.linalg.cholesky(among) @ self.at["class_effect"].T).T
        for effect in pooled:
            self.log_prior += stats.multivariate_normal.logpdf(effect, np.zeros(2), among)
        drug, waves = pooled
        x, y = drug + 0.2 * self.at["member"]
        effects = np.array([drug, x, y, waves])
        self.expected = []
        for arm, has in enumerate(self.told["design"]):
            optimism = self.told["uncontrolled"][arm] * self.optimism[0]
            optimism += self.told["unblinded"][arm] * self.optimism[1]
            self.expected.append(np.array(has) @ effects + optimism)

    def arm_cells(self) -> list[Cell]:
        """Return treated arms of studies with several, and the outcomes they report."""
        seen = {(r["arm"], r["outcome"]) for t in ("scores", "counts", "times") for r in rows(t)}
        seen |= {(r[arm], r["outcome"]) for r in rows("tests") for arm in ("first", "second")}
        design, of = self.told["design"], self.study_of
        return sorted(c for c in seen if any(design[c[0]]) and of.count(of[c[0]]) > 1)

    def speeds_of_arms(self) -> None:
        """Set the speed of each arm; those of arms that are compared deviate."""
        self.speed = [s.copy() for s in self.expected]
        for (arm, outcome), value in zip(self.arm_cells(), self.at["arm"], strict=True):
            self.log_prior += stats.norm.logpdf(value, self.expected[arm][outcome], 0.2)
            self.speed[arm][outcome] = value

    def study_cells(self) -> dict[Cell, int]:
        """Return pairs (study, outcome) that are reported, with the kind sampled."""
        kinds: dict[Cell, int] = {}
        for table, kind in (("scores", SCORE), ("counts", None), ("times", 0), ("tests", None)):
            for r in rows(table):
                arm = r["first"] if table == "tests" else r["arm"]
                cell = (self.study_of[arm], r["outcome"])
                found = r["kind"] if kind is None else kind
                kinds[cell] = min(kinds.get(cell, SCORE), found)
        return dict(sorted(kinds.items()))

    def rates_of_studies(self) -> None:
        """Set natural log rates; those sampled are of an untreated arm, else of the first."""
        studies = range(len(self.told["studies"]))
        moderators = np.array(self.told["moderators"])
        self.rate = np.array(
            [
                -self.log_median
                + moderators[s] @ self.moderator
                + math.log(self.delay[s] / 8) * self.slope
                for s in studies
            ]
        )
        if not self.exchangeable:
            return
        expected, kinds = self.rate.copy(), self.study_cells()
        for (s, k), value in zip(kinds, self.at["study"], strict=True):
            arms = [a for a, of in enumerate(self.study_of) if of == s]
            anchor = next((a for a in arms if not any(self.told["design"][a])), arms[0])
            head = 0.0 if kinds[s, k] == COMPLETE else self.sooner[kinds[s, k] - 1][k]
            start = -math.log(self.p.median_weeks[k])
            self.rate[s, k] = start + value - self.speed[anchor][k] - head
        for s in studies:
            told = [k for k in range(2) if (s, k) in kinds]
            alone = self.study_of.count(s) == 1 and any(self.told["design"][self.study_of.index(s)])
            wide = np.sqrt(self.study_sd[told] ** 2 + (0.2**2 if alone else 0.0))
            spread = np.outer(wide, wide) * (0.5 * np.eye(len(told)) + 0.5)
            self.log_prior += stats.multivariate_normal.logpdf(
                self.rate[s, told], expected[s, told], spread
            )

    def course(self, arm: int, outcome: int, kind: int) -> Any:
        """Return the distribution of weeks since start."""
        rate = self.rate[self.study_of[arm], outcome] + self.speed[arm][outcome]
        if kind != COMPLETE:
            rate += self.sooner[kind - 1][outcome]
        return distribution(self.form, math.exp(-rate), self.spread[outcome])

    def week(self, arm: int, week: float, clock: int) -> float:
        """Return weeks since start; before it they bend towards 0."""
        late = week - self.delay[self.study_of[arm]]
        return math.log1p(math.exp(2 * late)) / 2 if clock and week < 1e3 else week

    def left(self, arm: int, outcome: int, kind: int, week: float) -> float:
        """Return the share that has not recovered, never or not yet."""
        never = self.never[outcome] if kind == COMPLETE else 0.0
        return float(never + (1 - never) * self.course(arm, outcome, kind).sf(week))

    def score(self, arm: int, outcome: int, week: float) -> float:
        """Return the share of the baseline that is left."""
        floor = self.floor[outcome]
        return float(floor + (1 - floor) * self.course(arm, outcome, SCORE).sf(week))

    def scores(self) -> list[float]:
        """Return the log densities of scores: normal, or t with 5 degrees of freedom."""
        found, series = [], {}
        for r in rows("scores"):
            key = (r["arm"], r["outcome"], r["baseline"], r["baseline_se"])
            deviate = self.at["baseline"][series.setdefault(key, len(series))]
            left = self.score(r["arm"], r["outcome"], self.week(r["arm"], r["week"], r["clock"]))
            borrowed = r["se_log_sd"] > 0
            scale = r["se"] * (math.sqrt(stats.chi2.median(5) / 5) if borrowed else 1.0)
            rho = r["correlation"] if r["baseline_se"] else 0.0
            mean = (r["baseline"] + r["baseline_se"] * deviate) * left - rho * scale * deviate
            law = stats.t(5) if borrowed else stats.norm
            scale *= math.sqrt(1 - rho**2)
            found.append(law.logpdf((r["mean"] - mean) / scale) - math.log(scale))
        return found

    def counts(self) -> list[float]:
        """Return the log probabilities of counts, but for the binomial coefficient."""
        found = []
        for r in rows("counts"):
            cell, clock = (r["arm"], r["outcome"]), r["clock"]
            before = 1.0
            if r["previous_week"]:
                week = self.week(r["arm"], r["previous_week"], clock)
                before = self.left(*cell, r["previous_kind"], week)
            p = 1 - self.left(*cell, r["kind"], self.week(r["arm"], r["week"], clock)) / before
            new, at_risk = r["events"] - r["previous_events"], r["n"] - r["previous_events"]
            fitting = stats.binom.logpmf(new, at_risk, p)
            found.append((fitting - math.log(special.comb(at_risk, new))) / r["design_effect"])
        return found

    def times(self) -> list[float]:
        """Return the log densities of times: of a mean, or of order statistics."""
        found = []
        node, weight = np.polynomial.legendre.leggauss(NODES)
        for r in rows("times"):
            course, n = self.course(r["arm"], r["outcome"], COMPLETE), r["n"]
            study = self.study_of[r["arm"]]
            value, upper = (self.week(r["arm"], r[v], r["clock"]) for v in ("value", "upper"))
            if r["statistic"] == MEAN:
                levels = course.ppf((node + 1) / 2)
                mean = weight @ levels / 2
                variance = (weight @ levels**2 / 2 - mean**2) / n
                if r["clock"]:
                    mean, variance = mean + self.delay[study], variance + self.delay_se[study] ** 2
                found.append(stats.norm.logpdf(r["value"], mean, math.sqrt(variance)))
            elif r["statistic"] == MEDIAN:
                order = stats.beta((n + 1) / 2, (n + 1) / 2)
                found.append(order.logpdf(course.cdf(value)) + course.logpdf(value))
            else:
                between = math.log(course.cdf(upper) - course.cdf(value))
                ends = course.logpdf(value) + course.logpdf(upper)
                found.append(math.log(n * (n - 1)) + (n - 2) * between + ends)
        return found

    def tests(self) -> list[float]:
        """Return the log densities of exact tests, or log probabilities of those within limits."""
        found = []
        for r in rows("tests"):
            arms, k, kind, week = (r["first"], r["second"]), r["outcome"], r["kind"], r["week"]
            if kind == SCORE:
                one, other = (self.score(a, k, week) for a in arms)
                z = r["per_unit"] * (other - one)
            else:
                one, other = (1 - self.left(a, k, kind, week) for a in arms)
                pooled = (r["n_first"] * one + r["n_second"] * other) / (
                    r["n_first"] + r["n_second"]
                )
                z = (one - other) / math.sqrt(
                    pooled * (1 - pooled) * (1 / r["n_first"] + 1 / r["n_second"])
                )
            signs = (1, -1) if r["either_sign"] else (1,)
            low, high = r["lower"], r["upper"]
            if low == high:
                found.append(math.log(sum(stats.norm.pdf(low, s * z) for s in signs)))
            else:
                law = stats.norm.cdf
                found.append(math.log(sum(law(high - s * z) - law(low - s * z) for s in signs)))
        return found

    def tables(self) -> dict[str, list[float]]:
        """Return the log-likelihoods of all rows by table."""
        names = ("scores", "counts", "times", "tests")
        return {name: getattr(self, name)() for name in names}


def points(how_many: int, *, exchangeable: bool = True) -> list[At]:
    """Return random points, about as wide as the prior."""
    laid = layout(evidence_of_all_kinds(), PRIORS, exchangeable=exchangeable)
    random = np.random.default_rng(11)
    return [
        {name: random.normal(0, 0.5, size) for name, size in laid.sizes.items()}
        for _ in range(how_many)
    ]


@pytest.mark.parametrize("exchangeable", [True, False])
@pytest.mark.parametrize("form", FORMS)
def test_the_sampled_density_is_the_posterior(form: Form, exchangeable: bool) -> None:
    """At any point it is prior times likelihood, but for a constant."""
    import jax

    from trabecula.synthesis.recovery import density

    evidence = evidence_of_all_kinds()
    laid = layout(evidence, PRIORS, exchangeable=exchangeable)
    use = np.array([1.0, 1.0, 0.0, 1.0, 1.0, 1.0])
    gaps = []
    with jax.enable_x64(True):
        each = {"prior": assumed(PRIORS, evidence), "use": use}
        sampled = jax.jit(lambda at: density.potential(form, at, laid.shared, each))
        for at in points(6, exchangeable=exchangeable):
            written = Written(form, at, exchangeable=exchangeable)
            known = written.log_prior
            for name, values in written.tables().items():
                of = evidence.studies_of(getattr(evidence, name))
                known += sum(v * use[s] for v, s in zip(values, of, strict=True))
            gaps.append(known + float(sampled(at)))

    np.testing.assert_allclose(gaps, gaps[0], atol=1e-8)


@pytest.mark.parametrize("form", FORMS)
def test_the_likelihood_of_every_row_is_that_of_its_law(form: Form) -> None:
    """Row by row, constants included but for the ways in which patients can be chosen."""
    import jax

    from trabecula.synthesis.recovery import density

    evidence = evidence_of_all_kinds()
    laid = layout(evidence, PRIORS)
    rows_of = jax.jit(partial(density.log_likelihood, form))
    with jax.enable_x64(True):
        for at in points(2):
            found = rows_of(at, laid.shared, assumed(PRIORS, evidence))
            for name, values in Written(form, at).tables().items():
                np.testing.assert_allclose(found[name], values, atol=1e-8, err_msg=name)


def test_a_borrowed_standard_error_has_the_degrees_of_freedom_that_its_spread_tells() -> None:
    """The logarithm of a borrowed error with 5 degrees of freedom has the told deviation."""
    found = layout(evidence_of_all_kinds(), PRIORS).shared["scores"]

    assert math.sqrt(special.polygamma(1, 2.5)) / 2 == pytest.approx(BORROWED, abs=1e-5)
    assert found["df"][[1, 4]] == pytest.approx(5, rel=1e-4)
    assert (found["df"][[0, 2, 3, 5, 6]] == NORMAL).all()


@pytest.mark.parametrize("form", FORMS)
def test_slopes_of_the_density_are_finite_far_out(form: Form) -> None:
    """Up to four standard deviations out in every direction there is a density, and its slope."""
    import jax

    from trabecula.synthesis.recovery import density

    evidence = evidence_of_all_kinds()
    laid = layout(evidence, PRIORS)
    random = np.random.default_rng(3)
    at = {
        name: np.clip(random.normal(0, 2, (20, *size)), -4, 1.5 if name in HALF_NORMAL else 4)
        for name, size in laid.sizes.items()
    }
    with jax.enable_x64(True):
        each = {"prior": assumed(PRIORS, evidence), "use": np.ones(6)}

        def height(point: At) -> Any:
            return density.potential(form, point, laid.shared, each)

        value, slopes = jax.jit(jax.vmap(jax.value_and_grad(height)))(at)

    assert np.isfinite(value).all()
    assert all(np.isfinite(s).all() for s in slopes.values())


@pytest.mark.parametrize("form", FORMS)
def test_courses_are_the_distributions_of_scipy(form: Form) -> None:
    """Survival, density and quantiles from a minute to a century, and the spread of log time."""
    course = Survival(form, -math.log(20.0), 0.7)
    known = distribution(form, 20.0, 0.7)
    weeks = np.array([0.5, 3, 10, 20, 35, 60.0])

    np.testing.assert_allclose(course.log_survival(np.log(weeks)), known.logsf(weeks), rtol=1e-12)
    np.testing.assert_allclose(course.log_density(np.log(weeks)), known.logpdf(weeks), rtol=1e-12)
    np.testing.assert_allclose(np.exp(course.log_survival(math.log(20.0))), 0.5, rtol=1e-14)
    back = course.log_week(course.log_survival(np.log(weeks)))
    np.testing.assert_allclose(np.exp(back), weeks, rtol=1e-9)
    levels = np.linspace(0.01, 0.99, 9)
    np.testing.assert_allclose(np.exp(course.log_week(np.log(levels))), known.isf(levels))
    moments = [
        integrate.quad(lambda p, m=m: float(np.log(known.isf(p)) ** m), 0, 1)[0] for m in (1, 2)
    ]
    assert math.sqrt(moments[1] - moments[0] ** 2) == pytest.approx(0.7, rel=1e-6)


def test_the_density_of_a_course_is_the_slope_of_its_survival() -> None:
    """Differences of survival over a thousandth of a week, for each form."""
    weeks, step = np.array([1.0, 7, 25, 80]), 1e-3
    for form in FORMS:
        course = Survival(form, -3.0, 0.9)
        either = [np.exp(course.log_survival(np.log(weeks + s))) for s in (-step / 2, step / 2)]
        slope = (either[0] - either[1]) / step
        np.testing.assert_allclose(np.exp(course.log_density(np.log(weeks))), slope, rtol=1e-6)


def test_mean_times_are_those_of_the_gamma_function() -> None:
    """The rule over quantiles gives Weibull means to 0.1 % and their spread to 1 %."""
    node, weight = np.polynomial.legendre.leggauss(NODES)
    for spread in (0.4, 0.8, 1.2):
        shape = SPREAD_OF_SHAPE_ONE["weibull"] / spread
        weeks = np.exp(Survival("weibull", 0.0, spread).log_week(np.log1p(-(node + 1) / 2)))
        scale = math.log(2) ** (-1 / shape)
        mean, square = (scale**m * math.gamma(1 + m / shape) for m in (1, 2))
        found = [float(weight @ weeks**m / 2) for m in (1, 2)]
        assert found[0] == pytest.approx(mean, rel=1e-3)
        assert math.sqrt(found[1] - found[0] ** 2) == pytest.approx(
            math.sqrt(square - mean**2), rel=1e-2
        )


def test_both_libraries_have_the_same_course() -> None:
    """The functions of JAX give what those of NumPy give."""
    import jax

    from trabecula.synthesis.recovery.density import JAX

    log_weeks = np.linspace(-3, 5, 9)
    with jax.enable_x64(True):
        for form in FORMS:
            one, other = (Survival(form, -2.5, 0.6, n) for n in (NUMPY, JAX))
            for name in ("log_survival", "log_density"):
                np.testing.assert_allclose(
                    getattr(one, name)(log_weeks), getattr(other, name)(log_weeks), 1e-9, 1e-14
                )
            levels = np.log(np.linspace(0.05, 0.95, 9))
            np.testing.assert_allclose(one.log_week(levels), other.log_week(levels), rtol=1e-9)
