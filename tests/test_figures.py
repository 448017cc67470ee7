"""Figures: what is drawn is what the rows say; the same bytes twice; readable in grey; nothing drawn of nothing."""

import itertools
import math
import subprocess
import sys
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.text import Text

from ifpref import figures
from ifpref.figures.arms import FACTORS, short_ids
from ifpref.figures.grids import MET
from ifpref.figures.pairs import REASONS
from ifpref.figures.rows import common, signed, with_interval
from ifpref.figures.search import layout
from ifpref.statistics import Effect, effect


def an_effect(estimate=2.0, half=1.0, **more):
    bounds = {"low": None, "high": None} if half is None else {"low": estimate - half, "high": estimate + half}
    row = {"estimate": estimate, **bounds, "replicates": 10, "prompts": 1024, "confidence": 0.95, "reason": None}
    return row | more


EFFECTS = [
    an_effect(12.0, 2.0, label="mcts", group="gains", arm="mcts"),
    an_effect(10.0, 2.0, label="rs", group="gains", arm="rs"),
    an_effect(2.0, 1.5, label="mcts − rs", group="differences"),
    an_effect(1.0, None, label="A/A", group="differences", reason="one replicate"),
    an_effect(None, None, label="never run", group="differences", reason="no replicate"),
]
CLAIMS = [
    an_effect(2.1, 1.2, claim="C1", text="a shared prefix gains", verdict="supported", margin=1.0),
    an_effect(0.1, 0.7, claim="C2", text="a shared prefix is more stable", verdict="equivalent", margin=1.0),
    an_effect(-3.0, 1.4, claim="C3", text="high contrast gains", verdict="opposite", margin=1.0),
    an_effect(0.8, 2.4, claim="C4", text="a mixture gains", verdict="not resolved", margin=1.0),
]
CLEAN = {"clean_estimate": -1.0, "clean_low": -2.5, "clean_high": 0.5, "clean_verdict": "opposite"}
IDS = ("keywords:existence", "keywords:frequency", "detectable_format:title")
PER_CONSTRAINT = [
    an_effect(3.0 * place, 1.0, label=id, arm=arm, prompts=100 + place)
    for place, id in enumerate(IDS)
    for arm in ("rs", "mcts")
]
STEPS = [
    an_effect(place + turn, 1.5, arm=arm, pairs=pairs, mark="x" * turn)
    for turn, arm in enumerate(("rs", "mcts"))
    for place, pairs in enumerate((50, 100, 400))
]
HEAT = [
    an_effect(x - y, 2.0, train=train, evaluated=evaluated)
    for y, train in enumerate(("hard", "easy", "moderate"))
    for x, evaluated in enumerate(("easy", "moderate", "hard"))
]
YIELDS = [
    {"curation": arm, "contrast": "high", "difficulty": "all", "prompt_difficulty": level, "outcome": outcome, **number}
    for arm in ("rs", "mcts")
    for level in ("easy", "hard")
    for outcome, number in (
        ("pair", {"prompts": 6, "share": 0.6}),
        ("equal scores", {"prompts": 3, "share": 0.3}),
        ("no high gap", {"prompts": 1, "share": 0.1}),
    )
]
BALANCE = [
    {"group": group, "quantity": quantity, "arm": arm, "difference": 0.1 if smd is None else smd, "smd": smd}
    for group, quantity, smds in (
        ("scores", "gap", (0.0, 0.05)),
        ("tokens", "chosen", (0.0, -0.4)),
        ("finish", "chosen stopped", (None, None)),
        ("sharing", "shared prefix tokens", (0.0, 3.2)),
        ("separates", "keywords:existence", (0.0, 0.2)),
        ("reverses", "keywords:existence", (0.0, 0.9)),
    )
    for arm, smd in zip(("rs/high/all", "mcts/high/all"), smds, strict=True)
]
PREFIXES = [{"arm": "rs", "shared_prefix_fraction": value} for value in (0.0, 0.0, 0.1)]
PREFIXES += [{"arm": "mcts", "shared_prefix_fraction": value} for value in (0.2, 0.4, 0.9)]
PROGRESS = [
    {"curation": arm, "simulation": n, "mean_score": 0.5 + prompt / 10, "best_score": 0.4 + n / 10, "distinct": n}
    for arm in ("rs", "mcts")
    for prompt in range(2)
    for n in range(1, 5)
]
LOG = [
    {
        "arm": arm,
        "replicate": replicate,
        "step": step,
        "chosen_log_ratio": -0.1 * step - replicate,
        "rejected_log_ratio": -0.5 * step,
        "margin": 0.04 * step,
        "accuracy": 0.5 + 0.1 * step,
        "loss": 0.69 - 0.1 * step,
    }
    for arm in ("rs", "mcts")
    for replicate in range(2)
    for step in range(1, 5)
]
SURFACE = [
    an_effect(x - y + turn, 2.0, change=change, learning_rate=rate, arm=arm)
    for turn, arm in enumerate(("rs/high/hard", "mcts/high/hard", "mcts − rs"))
    for y, change in enumerate(("no other change", "8 epochs"))
    for x, rate in enumerate((1e-3, 1e-2, 0.1))
]
VERDICTS = [
    {"sample": sample, "constraint": id, "met": met, "score": sum(mets) / 2}
    for sample, mets in enumerate(((True, True), (True, False), (False, False)))
    for id, met in zip(("keywords:existence", "keywords:existence"), mets, strict=True)
]


def a_node(number, parent, depth, visits, value, verdicts=None):
    """One of a row of trees."""
    row = {"node": number, "parent": parent, "depth": depth, "visits": visits, "value": value, "verdicts": verdicts}
    return row | {"text": f" says $5 {number}"}


# Root ─┬─ 1 ─┬─ 2 (leaf, perfect)
#       │     └─ 4 (leaf)
#       └─ 3 (leaf)            numbered as the search made them: 3 before 4, though 4 lies above it
TREE = {
    "prompt_id": "p",
    "nodes": [
        a_node(0, None, 0, 3, 0.5),
        a_node(1, 0, 1, 2, 0.75),
        a_node(2, 1, 2, 1, 1.0, [True, True]),
        a_node(3, 0, 1, 1, 0.0, [False, False]),
        a_node(4, 1, 2, 1, 0.5, [True, False]),
    ],
}
PAIR = (["The", " river", " ends", "."], ["The", " stone"], [0.1, 0.2, -0.3, 0.4], [0.1, -0.5], 1)

ARGUMENTS = {"steps": {"x": "pairs", "name": "pairs of each arm"}}
FROM_ROWS = (
    {"forest": EFFECTS, "claims": CLAIMS, "side_by_side": PER_CONSTRAINT, "steps": STEPS}
    | {"heat_map": HEAT, "balance": BALANCE, "verdict_grid": VERDICTS, "yields": YIELDS, "shared_prefix": PREFIXES}
    | {"training_curves": LOG, "search_progress": PROGRESS}
)


def draw(name, rows):
    return getattr(figures, name)(rows, **ARGUMENTS.get(name, {}))


GRID = {"lines": "change", "columns": "learning_rate", "panels": "arm", "names": ("", "learning rate")}
ALL = {name: lambda name=name: draw(name, FROM_ROWS[name]) for name in FROM_ROWS} | {
    "surface": lambda: figures.heat_map(SURFACE, **GRID),
    "ranked": lambda: figures.side_by_side(PER_CONSTRAINT, is_ranked=True),
    "over KL": lambda: figures.steps(STEPS, "pairs", "KL", scale="number"),
    "sizes": lambda: figures.steps(STEPS, "pairs", "pairs", scale="log"),
    "clean claims": lambda: figures.claims([row | CLEAN for row in CLAIMS], margin=1.0),
    "tree": lambda: figures.tree(TREE, chosen=2, rejected="mcts/4"),
    "log_ratios": lambda: figures.log_ratios(*PAIR),
}


@pytest.fixture(scope="module")
def drawn():
    """Every figure, drawn once."""
    return {name: draw() for name, draw in ALL.items()}


def words(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text() and text.get_visible()]


def intervals(figure):
    return [one for axes in figure.axes for one in axes.containers if isinstance(one, ErrorbarContainer)]


def open_marks(figure):
    """Markers with a white face: estimates without an interval."""
    lines = [line for axes in figure.axes for line in axes.lines if len(line.get_xdata()) == 1]
    return [line for line in lines if line.get_markerfacecolor() == "white"]


def test_every_public_figure_is_under_test():
    other = {"Figure", "looks", "pair_html", "save", "use_style"}
    assert set(figures.__all__) - other == {*FROM_ROWS, "tree", "log_ratios"} <= set(ALL)


# ---- all figures


@pytest.mark.parametrize("name", ALL)
def test_axes_say_what_they_are_and_the_title_stands_above_them(drawn, name):
    figure = drawn[name]
    assert figure.get_suptitle()
    assert any(axes.get_xlabel() for axes in figure.axes) or figure.get_supxlabel()
    assert figure.get_size_inches()[0] <= 8


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_drawn_outside_the_figure(drawn, name):
    figure = drawn[name]
    box, whole = figure.get_tightbbox(), figure.get_size_inches()
    assert box.x0 >= -0.02 and box.y0 >= -0.02, box
    assert box.x1 <= whole[0] + 0.02 and box.y1 <= whole[1] + 0.02, box


@pytest.mark.parametrize("name", ALL)
def test_tick_labels_do_not_overlap(drawn, name):
    for axes in drawn[name].axes:
        for axis, side in ((axes.xaxis, "x"), (axes.yaxis, "y")):
            labels = [label for label in axis.get_ticklabels() if label.get_text() and label.get_visible()]
            turned = any(label.get_rotation() for label in labels)
            boxes = [label.get_window_extent() for label in labels]
            if not turned and len(boxes) > 1:
                ends = sorted((getattr(box, side + "0"), getattr(box, side + "1")) for box in boxes)
                assert all(a[1] <= b[0] + 1 for a, b in itertools.pairwise(ends)), (name, side)


@pytest.mark.parametrize("name", FROM_ROWS)
def test_no_rows_are_an_error_that_says_what_is_needed(name):
    with pytest.raises(ValueError, match=f"{name}: no rows; needed: one or more with "):
        draw(name, [])
    with pytest.raises(ValueError, match=f"{name}: row 0 has no '.*needed: "):
        draw(name, [{"nothing": 1}])


def test_the_same_bytes_on_every_run_and_every_save(drawn, tmp_path):
    for name in ("forest", "balance", "training_curves"):
        first = figures.save(drawn[name], tmp_path / "a", name)
        again = figures.save(drawn[name], tmp_path / "b", name)
        anew = figures.save(ALL[name](), tmp_path / "c", name)
        assert [path.name for path in first] == [f"{name}.png", f"{name}.svg"]
        for paths in (again, anew):
            assert [path.read_bytes() for path in paths] == [path.read_bytes() for path in first], name
        assert b"<dc:date>" not in first[1].read_bytes()


def test_another_process_writes_the_same_bytes_and_loads_no_model(tmp_path):
    rows = [
        {"label": "a", "estimate": 1.0, "low": 0.0, "high": 2.0},
        {"label": "b", "estimate": 1.0, "low": None, "high": None},
    ]
    code = (
        "import sys; from pathlib import Path; from ifpref import figures;"
        f"figures.save(figures.forest({rows}, margin=1), Path(sys.argv[1]), 'f');"
        "print(sorted({'torch', 'transformers', 'datasets'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "b")], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    here = figures.save(figures.forest(rows, margin=1), tmp_path / "a", "f")
    assert [path.read_bytes() for path in here] == [(tmp_path / "b" / path.name).read_bytes() for path in here]


def test_a_png_has_200_dots_an_inch(drawn, tmp_path):
    from matplotlib.image import imread

    png, _ = figures.save(drawn["steps"], tmp_path, "steps")
    height, width, _ = imread(png).shape
    assert (width, height) == tuple(200 * drawn["steps"].get_size_inches())


def test_a_pandas_frame_gives_the_same_picture_as_its_rows(tmp_path):
    for name in ("forest", "heat_map"):  # None: a frame fills it with NaN
        rows = figures.save(getattr(figures, name)(FROM_ROWS[name]), tmp_path / "rows", name)
        frame = figures.save(getattr(figures, name)(pd.DataFrame(FROM_ROWS[name])), tmp_path / "frame", name)
        assert rows[0].read_bytes() == frame[0].read_bytes(), name


def test_a_readers_matplotlib_is_left_as_it_is():
    before = dict(matplotlib.rcParams)
    figures.forest(EFFECTS)
    assert dict(matplotlib.rcParams) == before


def test_nothing_is_kept_by_pyplot(drawn):
    import matplotlib.pyplot as plt

    assert len(drawn) == len(ALL) and plt.get_fignums() == []


def test_a_readers_own_figure_in_the_style_is_not_cut(tmp_path):
    import matplotlib.pyplot as plt

    with figures.use_style():
        figure, axes = plt.subplots(figsize=(4, 2))
    axes.text(1, 0.5, "right of the axes")
    figures.save(figure, tmp_path, "own")
    plt.close(figure)
    assert figure.get_tightbbox().x1 <= 4


def test_jupyter_shows_a_figure_that_ends_a_cell(drawn):
    assert drawn["steps"]._repr_png_().startswith(b"\x89PNG")


# ---- one look for each arm


def test_arms_of_a_factor_differ_in_colour_marker_and_line():
    for levels in FACTORS.values():
        for of in ("colour", "marker", "dashes"):
            assert len({str(getattr(look, of)) for look in levels.values()}) == len(levels), of
    assert (
        len({look.colour for levels in FACTORS.values() for look in levels.values()}) == 14
    )  # verifier has that of rs


def test_an_arm_is_called_by_what_tells_it_apart():
    levels = figures.looks(["rs", "mcts", "base"])
    arms = figures.looks(["rs/high/all", "mcts/high/all"])
    assert [look.label for look in arms.values()] == ["rs", "mcts"]
    assert arms["mcts/high/all"] == levels["mcts"] == FACTORS["curation"]["mcts"]
    contrasts = figures.looks(["rs/high/all", "rs/low/all"])
    assert contrasts["rs/low/all"] == FACTORS["contrast"]["low"]
    assert figures.looks(["rs/high/hard"])["rs/high/hard"].label == "rs"
    both = figures.looks(["rs/high/all", "rs/low/all", "mcts/low/all"])
    assert [look.label for look in both.values()] == ["rs/high", "rs/low", "mcts/low"]
    scorers = figures.looks(["rs/high/all", "rs/high/all/clean"])
    assert [look.label for look in scorers.values()] == ["verifier", "clean"]
    readings = figures.looks(["accuracy", "clean accuracy"])
    assert [look.label for look in readings.values()] == list(readings)


def test_words_that_are_no_arm_take_spare_looks():
    spare = figures.looks(["one thing", "another"])
    assert len({look.colour for look in spare.values()}) == 2
    assert spare["another"].label == "another"


def test_an_arm_looks_the_same_in_every_figure(drawn):
    mcts = FACTORS["curation"]["mcts"]
    for name in ("forest", "side_by_side", "shared_prefix", "search_progress", "training_curves", "steps"):
        lines = [line for axes in drawn[name].axes for line in axes.lines if line.get_color() == mcts.colour]
        assert mcts.marker in {line.get_marker() for line in lines}, name


def test_constraint_ids_lose_their_family_only_where_that_is_clear():
    assert short_ids(["a:x", "b:x", "c:y", "z"]) == {"a:x": "a:x", "b:x": "b:x", "c:y": "y", "z": "z"}


# ---- numbers as text


def test_numbers_have_a_true_minus_and_no_sign_at_zero():
    assert [signed(value) for value in (3.14, -0.4, 0.0, -0.04)] == ["+3.1", "\N{MINUS SIGN}0.4", "0.0", "0.0"]
    assert with_interval(an_effect(3.1, 2.7)) == "+3.1 [+0.4, +5.8]"
    assert with_interval(an_effect(3.1, None)) == "+3.1"


def test_counts_stand_in_the_label_where_all_rows_have_the_same():
    assert common([an_effect(), an_effect()], "replicates", "prompts") == "10 replicates × 1,024 prompts"
    assert common([an_effect(replicates=1)], "replicates") == "1 replicate"
    assert common([an_effect(), an_effect(prompts=5)], "replicates", "prompts") == ""


# ---- effects


def test_forest_has_an_interval_for_each_row_that_has_one_and_says_why_where_not(drawn):
    figure = drawn["forest"]
    assert len(intervals(figure)) == 3
    assert len(open_marks(figure)) == 1
    beside = {"+1.0 (one replicate)", "no replicate", "+12.0 [+10.0, +14.0]"}
    assert {"gains", "differences"} | beside <= set(words(figure))


def test_forest_draws_the_numbers_where_they_are():
    figure = figures.forest([an_effect(2.0, 1.5, label="a")], margin=0.5)
    (one,) = intervals(figure)
    marker, _, (bar,) = one
    assert marker.get_xdata().tolist() == [2.0]
    assert bar.get_segments()[0][:, 0].tolist() == [0.5, 3.5]
    label = figure.axes[0].get_xlabel()
    assert "percentage points" in label and "95 % intervals" in label and "practically equivalent" in label


def test_forest_takes_effects_as_statistics_make_them():
    made = [effect([[1, 2, 3, 6], [2, 2, 4, 8], [3, 5, 5, 7]]), effect([[1, 2, 3, 6]])]
    figure = figures.forest([one.to_dict() | {"label": str(n)} for n, one in enumerate(made)])
    assert len(intervals(figure)) == 1 and len(open_marks(figure)) == 1
    assert any(made[1].reason.partition(":")[0] in said for said in words(figure))
    assert "+4.0" in next(text for text in words(figure) if text.startswith("+4.0 ["))
    bare = Effect(1.0, math.nan, math.nan, math.nan, math.nan, 0, 0.95, 1, 4, reason="one replicate")
    assert len(open_marks(figures.forest([vars(bare) | {"label": "NaN, not None"}]))) == 1


def test_a_forest_of_unlike_counts_has_them_beside_the_labels():
    rows = [an_effect(label="all"), an_effect(label="hard", prompts=334)]
    figure = figures.forest(rows)
    assert {"all  (10 × 1,024)", "hard  (10 × 334)"} <= set(words(figure))
    assert "(replicates × prompts)" in figure.axes[0].get_xlabel()


def test_claims_have_a_colour_a_marker_and_a_word_for_each_verdict(drawn):
    figure = drawn["claims"]
    assert "shaded" not in figure.axes[0].get_xlabel()
    marks = [one[0] for one in intervals(figure)]
    assert len(marks) == 4
    assert len({mark.get_marker() for mark in marks}) == len({mark.get_color() for mark in marks}) == 4
    assert {"supported", "equivalent", "opposite sign here", "not resolved"} <= set(words(figure))
    assert "\N{MINUS SIGN}1 to +1" in figures.claims(CLAIMS, margin=1.0).axes[0].get_xlabel()


def test_claims_have_clean_accuracy_below_them(drawn):
    figure = drawn["clean claims"]
    assert len(intervals(figure)) == 2 * len(CLAIMS)
    said = [text for text in words(figure) if text.startswith("clean: ")]
    assert said == ["clean: \N{MINUS SIGN}1.0 [\N{MINUS SIGN}2.5, +0.5], opposite sign here"] * len(CLAIMS)


def test_claims_say_when_they_are_a_demonstration_and_refuse_other_words():
    assert "(demonstration)" in figures.claims([CLAIMS[0] | {"demonstration": True}]).get_suptitle()
    with pytest.raises(ValueError, match="C1 is 'proved'; allowed: supported, equivalent, opposite, not resolved"):
        figures.claims([CLAIMS[0] | {"verdict": "proved"}])


def test_constraints_stand_in_the_order_of_their_effect_with_all_arms(drawn):
    figure = drawn["ranked"]
    assert len(intervals(figure)) == len(PER_CONSTRAINT)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["title  (102)", "frequency  (101)", "existence  (100)"]  # the largest on top
    heights = [one[0].get_ydata()[0] for one in intervals(figure)]
    assert len(set(heights)) == len(heights)  # side by side, not one upon the other
    labels = [label.get_text() for label in drawn["side_by_side"].axes[0].get_yticklabels()]
    assert labels == ["existence  (100)", "frequency  (101)", "title  (102)"]  # as they come


def test_what_has_no_interval_is_said_once_beside_the_constraints():
    bare = [row | {"low": None, "high": None, "reason": "no variation: all the same"} for row in PER_CONSTRAINT]
    gone = bare[0] | {"label": "a:gone", "estimate": None, "reason": "no replicate is there"}
    said = words(figures.side_by_side([*bare, gone]))
    assert said.count("open: no variation") == 1 and said.count("missing: no replicate is there") == 1
    assert "no variation" not in said and "open: no variation" not in words(figures.side_by_side(PER_CONSTRAINT))


@pytest.mark.parametrize("draw", [figures.forest, figures.side_by_side])
def test_an_interval_beyond_what_can_be_leaves_the_axes(draw):
    row = {"label": "a", "arm": "rs", "estimate": -12.0, "low": -171.0, "high": 146.0, "prompts": 9}
    figure = draw([row])
    (one,) = intervals(figure)
    assert one[2][0].get_segments()[0][:, 0].tolist() == [-171.0, 146.0]
    assert figure.axes[0].get_xlim() == (-105.0, 105.0)
    if draw is figures.forest:
        assert "[\N{MINUS SIGN}171.0, +146.0]" in " ".join(words(figure))  # the numbers stay what they are
    low, high = draw([row | {"low": -50.0, "high": 30.0}]).axes[0].get_xlim()
    assert -105 < low < -50 and 30 < high < 105


def test_steps_stand_side_by_side_or_where_their_numbers_lie(drawn):
    def places(name):
        return [round(float(one[0].get_xdata()[0]), 3) for one in intervals(drawn[name])]

    assert places("steps") == [-0.1, 0.9, 1.9, 0.1, 1.1, 2.1]
    assert places("over KL") == [50, 100, 400, 50, 100, 400]
    assert drawn["sizes"].axes[0].get_xscale() == "log" and places("sizes")[0] < 50 < places("sizes")[3] < 53
    assert [label.get_text() for label in drawn["sizes"].axes[0].get_xticklabels()] == ["50", "100", "400"]
    assert words(drawn["steps"]).count("x") == 3  # the marks of one arm


def test_numbers_that_span_a_factor_of_ten_lie_at_their_logarithms():
    near, far = (
        [row | {"kl": 1.0 + n} for n, row in enumerate(STEPS)],
        [STEPS[0] | {"kl": 0.1}, STEPS[-1] | {"kl": 20.0}],
    )
    scales = [figures.steps(rows, "kl", "KL", scale="number").axes[0].get_xscale() for rows in (near, far)]
    below = figures.steps([*far, STEPS[1] | {"kl": -0.1}], "kl", "KL", scale="number")
    assert [*scales, below.axes[0].get_xscale()] == ["linear", "log", "linear"]


def test_steps_without_intervals_say_why():
    rows = [row | {"low": None, "high": None, "reason": "one replicate"} for row in STEPS]
    figure = figures.steps(rows, "pairs", "pairs")
    assert len(open_marks(figure)) == len(STEPS) and "open: one replicate" in words(figure)


# ---- pairs


def test_yields_add_up_to_all_prompts(drawn):
    bars = [bar for axes in drawn["yields"].axes for one in axes.containers for bar in one]
    assert all(isinstance(one, BarContainer) for axes in drawn["yields"].axes for one in axes.containers)
    assert len(bars) == len(YIELDS)
    of_line = {}
    for bar in bars:
        of_line[round(bar.get_y(), 3)] = of_line.get(round(bar.get_y(), 3), 0) + bar.get_width()
    assert len(of_line) == 4 and all(total == pytest.approx(100) for total in of_line.values())
    assert {"60 % of 10", "easy", "hard"} <= set(words(drawn["yields"]))


def test_a_reason_looks_the_same_in_every_figure_and_no_two_are_alike():
    from ifpref.curation.pairs import REASONS as OF_CURATION

    assert tuple(OF_CURATION) == REASONS

    def fills(reasons):
        row = YIELDS[0] | {"prompts": 1, "share": 1 / len(reasons)}
        figure = figures.yields([row | {"outcome": reason} for reason in reasons])
        patches = figure.legends[0].get_patches()[1:]
        labels = [text.get_text() for text in figure.legends[0].get_texts()[1:]]
        return {label: (patch.get_facecolor(), patch.get_hatch()) for label, patch in zip(labels, patches, strict=True)}

    every = fills(REASONS)
    assert len(set(every.values())) == len(REASONS)
    assert fills(["no low gap", "a rule of a reader's own"])["no low gap"] == every["no low gap"]


def test_balance_leaves_the_first_arm_out_and_colours_what_is_far(drawn):
    left, right = drawn["balance"].axes
    said = [text.get_text() for text in left.texts]
    assert said == ["+0.05", "\N{MINUS SIGN}0.40", "no variance", "+3.20"]  # of mcts alone, and none beside a heading
    assert [text.get_text() for text in right.texts] == ["+0.20"]  # what is reversed is not shown
    colours = left.collections[0].get_facecolors()
    white, far = colours[1], colours[-1]
    assert min(white[:3]) > 0.95 and min(far[:3]) < 0.1  # within 0.1, and beyond 1.5
    assert [label.get_text() for label in left.get_yticklabels()][:2] == ["scores", "gap"]
    assert [label.get_text() for label in right.get_yticklabels()] == ["separated in the pair", "existence"]
    assert "difference to rs" in drawn["balance"].get_supxlabel()
    with pytest.raises(ValueError, match="balance: one arm, rs/high/all; needed: two or more"):
        figures.balance([row for row in BALANCE if row["arm"] == "rs/high/all"])


def test_balance_says_what_is_equal_and_what_has_no_pairs():
    rows = [row for row in BALANCE if row["quantity"] == "chosen stopped"]
    both = ((0.0, "equal"), (None, "no pairs"), (0.1, "no variance"))
    for difference, words_of_cell in both:
        changed = [row | {"difference": difference} for row in rows]
        assert [text.get_text() for text in figures.balance(changed).axes[0].texts] == [words_of_cell]


def test_shared_prefixes_are_steps_of_one_pair_each(drawn):
    axes = drawn["shared_prefix"].axes[0]
    curve = next(line for line in axes.lines if len(line.get_xdata()) > 2 and line.get_color() == "#D55E00")
    assert curve.get_xdata()[1:].tolist() == pytest.approx([20, 40, 90])
    assert curve.get_ydata() == pytest.approx([0, 100 / 3, 200 / 3, 100])
    assert "mcts: median 40 % (3 pairs)" in words(drawn["shared_prefix"])


def test_search_progress_is_the_mean_over_prompts(drawn):
    figure = drawn["search_progress"]
    mean, best, distinct = figure.axes
    assert mean.lines[0].get_ydata() == pytest.approx([0.55] * 4)  # prompts of 0.5 and 0.6
    assert best.lines[0].get_ydata() == pytest.approx([0.5, 0.6, 0.7, 0.8])
    assert distinct.lines[1].get_ydata() == pytest.approx([1, 2, 3, 4])
    assert "2 prompts; bands: 95 % intervals of the means" in words(figure)


# ---- learning


def test_training_curves_are_the_mean_of_the_replicates_with_their_spread(drawn):
    figure = drawn["training_curves"]
    assert [axes.get_title(loc="left") for axes in figure.axes[:5]] == [
        "log-ratio of the chosen (nats)",
        "log-ratio of the rejected (nats)",
        "margin (beta × nats)",
        "accuracy (share of pairs)",
        "loss (nats)",
    ]
    chosen, rejected = figure.axes[:2]
    rs, mcts = chosen.lines[:2]
    assert rs.get_ydata() == pytest.approx([-0.6, -0.7, -0.8, -0.9])  # replicates 0 and 1: -0.1 step - replicate
    band = chosen.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == pytest.approx((-0.9 - 0.5**0.5, -0.6 + 0.5**0.5))  # of 0 and 1 the deviation
    assert chosen.get_ylim() == rejected.get_ylim()
    assert rs.get_linestyle() == rejected.lines[0].get_linestyle() != mcts.get_linestyle()  # a dash is an arm
    assert "means of 2 replicates;\nbands: ±1 standard deviation" in words(figure)


def test_training_curves_of_one_run_take_the_log_as_training_writes_it():
    log = [{name: value for name, value in row.items() if name not in ("arm", "replicate")} for row in LOG[:4]]
    figure = figures.training_curves(log)
    assert figure.axes[2].lines[0].get_ydata() == pytest.approx([0.04, 0.08, 0.12, 0.16])
    assert "end of an epoch" not in words(figure)


def test_training_curves_end_where_a_run_diverged_and_runs_are_told_apart():
    diverged = [row | {"loss": None} if row["step"] == 4 and row["replicate"] == 1 else row for row in LOG]
    figure = figures.training_curves(diverged)
    assert figure.axes[4].lines[0].get_xdata().tolist() == [1, 2, 3]  # no mean of the one that is left
    assert figure.axes[3].lines[0].get_xdata().tolist() == [1, 2, 3, 4]
    with pytest.raises(ValueError, match="two rows for step 1 of rs, replicate 0; needed: an arm and a replicate"):
        figures.training_curves(LOG + LOG)


# ---- grids


def test_heat_map_has_the_order_of_difficulty_and_the_numbers_in_its_cells(drawn):
    figure = drawn["heat_map"]
    axes = figure.axes[0]
    assert len(axes.collections[0].get_facecolors()) == 9
    assert [label.get_text() for label in axes.get_yticklabels()] == ["easy", "moderate", "hard"]
    assert [label.get_text().split("\n")[0] for label in axes.get_xticklabels()] == ["easy", "moderate", "hard"]
    assert "+2.0" in words(figure) and "[0.0, +4.0]" in words(figure)
    nothing = figures.heat_map([an_effect(0.0, 1.0, train="easy", evaluated="easy")])
    assert nothing.axes[0].collections[0].get_facecolors().min() > 0.95  # no gain has no colour


def test_panels_share_their_lines_and_colours(drawn):
    *others, last = drawn["surface"].axes
    assert [axes.get_title(loc="left") for axes in drawn["surface"].axes] == ["rs", "mcts", "mcts − rs"]
    assert [label.get_text() for label in last.get_yticklabels()] == ["no other change", "8 epochs"]
    assert not any(label.get_text() for axes in others for label in axes.get_xticklabels())
    assert [label.get_text() for label in last.get_xticklabels()] == ["0.001", "0.01", "0.1"]
    assert [text.get_text() for text in others[0].texts][:3] == ["0.0", "+1.0", "+2.0"]
    ones = [axes.collections[0].get_facecolors()[n] for axes, n in ((others[0], 1), (others[1], 0))]
    assert (ones[0] == ones[1]).all()  # +1.0 in both


def test_heat_map_says_what_was_not_run():
    figure = figures.heat_map([row for row in HEAT if (row["train"], row["evaluated"]) != ("easy", "hard")])
    assert "not run" in words(figure) and len(figure.axes[0].collections[0].get_facecolors()) == 9


def test_verdicts_are_ticks_and_crosses_by_place(drawn):
    figure = drawn["verdict_grid"]
    said = words(figure)
    assert said.count("\N{CHECK MARK}") == 3 and said.count("\N{BALLOT X}") == 3
    faces = figure.axes[0].collections[0].get_facecolors()
    met = [matplotlib.colors.to_hex(face).upper() == MET for face in faces]
    assert met == [True, True, True, False, False, False]
    assert {"existence  2/3", "existence  1/3"} <= set(said) and "1 of them perfect" in figure.get_suptitle()
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["0   1.00", "1   0.50", "2   0.00"]
    with pytest.raises(ValueError, match=r"sample 1 has .*needed: the same constraints in the same order"):
        figures.verdict_grid(VERDICTS[:3])


# ---- the tree


def test_the_layout_of_a_tree_by_hand():
    assert layout(TREE["nodes"]) == {0: (0, 1.25), 1: (1, 0.5), 2: (2, 0), 3: (1, 2), 4: (2, 1)}


def crossing(a, b):
    """Whether two segments ((x, y), (x, y)) cross at an inner point of both."""

    def side(p, q, r):
        return np.sign((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]))

    return side(*a, b[0]) * side(*a, b[1]) < 0 and side(*b, a[0]) * side(*b, a[1]) < 0


@pytest.mark.parametrize("seed", range(5))
def test_trees_have_no_crossings_and_no_overlaps(seed):
    generator = np.random.default_rng(seed)
    nodes = [a_node(0, None, 0, 1, 0.5)]
    for number in range(1, 40):
        parent = nodes[generator.integers(number)]
        nodes.append(a_node(number, parent["node"], parent["depth"] + 1, 1, 0.5))
    spots = layout(nodes)
    for depth in {node["depth"] for node in nodes}:
        heights = sorted(y for x, y in spots.values() if x == depth)
        assert all(b - a >= 0.5 for a, b in itertools.pairwise(heights))
    edges = [(spots[node["parent"]], spots[node["node"]]) for node in nodes[1:]]
    assert not any(crossing(a, b) for a, b in itertools.combinations(edges, 2))


def test_a_tree_shows_visits_values_and_the_paths_of_the_pair(drawn):
    figure = drawn["tree"]
    axes = figure.axes[0]
    marks = axes.collections
    assert len(marks) == 5
    assert marks[0].get_sizes()[0] > marks[1].get_sizes()[0] > marks[2].get_sizes()[0]  # 3, 2 and 1 visits
    thick = [line for line in axes.lines if line.get_linewidth() > 3]
    assert len(thick) == 3 and len({line.get_color() for line in thick}) == 3  # shared, chosen, rejected: one edge each
    below = figure.get_supxlabel().split("\n")
    assert below == ["shared: says $5 1", "chosen: says $5 2", "rejected: says $5 4"]
    assert {"\N{CHECK MARK}\N{CHECK MARK}", "\N{CHECK MARK}\N{BALLOT X}"} <= set(words(figure))


def test_a_tree_without_a_pair_and_one_that_has_none():
    assert not figures.tree(TREE).get_supxlabel()
    with pytest.raises(ValueError, match="chosen is 1; allowed: a leaf, one of 2, 3, 4"):
        figures.tree(TREE, chosen=1)
    with pytest.raises(ValueError, match="1 nodes; needed: a root and a response"):
        figures.tree({"prompt_id": "p", "nodes": TREE["nodes"][:1]})


# ---- one pair


def test_log_ratios_are_bars_and_what_is_shared_cancels_in_the_difference(drawn):
    figure = drawn["log_ratios"]
    chosen, rejected, sums = figure.axes
    assert [bar.get_height() for bar in chosen.containers[0]] == PAIR[2]
    assert [bar.get_height() for bar in rejected.containers[0]] == PAIR[3]
    assert [label.get_text() for label in rejected.get_xticklabels()] == ["The", "stone"]
    difference = next(line for line in sums.lines if line.get_label().startswith("chosen \N{MINUS SIGN} rejected"))
    assert difference.get_ydata() == pytest.approx([0.0, 0.7, 0.4, 0.8])  # the shorter side stays as it ends
    assert "shaded: 1 shared token" in figure.get_suptitle()


def test_log_ratios_of_long_responses_number_their_tokens():
    figure = figures.log_ratios(["x"] * 100, ["y"] * 90, [0.1] * 100, [0.0] * 90, 0)
    assert "x" not in [label.get_text() for label in figure.axes[0].get_xticklabels()]


def test_log_ratios_refuse_what_does_not_fit():
    with pytest.raises(ValueError, match="chosen has 1 tokens and 2 log-ratios"):
        figures.log_ratios(["a"], ["b"], [0.1, 0.2], [0.1], 0)
    with pytest.raises(ValueError, match="shared = 2; allowed: 0 to 1"):
        figures.log_ratios(["a"], ["b"], [0.1], [0.1], 2)
    with pytest.raises(ValueError, match="one or more"):
        figures.log_ratios([], [], [], [], 0)


def test_a_pair_as_html_is_escaped_and_marks_what_is_shared():
    page = figures.pair_html("a < b", "<b>The river", "<b>The stone", 7)
    assert page.count("&lt;b&gt;The </mark>") == 2 and "a &lt; b" in page
    assert "river" in page.split("</mark>")[1] and "<b>The" not in page

    ElementTree.fromstring(page.replace("<br>", "<br/>"))  # every tag is closed
    assert "<mark" in figures.pair_html("p", "x", "y", 0)  # the legend alone
    with pytest.raises(ValueError, match=r"shared_chars = 2.*both begin with"):
        figures.pair_html("p", "ab", "ac", 2)
