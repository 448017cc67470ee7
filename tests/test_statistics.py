"""Statistics: small tables worked out by hand, textbook examples, and simulated studies with known effects."""

import json
import math
import subprocess
import sys
from dataclasses import astuple, replace

import numpy as np
import pytest
from bench import statistics as bench
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from ifpref.params import load_params, profiles
from ifpref.statistics import (
    Components,
    Effect,
    components,
    contrast,
    differences,
    effect,
    exact_share,
    halves,
    holm,
    intersection_union,
    log_odds,
    minimum_detectable_effect,
    pooled,
    sign_counts,
    terciles,
    verdict,
    verdicts,
)

NAN = math.nan
TABLE = np.array([[1, 2, 3, 6], [2, 2, 4, 8], [3, 5, 5, 7.0]])
"""Row means 3, 4, 5; column means 2, 3, 4, 7. MS_R = 4, MS_N = 14, MS_E = 4 / 6."""


def made(estimate, low, high, p=0.5, df=9, replicates=10, prompts=1000):
    """A hand-made effect; the standard error is that of the interval's half width at df."""
    error = (high - low) / 2 / stats.t.ppf(0.975, df)
    return Effect(estimate, error, low, high, p, df, 0.95, replicates, prompts)


# ---- the interval


def test_the_table_by_hand():
    it = effect(TABLE)
    assert it.estimate == 4
    assert it.standard_error == pytest.approx(math.sqrt(13) / 3)  # (4 + 14 - 2/3) / 12 = 13 / 9
    assert it.degrees_of_freedom == 2
    assert (it.low, it.high) == pytest.approx((-1.171145, 9.171145))  # t of 2 df: 4.302653
    assert it.p == pytest.approx(2 * stats.t.sf(4 / 1.2018504, 2))
    assert (it.replicates, it.prompts, it.missing, it.reason) == (3, 4, 0, None)
    assert it.bounds(0.95) == pytest.approx((it.low, it.high))
    assert it.bounds(0.99)[1] == pytest.approx(4 + 9.924843 * 1.2018504)
    assert effect(TABLE, confidence=0.99).low == pytest.approx(it.bounds(0.99)[0])


def test_rows_that_agree_by_chance_do_not_make_the_interval_vanish():
    it = effect([[2, 0], [0, 2]])  # rows and columns agree: MS_R = MS_N = 0, MS_E = 4
    assert (it.estimate, it.standard_error, it.degrees_of_freedom) == (1, 1, 1)


def test_with_fewer_prompts_than_replicates_prompts_give_the_degrees_of_freedom():
    assert effect(TABLE.T[:, :2]).degrees_of_freedom == 1


def test_without_prompt_differences_it_is_the_t_test_of_the_rows():
    rows = np.array([1.0, 4.0, 2.0, 7.0])
    it, known = effect(np.tile(rows[:, None], 5)), stats.ttest_1samp(rows, 0)
    assert it.p == pytest.approx(known.pvalue)
    assert (it.low, it.high) == pytest.approx(tuple(known.confidence_interval()))


TABLES = arrays(float, st.tuples(st.integers(2, 5), st.integers(2, 6)), elements=st.integers(-100, 100).map(float))


@given(TABLES, st.randoms(use_true_random=False))
def test_the_order_of_replicates_and_prompts_is_nothing(table, random):
    rows, columns = list(range(table.shape[0])), list(range(table.shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    one, other = effect(table), effect(table[rows][:, columns])
    assert (one.estimate, one.standard_error) == pytest.approx((other.estimate, other.standard_error), nan_ok=True)


@given(TABLES)
def test_units_and_sign_go_through(table):
    one, other = effect(table), effect(-10 * table)
    assert (-10 * one.low, -10 * one.high) == pytest.approx((other.high, other.low), nan_ok=True)
    assert one.p == pytest.approx(other.p, nan_ok=True)


@given(TABLES)
def test_the_variance_is_never_below_that_of_rows_or_of_columns(table):
    it = effect(table)
    if not it.reason:
        rows, columns = table.mean(axis=1), table.mean(axis=0)
        assert it.standard_error * (1 + 1e-9) >= rows.std(ddof=1) / math.sqrt(len(rows))
        assert it.standard_error * (1 + 1e-9) >= columns.std(ddof=1) / math.sqrt(len(columns))


@pytest.mark.parametrize(
    ("data", "estimate", "reason"),
    [
        ([[1.0, 2.0, 6.0]], 3, "one replicate: how much replicates differ is unknown"),
        ([[1.0], [3.0]], 2, "one prompt: how much prompts differ is unknown"),
        ([[0.0, 0.0], [0.0, 0.0]], 0, "no variation: every difference is the same"),
        ([[33.3] * 7] * 3, 33.3, "no variation: every difference is the same"),  # whose mean is not exactly 33.3
        ([[NAN, NAN], [NAN, NAN]], NAN, "no replicate is there"),
        ([[NAN, NAN], [1.0, 3.0]], 2, "one replicate: how much replicates differ is unknown"),
        (np.empty((3, 0)), NAN, "no prompt is there"),
    ],
)
def test_no_interval_is_made_up(data, estimate, reason):
    it = effect(data)
    assert it.estimate == pytest.approx(estimate, nan_ok=True) and it.reason == reason
    assert all(math.isnan(value) for value in (it.standard_error, it.low, it.high, it.p))
    row = json.loads(json.dumps(it.to_dict(), allow_nan=False))
    assert row["low"] is None and row["reason"] == reason
    assert math.isnan(minimum_detectable_effect(it.standard_error, it.degrees_of_freedom))
    assert verdict(it, margin=1, adjusted_p=it.p).verdict == "not resolved"


def test_one_run_copied_is_still_no_more_than_its_prompts():
    assert effect([[1, 3], [1, 3]]).standard_error == 1  # MS_R = MS_E = 0, MS_N = 4


def test_a_missing_replicate_is_left_out_and_counted_a_failed_one_is_data():
    with_missing = np.vstack([TABLE, np.full(4, NAN)])
    assert effect(with_missing) == replace(effect(TABLE), missing=1)
    failed = differences(np.zeros((1, 4)), [[1, 0, 1, 0]])
    assert failed.tolist() == [[-100, 0, -100, 0]]
    assert effect(np.vstack([TABLE, failed])).replicates == 4


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([[1.0, NAN], [1.0, 2.0]], "replicate 0 has no value for prompt 1"),
        ([1.0, 2.0], r"shape \(2,\); allowed: \(replicates, prompts\)"),
        ([[math.inf, 1.0]], "an infinite value"),
    ],
)
def test_tables_that_are_refused(data, message):
    with pytest.raises(ValueError, match=message):
        effect(data)


# ---- what it is read from


def test_differences_turn_fractions_into_points_here_and_nowhere_else():
    base = np.array([1, 0, 0.5])
    assert differences([[1, 1, 1], [0, 0, 0]], base).tolist() == [[0, 100, 50], [-100, 0, -50]]
    assert differences(np.ones((2, 4, 3)), base).shape == (2, 4, 3)
    assert np.isnan(differences([[NAN, 1]], [[1, 1]])).tolist() == [[True, False]]
    with pytest.raises(ValueError, match=r"a holds 35.0; allowed: fractions"):
        differences([[35.0]], [[0.2]])
    with pytest.raises(ValueError, match=r"a is \(2, 3\) and b is \(2,\)"):
        differences(np.ones((2, 3)), [1, 1])


def test_a_contrast_of_two_prompt_sets_by_hand():
    first = [[1, 3], [3, 5]]  # MS_N = 4, MS_E = 0
    second = [[0, 0, 0], [1, 2, 3]]  # MS_N = MS_E = 1/2
    it = contrast([first, second], [1, -1])  # rows: 2 - 0 and 4 - 2, which agree
    assert (it.estimate, it.degrees_of_freedom, it.prompts) == (2, 1, 5)
    assert it.standard_error == pytest.approx(math.sqrt(1 / 12 + 1))  # E/RN of the second, B/N of the first
    halved = contrast([first, second], [0.5, 1])  # rows: 1 and 4; MS_R / R = 2.25; B/N = 0.25 * 4 / 4
    assert (halved.estimate, halved.standard_error) == pytest.approx((2.5, math.sqrt(2.25 + 0.25)))
    missing = contrast([[*first, [NAN, NAN]], [*second, [1, 1, 1]]], [1, -1])
    assert missing == replace(it, missing=1)
    assert contrast([first, np.empty((2, 0))], [1, -1]).reason == "no prompt is there"
    with pytest.raises(ValueError, match="cells of \\[2, 3\\] replicates"):
        contrast([first, TABLE], [1, -1])
    with pytest.raises(ValueError, match="2 cells and weights \\[1\\]"):
        contrast([first, second], [1])


def test_pooled_cells_are_averaged_before_anything_else():
    assert pooled([TABLE, 3 * TABLE]) == effect(2 * TABLE)
    lost = np.where(np.arange(3)[:, None] == 1, NAN, TABLE)
    assert pooled([TABLE, lost]).missing == 1
    with pytest.raises(ValueError, match="allowed: \\(cells, replicates, prompts\\)"):
        pooled(TABLE)


def test_log_odds_by_hand():
    it = log_odds([[1, 0], [1, 0]], [[1, 0], [0, 0]])  # 1/2 against 1/4
    assert it.estimate == pytest.approx(math.log(3))
    assert it.standard_error == pytest.approx(4 / 3)  # of a / 0.25 - b / 0.1875: rows -2/3, 2; MS_E / 4 = 16 / 9
    assert log_odds([[1, 0], [1, 0]], [1, 0]).estimate == 0
    assert log_odds([[1, 1], [1, 1]], [1, 0]).reason == "an accuracy of 0 or 1 has no log-odds"
    assert log_odds([[NAN, NAN]], [1, 0]).reason == "no replicate is there"


def test_log_odds_of_small_differences_are_differences_over_p_times_1_less_p():
    rng = np.random.default_rng(0)
    b = rng.random((5, 400)) * 0.02 + 0.3
    a = b + rng.random((5, 400)) * 0.002
    small, points = log_odds(a, b), effect(differences(a, b))
    slope = 1 / (100 * b.mean() * (1 - b.mean()))
    assert (small.low, small.high) == pytest.approx((slope * points.low, slope * points.high), rel=0.03)


def test_halves_of_one_arm_by_hand():
    it = halves(np.tile([[1.0], [2.0], [3.0], [6.0]], 2))  # 1 and 3 against 2 and 6
    assert (it.estimate, it.degrees_of_freedom) == (-2, 2)
    assert it.standard_error == pytest.approx(math.sqrt(5))  # (2 + 8) / 2, over 1/2 + 1/2
    assert halves(TABLE).degrees_of_freedom == 1  # rows 0 and 2 against row 1
    assert halves([[1, 2], [2, 2]]).reason == "one replicate in each half"
    assert halves([[1, 2]]).reason == "two halves need two replicates"
    assert halves([[0, 0], [1, 1], [0, 0], [1, 1]]).reason.startswith("no variation")
    assert halves(np.vstack([TABLE[:1] * NAN, TABLE])) == replace(halves(TABLE), missing=1)


def test_the_mean_over_a_grid_of_rates_is_that_of_the_averaged_table():
    """Each replicate x prompt is averaged over rates first; a replicate that misses a rate is missing."""
    grid = np.stack([np.asarray(TABLE, dtype=float) + rise for rise in (0, 2, 4)])  # (L, R, N): at each rate 2 more
    assert effect(grid.mean(axis=0)) == effect(np.asarray(TABLE) + 2.0)
    grid[1, 0] = NAN
    assert (effect(grid.mean(axis=0)).replicates, effect(grid.mean(axis=0)).missing) == (len(TABLE) - 1, 1)


def test_terciles():
    assert terciles([9, 1, 5, 2, 8, 6, 3, 7, 4]).tolist() == [2, 0, 1, 0, 2, 1, 0, 2, 1]
    assert terciles([0, 0, 0, 0, 1, 1]).tolist() == [0, 0, 0, 0, 2, 2]  # equal values stay together
    with pytest.raises(ValueError, match="finite: False"):
        terciles([1, NAN])


# ---- what could be detected


def planned(of, replicates, prompts, **how):
    """Before training."""
    return minimum_detectable_effect(of.standard_error(replicates, prompts), min(replicates, prompts) - 1, **how)


def test_components_by_hand():
    it = components(TABLE)
    assert (it.replicate_sd**2, it.prompt_sd**2, it.interaction_sd**2) == pytest.approx((5 / 6, 40 / 9, 2 / 3))
    assert it.standard_error(3, 4) == pytest.approx(effect(TABLE).standard_error)
    assert components([[2, 0], [0, 2]]) == Components(0, 0, 2)
    assert all(map(math.isnan, astuple(components([[1.0, 2.0]]))))


@pytest.mark.parametrize("df", [1, 2, 4, 9, 29])
def test_the_minimum_detectable_effect_has_its_power(df):
    least = planned(Components(1, 0, 0), df + 1, 1000) * math.sqrt(df + 1)
    assert stats.nct.sf(stats.t.ppf(0.975, df), df, least) == pytest.approx(0.8, abs=1e-4)


def test_the_minimum_detectable_effect_in_textbook_cases():
    # Cohen 1988: a one-sample t-test of d = 1 at alpha 0.05 has power 0.8 with 10; of d = 0.5 with 34.
    assert planned(Components(1, 0, 0), 10, 1000) == pytest.approx(1.0, abs=0.005)
    assert planned(Components(1, 0, 0), 34, 1000) == pytest.approx(0.5, abs=0.005)
    assumed = Components(2.8, 12, 47)
    at_10 = planned(assumed, 10, 512)
    assert at_10 == pytest.approx(3.14964 * math.sqrt(0.784 + 144 / 512 + 2209 / 5120), rel=1e-4)
    assert at_10 < planned(assumed, 10, 512, power=0.9)
    assert at_10 < planned(assumed, 10, 512, confidence=0.99)
    assert math.isnan(planned(assumed, 1, 512))
    assert math.isnan(planned(assumed, 10, 1))
    found = effect(TABLE)
    after = minimum_detectable_effect(found.standard_error, found.degrees_of_freedom)
    assert after == pytest.approx(planned(components(TABLE), 3, 4))


# ---- verdicts


def test_holm_in_the_textbook():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]).tolist() == [1, 1]
    assert holm([0.02, NAN, 0.01]) == pytest.approx([0.04, NAN, 0.03], nan_ok=True)  # NaN counts in the family
    assert holm([]).tolist() == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.floats(0.001, 0.5))
def test_holm_rejects_what_stepping_down_rejects(p, alpha):
    rejected = set()
    for step, index in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        if p[index] * (len(p) - step) > alpha:
            break
        rejected.add(index)
    assert {i for i, adjusted in enumerate(holm(p)) if adjusted <= alpha} == rejected


VERDICTS = [  # estimate, low, high, adjusted p, direction -> verdict, what it says
    (3.0, 1.5, 4.5, 0.010, 1, "supported", "the sign claimed, adjusted p = 0.01"),
    (3.0, 1.5, 4.5, 0.010, -1, "opposite", "the other sign"),
    (-3.0, -4.5, -1.5, 0.010, 1, "opposite", "the other sign"),
    (-3.0, -4.5, -1.5, 0.010, -1, "supported", "the sign claimed"),
    (3.0, 0.5, 5.5, 0.080, 1, "not resolved", "0.50 to 5.50 excludes 0, but adjusted p = 0.08"),
    (3.0, -0.5, 6.5, 0.090, 1, "not resolved", "holds 0, and more than the margin"),
    (0.0, -1.0, 1.0, 1.000, 1, "equivalent", "-1.00 to 1.00 lies inside -1 to 1"),
    (0.1, -0.9, 1.1, 1.000, 1, "not resolved", "holds 0, and more than the margin"),
    (0.5, 0.2, 0.8, 0.001, 1, "equivalent", "lies inside -1 to 1 and excludes 0"),
    (-0.5, -0.8, -0.2, 0.001, 1, "equivalent", "lies inside -1 to 1 and excludes 0"),
    (1.0, 0.9, 1.1, 0.001, 1, "supported", "the sign claimed"),
]


@pytest.mark.parametrize(("estimate", "low", "high", "p", "direction", "word", "because"), VERDICTS)
def test_the_table_of_verdicts(estimate, low, high, p, direction, word, because):
    it = verdict(made(estimate, low, high), margin=1, adjusted_p=p, direction=direction)
    assert it.verdict == word and because in it.because


def test_a_family_is_adjusted_together():
    claims = {
        "C1": made(3, 0.2, 5.8, p=0.04),
        "C2": made(-2, -3.2, -0.8, p=0.004),
        "C3": made(2, 0.5, 3.5, p=0.01),
        "C4": made(0, -0.5, 0.5, p=1.0),
        "C5": effect([[1.0, 2.0]]),
    }
    found = verdicts(claims, margin=1)
    words = {name: one.verdict for name, one in found.items()}
    assert words == {
        "C1": "not resolved",  # 0.04 * 3
        "C2": "opposite",  # 0.004 * 5, below 0
        "C3": "supported",  # 0.01 * 4
        "C4": "equivalent",
        "C5": "not resolved",
    }
    assert [found[name].adjusted_p for name in ("C1", "C2", "C3")] == pytest.approx([0.12, 0.02, 0.04])
    row = json.loads(json.dumps(found["C5"].to_dict(), allow_nan=False))
    assert row["adjusted_p"] is None and row["because"].startswith("one replicate") and row["demonstration"]
    assert found["C3"].to_dict()["estimate"] == 2 and not found["C3"].demonstration
    assert verdict(made(3, 1, 5, replicates=3), margin=1, adjusted_p=0.01).demonstration
    assert verdict(made(3, 1, 5, prompts=999), margin=1, adjusted_p=0.01).demonstration
    with pytest.raises(ValueError, match="margin = 0, direction = 1"):
        verdict(claims["C1"], margin=0, adjusted_p=0.5)


def test_both_by_hand():
    """t on 9 degrees of freedom: 2.262157 at 0.975, 2.685011 at 0.9875."""
    high = Effect(3, 1.0, 3 - 2.262157, 3 + 2.262157, 0.0150, 9, 0.95, 10, 1000)
    low = Effect(2, 0.5, 2 - 1.131079, 2 + 1.131079, 0.0031, 9, 0.95, 9, 1000, missing=1)
    both = intersection_union([high, low])
    assert (both.estimate, both.standard_error, both.p) == (2, 0.5, 0.0150)  # min of effects, max of p
    assert (both.low, both.high) == pytest.approx((3 - 2.262157, 2 + 0.5 * 2.685011))
    assert (both.replicates, both.missing) == (9, 1)
    against = intersection_union([high, replace(low, estimate=-2, low=-3.131079, high=-0.868921)])
    assert (against.estimate, against.p) == (-2, 0.0062)  # twice the p of the one below 0
    assert against.high == pytest.approx(-2 + 0.5 * 2.685011)
    assert verdict(both, margin=1, adjusted_p=both.p).verdict == "supported"
    assert verdict(against, margin=1, adjusted_p=against.p).verdict == "opposite"
    unknown = intersection_union([high, effect([[1.0, 2.0]])])
    assert unknown.estimate == 1.5 and math.isnan(unknown.p) and unknown.reason.startswith("one replicate")
    assert math.isnan(intersection_union([high, effect([[NAN]])]).estimate)
    assert intersection_union([high]).high == pytest.approx(high.high)
    with pytest.raises(ValueError, match="0 effects"):
        intersection_union([])


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(0.1, 5), st.integers(1, 20)), min_size=1, max_size=4))
def test_p_of_both_and_its_interval_say_the_same(parts):
    effects = []
    for estimate, error, df in parts:
        half = stats.t.ppf(0.975, df) * error
        p = 2 * stats.t.sf(abs(estimate) / error, df)
        effects.append(Effect(estimate, error, estimate - half, estimate + half, p, df, 0.95, df + 1, 100))
    both = intersection_union(effects)
    if abs(both.p - 0.05) > 1e-6:
        assert (both.p <= 0.05) == (both.low > 0 or both.high < 0)


def test_sign_counts():
    assert sign_counts([0.3] * 9).p == pytest.approx(2 / 512)
    assert sign_counts([1, 2, 3, 4, 5, -1, 0, NAN]).to_dict() == {
        "positive": 5,
        "negative": 1,
        "zero": 1,
        "missing": 1,
        "p": pytest.approx(2 * 7 / 64),
    }
    assert sign_counts([1, -1]).p == sign_counts([]).p == 1


def test_exact_shares():
    eight = exact_share(8, 10)
    assert (eight.share, eight.low, eight.high) == pytest.approx((0.8, 0.4439, 0.9748), abs=5e-5)
    none, all_of_them = exact_share(0, 10), exact_share(10, 10)
    assert (none.low, none.high) == pytest.approx((0, 1 - 0.025**0.1))
    assert (all_of_them.low, all_of_them.high) == pytest.approx((0.025**0.1, 1))
    assert exact_share(0, 0).to_dict()["high"] is None
    with pytest.raises(ValueError, match="11 of 10"):
        exact_share(11, 10)


# ---- on simulated studies


@pytest.mark.parametrize("replicates", [3, 5, 10])
def test_coverage_and_false_verdicts_on_simulated_studies(replicates):
    """The bench's study in small. 300 simulations: a share of 0.05 has a standard error of 0.013."""
    simulations = 300
    found = bench.study(np.random.default_rng(replicates), simulations, replicates, 256, 3.0)
    for name, share in found.items():
        if name.startswith("covers"):
            assert share >= 0.93, name
        elif not name.startswith("no goal"):
            n = simulations / 5 if "family" in name else simulations
            level = 0.025 if "equivalent" in name or "both" in name else 0.05
            assert share <= level + 2 * math.sqrt(level * (1 - level) / n), name
    assert found["no goal: covers, replicates ignored"] < 0.9  # the study is hard enough to tell


def test_power_at_the_minimum_detectable_effect():
    found = bench.power(np.random.default_rng(0), 300, 5, 256)["found"]
    assert 0.72 <= found <= 0.9


@pytest.mark.parametrize("replicates", [3, 10])
def test_coverage_of_the_mean_over_a_grid(replicates):
    for name, share in bench.grid_means(np.random.default_rng(replicates), 300, replicates, 128).items():
        if name.startswith("covers"):
            assert share >= 0.93, name
        else:
            assert share <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / 300), name


# ---- its place in the house


@pytest.mark.parametrize("profile", profiles())
def test_profiles_set_margin_and_confidence(profile):
    params = load_params(profile)
    assert (params.equivalence_margin, params.confidence) == (3.0 if params.model == "smollm2" else 1.0, 0.95)


def test_importing_it_is_light():
    code = (
        "import sys, ifpref.statistics;"
        "print(sorted({'torch', 'pandas', 'scipy.stats', 'scipy.optimize', 'ifpref.params'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
