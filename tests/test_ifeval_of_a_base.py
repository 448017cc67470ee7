"""IFEval of a base: the response file, and accuracies with standard errors; a few prompts, the embedded model."""

import json
import shutil

import numpy as np
import pytest

from ifpref import paths
from ifpref.evaluation import score_file
from ifpref.evaluation.table import MODES, Table
from ifpref.publish import ifeval

pytest.importorskip("torch")

ASKED = [
    ("Tell of the river.", ["punctuation:no_comma"], [{}]),
    ("Tell of the sun.", ["change_case:english_lowercase", "punctuation:no_comma"], [{}, {}]),
    ("Tell of the moon.", ["length_constraints:number_words"], [{"num_words": 3, "relation": "at least"}]),
]


@pytest.fixture
def home(root, tmp_path, monkeypatch):
    shutil.copytree(root / "params", tmp_path / "params")
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path))
    names = ("key", "prompt", "instruction_id_list", "kwargs")
    lines = [dict(zip(names, (1000 + n, *one), strict=True)) for n, one in enumerate(ASKED)]
    (tmp_path / "asked.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    monkeypatch.setenv("IFEVAL_PROMPTS", str(tmp_path / "asked.jsonl"))
    return tmp_path


def test_responses_that_make_score_reads_and_results_that_agree_with_it(home, capsys, monkeypatch):
    monkeypatch.setattr("ifpref.pipeline.policies.IFEVAL_TOKENS", 40)
    monkeypatch.setitem(ifeval.PUBLISHED, "pocket", 12.3)
    assert ifeval.main(["pocket", "--set", "max_tokens=40"]) == 0
    folder = home / "outputs" / "ifeval" / "pocket"
    lines = [json.loads(line) for line in (folder / "responses.jsonl").read_text().splitlines()]
    assert [line["prompt"] for line in lines] == [one[0] for one in ASKED] and all(line["response"] for line in lines)
    found, out = json.loads((folder / "results.json").read_text()), capsys.readouterr().out
    for given in (None, home / "asked.jsonl"):  # with and without the constraints in the lines
        scores = score_file(folder / "responses.jsonl", given)
        for level in ifeval.LEVELS:
            for mode in MODES:
                name = f"{level}_{mode}"
                assert found[name]["percent"] == pytest.approx(100 * getattr(scores, name).accuracy)
        strict = scores.prompt_level_strict
        assert found["prompt_level_strict"]["standard_error"] == pytest.approx(100 * strict.standard_error)
    assert found["published_mean"] == 12.3 and "12.3" in out and found["model"]["dtype"] == "float32"
    before = (folder / "responses.jsonl").read_bytes()
    assert ifeval.main(["pocket", "--set", "max_tokens=40"]) == 0  # at once, from the store
    assert (folder / "responses.jsonl").read_bytes() == before


def table(*verdicts):
    """Of prompts with one response each."""
    rows = [
        {"prompt_id": str(n), "sample": 0, "strict": one, "loose": one, "n_tokens": 1, "finish": "stop", "text": "a"}
        | {"unasked": [], "repeated": False, "nearly_repeated": False, "logprob": 0.0}
        for n, one in enumerate(verdicts)
    ]
    return Table.from_rows(rows)


def test_standard_errors_by_hand():
    found = ifeval.accuracies(table([True, True, True], [False]))
    assert found["prompt_level_strict"] == {"percent": 50.0, "standard_error": pytest.approx(50.0)}
    # 3 of 4 met; residuals met - 0.75 asked: 0.75 and -0.75; over the mean of 2 asked; sqrt(2 * 0.375 ** 2 / 2)
    assert found["instruction_level_strict"] == {"percent": 75.0, "standard_error": pytest.approx(37.5)}
    assert found["mean_strict"] == {"percent": 62.5, "standard_error": pytest.approx(43.75)}


def test_the_standard_error_of_a_ratio_covers_what_a_bootstrap_does():
    random = np.random.default_rng(0)
    verdicts = [(random.random(random.integers(1, 4)) < 0.3 + 0.4 * (n % 2)).tolist() for n in range(200)]
    draws = random.integers(0, 200, (2_000, 200))
    met, asked = np.array([sum(one) for one in verdicts]), np.array([len(one) for one in verdicts])
    spread = 100 * np.std(met[draws].sum(1) / asked[draws].sum(1))
    found = ifeval.accuracies(table(*verdicts))["instruction_level_strict"]
    assert found["standard_error"] == pytest.approx(spread, rel=0.08)


def test_a_model_that_is_no_profile_and_prompts_out_of_reach(home, capsys, monkeypatch):
    assert ifeval.pipeline_of("smollm2").params.model == "smollm2"
    other = ifeval.pipeline_of("owner/name", dtype="float32").params
    assert other.model == "owner/name" and other.max_constraints == 4
    assert ifeval.folder_of("owner/name").name == "owner--name"
    monkeypatch.delenv("IFEVAL_PROMPTS")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("ifpref.evaluation.sets.fetch_prompts", out_of_reach)
    assert ifeval.main(["pocket"]) == 2
    assert "IFEval's prompts are out of reach" in capsys.readouterr().err


def out_of_reach():
    from ifpref.evaluation.sets import OutOfReach

    raise OutOfReach("no hub")
