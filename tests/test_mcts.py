"""Tree search: a tree worked out by hand, forests in lock-step, budgets, and search against random branching."""

import math
import random
from collections import Counter
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scripted import ScriptedEngine

from ifpref.constraints import verify
from ifpref.curation import mcts
from ifpref.curation.boundaries import Boundaries
from ifpref.curation.mcts import SearchSettings, actions, branch, close, grow, grow_trees, select
from ifpref.curation.rejection import respond
from ifpref.curation.scoring import Judge, Judgement
from ifpref.curation.tree import ROOT, Tree, TreeError, insert, to_row
from ifpref.params import Params, load_params
from ifpref.prompts.build import constraints_of
from ifpref.sampling import Completion, Settings

SAMPLING = Settings(max_tokens=16, seed=3)


def prompt(number, *keywords):
    constraints = [{"id": "keywords:existence", "kwargs": {"keywords": [word]}} for word in keywords]
    return {"prompt_id": f"p{number}", "text": f"Prompt {number}", "constraints": constraints}


def perfect(text):
    return Judgement((True,), 1.0)


class Recording(ScriptedEngine):
    """Remembers the requests of every call."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.requests = []

    def sample(self, requests, settings):
        self.requests.append(list(requests))
        return super().sample(requests, settings)


# ---- a tree worked out by hand

EOS, A, B, C, D = range(5)
WORDS = {A: "Aa.", B: " Bb.", C: " Cc.", D: " Dd."}  # each word is a sentence, so each token is a node
HAND = SearchSettings(c_puct=1.0, fpu_reduction=0.0, widening=1.5, widening_exponent=0.5, patience=2)
# Simulation by simulation: where the search must go, and what is sampled there, with probabilities. A response scores
# 1/2 for Bb and 1/2 for Dd. Priorities are value + bonus; P_new is the prior of a child yet to be sampled.
BY_HAND = [
    # 0  Nothing is there: the root. Adds A=1, B=2, EOS=3; score 1/2.
    (0, [(A, 0.5), (B, 0.5), (EOS, 0.5)]),
    # 1  Root, N=1: 1 child < 1.5 * sqrt(1), so sampling is offered; P_A = P_new = 1/2.
    #    A: 0.5 + 0.5*1/2 = 0.75; sample: 0.5 + 0.5*1/1 = 1.0. Adds C=4, EOS=5; score 0.
    (0, [(C, 0.25), (EOS, 0.5)]),
    # 2  Root, N=2, V=1/4: 2 < 1.5*1.414 = 2.12. P_A : P_C : P_new = 2/3 * (2/3, 1/3), 1/3 = 4/9, 2/9, 1/3.
    #    A: 1/2 + 1.414*4/9/2 = 0.814; C: 0 + 1.414*2/9/2 = 0.157; sample: 1/4 + 1.414/3 = 0.721. To A.
    #    A, N=1: B: 0.5 + 0.25 = 0.75; sample: 0.5 + 0.5 = 1. Adds D=6, EOS=7; score 1/2.
    (1, [(D, 0.25), (EOS, 0.5)]),
    # 3  Root, N=3, V=1/3: 2 < 2.60. A: 1/2 + 1.732*4/9/3 = 0.757; C: 0.192; sample: 1/3 + 1.732/3 = 0.911.
    #    A and B are there already (merged 2); adds D=8, EOS=9 below B; score 1. The root has missed once.
    (0, [(A, 0.5), (B, 0.5), (D, 0.25), (EOS, 0.5)]),
    # 4  Root, N=4, V=1/2: 2 < 3. A, N=3, V=2/3: 2/3 + 2*4/9/4 = 0.889; C: 0 + 2*2/9/2 = 0.222;
    #    sample: 1/2 + 2/3 = 1.167. All of it is there (merged 4, a repeated response): the root has missed twice.
    (0, [(C, 0.25), (EOS, 0.5)]),
    # 5  Root, N=5: no more samples from it, so P_A, P_C = 2/3, 1/3. A: 2/3 + 2.236*2/3/4 = 1.039; C: 0.248. To A.
    #    A, N=3, V=2/3: 2 < 2.60. B, N=2, V=3/4: 3/4 + 1.732*4/9/3 = 1.007; D: 1/2 + 1.732*2/9/2 = 0.692;
    #    sample: 2/3 + 1.732/3 = 1.244. Adds EOS=10; score 0.
    (1, [(EOS, 0.125)]),
    # 6  Root, N=6: A, N=4, V=1/2: 0.5 + 2.449*2/3/5 = 0.827; C: 0.272. To A.
    #    A: 3 children, not < 1.5*2. B, D, EOS have P = 4/7, 2/7, 1/7, and EOS is a leaf: closed.
    #    B: 3/4 + 2*4/7/3 = 1.131; D: 1/2 + 2*2/7/2 = 0.786. To B.
    #    B, N=2, V=3/4: 2 < 2.12. EOS is closed; P_D = 2/3 * 1/3 = 2/9. D: 1 + 1.414*2/9/2 = 1.157;
    #    sample: 3/4 + 1.414/3 = 1.221. Adds C=11, C=12, which ends at the most tokens; score 1/2.
    (2, [(C, 0.125), (C, 0.5)]),
]


def decode(ids, words=WORDS):
    return "".join(words.get(token, "") for token in ids)


def completion(steps):
    ids = tuple(token for token, _ in steps)
    logprobs = tuple(math.log(chance) for _, chance in steps)
    return Completion(ids, "not read", logprobs, "stop" if ids[-1] == EOS else "length")


def grown_by_hand():
    """The tree after each simulation's choice, checked on the way."""
    tree, judge = Tree("p0", (7,)), Judge(prompt(0, "Bb", "Dd"))
    for origin, steps in BY_HAND:
        assert select(tree, HAND) == origin, f"simulation {len(tree.leaves)}"
        leaf = insert(
            tree,
            origin,
            completion(steps),
            Boundaries(decode),
            max_depth=16,
            judge=judge,
        )
        close(tree, leaf, HAND)
    return tree


def test_choices_visits_and_values_of_a_tree_worked_out_by_hand():
    row = to_row(grown_by_hand())
    nodes = [
        (n["token_ids"], n["parent"], n["depth"], n["simulation"], n["visits"], round(n["value"], 4))
        for n in row["nodes"]
    ]
    assert nodes == [
        ([], None, 0, 0, 7, round(2.5 / 7, 4)),
        ([A], 0, 1, 0, 5, 0.5),
        ([B], 1, 2, 0, 3, round(2 / 3, 4)),
        ([EOS], 2, 3, 0, 1, 0.5),
        ([C], 0, 1, 1, 2, 0.0),
        ([EOS], 4, 2, 1, 2, 0.0),
        ([D], 1, 2, 2, 1, 0.5),
        ([EOS], 6, 3, 2, 1, 0.5),
        ([D], 2, 3, 3, 1, 1.0),
        ([EOS], 8, 4, 3, 1, 1.0),
        ([EOS], 1, 2, 5, 1, 0.0),
        ([C], 2, 3, 6, 1, 0.5),
        ([C], 11, 4, 6, 1, 0.5),
    ]
    assert row["origins"] == [0, 0, 1, 0, 0, 1, 2]
    assert row["leaves"] == [3, 5, 7, 9, 5, 10, 12]
    assert row["merged"] == 4  # A and B in simulation 3, C and EOS in 4
    assert row["sampled_tokens"] == 3 + 2 + 2 + 4 + 2 + 1 + 2
    priors = {node["node"]: round(node["prior"], 4) for node in row["nodes"]}
    assert (priors[1], priors[4]) == (round(2 / 3, 4), round(1 / 3, 4))
    assert (priors[2], priors[6], priors[10]) == (round(4 / 7, 4), round(2 / 7, 4), round(1 / 7, 4))
    assert row["nodes"][9]["verdicts"] == [True, True] and row["nodes"][9]["finish"] == "stop"
    assert row["nodes"][12]["finish"] == "length" and row["nodes"][12]["verdicts"] == [True, False]
    assert row["nodes"][8]["verdicts"] is None and row["nodes"][8]["finish"] is None
    assert row["nodes"][8]["logprob"] == math.log(0.25) and row["nodes"][8]["text"] == " Dd."
    assert row["closed"] == 0


def test_priorities_of_the_last_choice_by_hand():
    tree = grown_by_hand()
    # B, N=3, V=2/3: 3 children are not < 1.5 * 1.732, so no sampling. P of EOS, D, C = 4/7, 2/7, 1/7; EOS is closed.
    found = {action.child: action.priority for action in actions(tree, 2, HAND)}
    assert found == pytest.approx({8: 1 + math.sqrt(3) * 2 / 7 / 2, 11: 1 / 2 + math.sqrt(3) * 1 / 7 / 2})
    # At first-play urgency reduced by 0.3, and twice the exploration, at A (N=5, V=1/2): 3 < 1.5 * 2.236 = 3.35.
    found = {action.child: action.priority for action in actions(tree, 1, replace(HAND, fpu_reduction=0.3, c_puct=2.0))}
    root5 = math.sqrt(5)
    assert found == pytest.approx(
        {
            2: 2 / 3 + 2 * root5 * (3 / 4 * 4 / 7) / 4,
            6: 1 / 2 + 2 * root5 * (3 / 4 * 2 / 7) / 2,
            None: 1 / 2 - 0.3 + 2 * root5 / 4,
        }
    )


def test_length_normalised_prior_does_not_punish_length():
    # Sentences of one token at 1/2 and of three at 1/2 each have the same prior, though 1/2 and 1/8 as products.
    words, tree = {1: "Aa.", 2: " bb", 3: " cc", 4: " dd."}, Tree("p", ())
    boundaries = Boundaries(lambda ids: decode(ids, words))
    for steps in ([(1, 0.5), (EOS, 1.0)], [(2, 0.5), (3, 0.5), (4, 0.5), (EOS, 1.0)]):
        insert(tree, ROOT, completion(steps), boundaries, max_depth=9, judge=perfect)
    nodes = to_row(tree)["nodes"]
    assert [node["prior"] for node in nodes if node["depth"] == 1] == pytest.approx([0.5, 0.5])
    assert nodes[3]["logprob"] == pytest.approx(3 * math.log(0.5))


def test_a_new_child_takes_the_misses_back():
    tree, boundaries = Tree("p", ()), Boundaries(decode)

    def add(origin, *ids):
        steps = completion([(token, 0.1) for token in (*ids, EOS)])
        insert(tree, origin, steps, boundaries, max_depth=9, judge=perfect)
        return [node.misses for node in tree.nodes[:2]]

    assert add(ROOT, A, B) == [0, 0]
    assert add(ROOT, A, B) == [1, 0]  # nothing new
    assert add(ROOT, A, C) == [2, 0]  # a new response, but no new child of the root
    assert add(1, C) == [2, 1]
    assert add(ROOT, A, D) == [3, 0]  # on its way a new child of A
    assert add(ROOT, B) == [0, 0]


# ---- what cannot belong to a tree


def test_contradictory_completions_are_refused():
    tree = Tree("p7", ())

    def add(origin, ids, decode=decode):
        steps = completion([(token, 0.5) for token in ids])
        return insert(tree, origin, steps, Boundaries(decode), max_depth=9, judge=perfect)

    leaf = add(ROOT, (A, B, EOS))
    with pytest.raises(TreeError, match="p7: a response goes on at node 3, where an earlier one ends"):
        add(leaf, (C, EOS))
    with pytest.raises(TreeError, match="p7: a response ends after 1 tokens, where an earlier one goes on"):
        add(ROOT, (A,))
    empty = Completion((), "", (), "length")
    with pytest.raises(TreeError, match="p7: the completion has no tokens"):
        insert(tree, ROOT, empty, Boundaries(decode), max_depth=9, judge=perfect)
    with pytest.raises(TreeError, match=r"text of 2 tokens, ending in 'Aa.Aa.', does not begin that of 3 tokens"):
        add(ROOT, (A, A, B, EOS), lambda ids: decode(ids).replace(". B", "; B"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"curation": "mtcs"}, "curation\n  Input should be 'mcts' or 'rs_branched' .*input_value='mtcs'"),
        ({"boundary": "word"}, "boundary\n  Input should be 'sentence' or 'tokens' .*input_value='word'"),
        ({"budget": 0}, "budget\n  Input should be greater than or equal to 1 .*input_value=0"),
        ({"c_puct": math.inf}, "c_puct\n  Input should be a finite number .*input_value=inf"),
        ({"fpu_reduction": -0.1}, "fpu_reduction\n  Input should be greater than or equal to 0 .*input_value=-0.1"),
    ],
)
def test_settings_are_checked(change, message):
    with pytest.raises(ValueError, match=message):
        SearchSettings(**change)


def test_settings_come_from_params():
    params = load_params("smoke", mcts_c_puct=0.7, n_responses=5)
    read = SearchSettings.from_params(params, "rs_branched")
    assert (read.curation, read.c_puct, read.budget, read.boundary) == ("rs_branched", 0.7, 5, "sentence")
    known = {name.removeprefix("mcts_") for name in Params.model_fields if name.startswith("mcts_")}
    searched = SearchSettings.from_params(params, "mcts").key_fields()
    assert set(searched) == known | {"curation", "budget"}  # what is read and not in the key would go unseen
    assert set(read.key_fields()) < set(searched)


# ---- forests

# A small language of 42 responses of one to three sentences, so that responses repeat now and then.
STARTS, MORE = ("The sun.", "A river!"), (" Stones and sun.", " The river.", "\nSun", " P.S. stones!")
RESPONSES = {
    start + "".join(more): (1 + len(start) % 3) * 0.3 ** len(more)
    for start in STARTS
    for more in (more for n in range(3) for more in product(MORE, repeat=n))
}
PROMPTS = [prompt(n, *random.Random(n).sample(["sun", "river", "stones", "P.S."], 2)) for n in range(6)]


def babble():
    return Recording({one["text"]: RESPONSES for one in PROMPTS})


@pytest.mark.parametrize("curation", ["mcts", "rs_branched"])
def test_a_forest_in_lock_step_is_its_trees_one_by_one(curation):
    search = SearchSettings(curation, budget=12)
    together, alone = babble(), babble()
    rows = grow(PROMPTS, together, SAMPLING, search)
    assert rows == [grow([one], alone, SAMPLING, search)[0] for one in PROMPTS]
    assert together.calls == 12 and alone.calls == 12 * len(PROMPTS)
    assert [[request.stream for request in call] for call in together.requests] == [
        [p["prompt_id"] for p in PROMPTS]
    ] * 12
    assert together.sampled_tokens == sum(row["sampled_tokens"] for row in rows)
    assert rows != grow(PROMPTS, together, replace(SAMPLING, seed=4), search)


@given(
    st.sampled_from(["mcts", "rs_branched"]),
    st.sampled_from(["sentence", "tokens"]),
    st.integers(1, 24),
    st.integers(1, 9),
    st.integers(1, 5),
    st.integers(0, 9),
)
@hypothesis_settings(max_examples=60)
def test_what_holds_of_every_tree(curation, boundary, budget, max_tokens, max_depth, seed):
    engine = babble()
    search = SearchSettings(curation, budget, boundary, segment_tokens=2, max_depth=max_depth, children=2)
    sampling = Settings(max_tokens=max_tokens, seed=seed)
    for tree, asked, row in zip(
        grow_trees(PROMPTS[:3], engine, sampling, search),
        PROMPTS,
        grow(PROMPTS[:3], engine, sampling, search),
        strict=False,
    ):
        assert row == to_row(tree)
        nodes = tree.nodes
        leaves = [number for number, node in enumerate(nodes) if node.verdicts is not None]
        assert len(tree.leaves) == budget == nodes[ROOT].visits == sum(nodes[leaf].visits for leaf in leaves)
        assert set(tree.leaves) == set(leaves)
        for number, node in enumerate(nodes):
            children = tree.children(number)
            assert node.depth <= max_depth and (number == ROOT or node.token_ids)
            assert (node.verdicts is None) == (node.finish is None) == bool(children)
            if children:
                assert node.visits == sum(nodes[child].visits for child in children)
                assert node.total == pytest.approx(sum(nodes[child].total for child in children))
                firsts = [nodes[child].token_ids for child in children]  # a trie: no sibling begins another
                assert not any(a != b and a == b[: len(a)] for a in firsts for b in firsts)
            else:
                ids = tree.response_ids(number)
                text = "".join(nodes[step].text for step in tree.path(number))
                assert text == engine.decode(ids) and list(node.verdicts) == verify(text, constraints_of(asked))
                assert node.value == pytest.approx(sum(node.verdicts) / 2)
                assert len(ids) == max_tokens if node.finish == "length" else ids[-1] == EOS
            # Closed is: nothing to do here or below.
            limit = search.root_children if number == ROOT else search.children
            limit = math.inf if curation == "rs_branched" else limit
            fresh = tree.novelty(number) >= search.min_novelty and node.misses < search.patience
            open_here = bool(children) and len(children) < limit and fresh
            assert node.closed == (not open_here and all(nodes[child].closed for child in children))


def test_random_branching_draws_a_response_then_a_boundary():
    tree, boundaries = Tree("p", ()), Boundaries(decode)
    for origin, ids in ((ROOT, (A, B, C)), (1, (D,))):  # nodes: A=1, B=2, C=3, EOS=4; D=5, EOS=6
        steps = completion([(token, 0.1) for token in (*ids, EOS)])
        insert(tree, origin, steps, boundaries, max_depth=9, judge=perfect)
    rng, n = random.Random(0), 24_000
    drawn = Counter(branch(tree, HAND, rng) for _ in range(n))
    # The first response has 4 boundaries (the prompt's end, A, B, C), the second 3 (the prompt's end, A, D).
    expected = {0: 7 / 24, 1: 7 / 24, 2: 1 / 8, 3: 1 / 8, 5: 1 / 6}
    assert {node: count / n for node, count in drawn.items()} == pytest.approx(expected, abs=0.01)
    tree.nodes[5].misses = HAND.patience  # now the second has 2, and D is not drawn
    assert {branch(tree, HAND, rng) for _ in range(1000)} == {0, 1, 2, 3}


def test_random_branching_depends_on_none_of_the_search_parameters():
    plain = SearchSettings("rs_branched", budget=12)
    names = SearchSettings().key_fields().keys() - plain.key_fields().keys()
    other = {name: 1 if name.endswith("children") else 0.3 for name in names}
    changed = replace(plain, **other)
    assert len(names) == 6 and all(getattr(plain, name) != other[name] for name in names)
    assert grow(PROMPTS, babble(), SAMPLING, plain) == grow(PROMPTS, babble(), SAMPLING, changed)
    search = replace(plain, curation="mcts")
    assert grow(PROMPTS, babble(), SAMPLING, search) != grow(PROMPTS, babble(), SAMPLING, replace(search, **other))


def test_every_draw_has_its_own_random_numbers(monkeypatch):
    seen = []
    monkeypatch.setitem(mcts.CHOICES, "rs_branched", lambda tree, search, rng: seen.append(rng.random()) or ROOT)
    for seed in (0, 1):
        grow(PROMPTS, babble(), replace(SAMPLING, seed=seed), SearchSettings("rs_branched", budget=5))
    assert len(set(seen)) == len(seen) == 2 * 5 * len(PROMPTS)


def test_the_search_begins_with_the_responses_of_rejection_sampling():
    engine = babble()
    responses = respond(PROMPTS, engine, SAMPLING, n=12)
    for curation in ("mcts", "rs_branched"):
        for tree in grow_trees(PROMPTS, engine, SAMPLING, SearchSettings(curation, budget=12)):
            own = [row["token_ids"] for row in responses if row["prompt_id"] == tree.prompt_id]
            whole = [s for s, origin in enumerate(tree.origins) if origin == ROOT]
            assert whole[0] == 0
            for simulation in whole:  # sampled from the prompt alone: the very sample of that number
                assert list(tree.response_ids(tree.leaves[simulation])) == own[simulation]


def test_a_shared_prefix_is_not_sampled_again():
    engine = babble()
    rows = grow(PROMPTS, engine, SAMPLING, SearchSettings(budget=12))
    assert any(origin != ROOT for row in rows for origin in row["origins"])
    whole = sum(node["visits"] * len(node["token_ids"]) for row in rows for node in row["nodes"])
    assert sum(row["sampled_tokens"] for row in rows) < whole
    rounds = [call[0] for call in engine.requests]
    assert [request.first_sample for request in rounds] == list(range(12))
    for request in rounds:
        assert request.n == 1
        assert len(request.ids) + request.max_tokens == len(engine.encode(PROMPTS[0]["text"])) + SAMPLING.max_tokens


# ---- exhausted subtrees


def test_an_exhausted_subtree_is_closed_and_its_simulations_go_elsewhere():
    # After "Aa." there is one way on and it scores 1; after "Bb." there are many, and they score 0.
    script = {"Aa. The sun.": 200.0, **{f"Bb. Word{i}.": 1.0 for i in range(200)}}
    prompts = [prompt(n, "sun") for n in range(10)]
    engine = ScriptedEngine({one["text"]: script for one in prompts})
    search = SearchSettings(budget=20, children=40, root_children=40, patience=10)
    trees = grow_trees(prompts, engine, SAMPLING, search)
    assert sum(len(set(tree.leaves)) for tree in trees) > 0.85 * 10 * 20  # what repeats: samples from the root
    for tree in trees:
        first = {tree.nodes[child].text: child for child in tree.children(ROOT)}
        best = [leaf for leaf in tree.leaves if tree.nodes[leaf].value == 1]
        assert set(first) == {"Aa.", "Bb."} and tree.nodes[first["Aa."]].closed and not tree.nodes[ROOT].closed
        below = tree.path(best[0])[1:-1]  # whatever their value, no simulation begins at one of these
        assert not set(tree.origins) & set(below)


@pytest.mark.parametrize("curation", ["mcts", "rs_branched"])
def test_a_tree_with_nothing_left_spends_its_budget_on_whole_responses(curation):
    engine = ScriptedEngine({"Prompt 1": {"Aa.": 1.0, "Bb.": 1.0}})
    (tree,) = grow_trees([prompt(1, "aa")], engine, SAMPLING, SearchSettings(curation, budget=40))
    assert tree.nodes[ROOT].closed and len(tree.leaves) == 40 and len(set(tree.leaves)) == 2
    assert tree.origins == [ROOT] * 40  # the end after each of the two sentences is certain: never sampled from
    assert to_row(tree)["closed"] == 3


@pytest.mark.parametrize("curation", ["mcts", "rs_branched"])
def test_where_the_model_promises_more_than_comes_patience_ends_it(curation):
    # Greedy: the other half of the probability never comes. 3 nodes above the leaf: the root, "Aa." and " Bb."
    engine = ScriptedEngine({"Prompt 1": {"Aa. Bb. Cc.": 2.0, "Aa. Bb.": 1.0, "Aa.": 1.0, "Bb.": 0.5}})
    greedy = replace(SAMPLING, temperature=0.0)
    (tree,) = grow_trees([prompt(1, "aa")], engine, greedy, SearchSettings(curation, budget=30, patience=2))
    assert set(tree.leaves) == {4} and tree.nodes[ROOT].closed
    tries = [tree.origins[1:].count(node) for node in range(4)]
    assert tries[1:] == [2, 2, 0] and tries[0] == 29 - 4  # all that is left goes to the root
    assert tree.origins[10:] == [ROOT] * 20


def test_the_limits_of_children_hold_for_what_is_sampled_there():
    script = {"".join(f" Word{i}." for i in turns): 1.0 for turns in product(range(6), repeat=3)}
    prompts = [prompt(n, "word1") for n in range(5)]
    engine = ScriptedEngine({one["text"]: script for one in prompts})
    search = SearchSettings(budget=15, root_children=5, children=2, widening=100.0)
    for tree in grow_trees(prompts, engine, SAMPLING, search):
        for simulation, origin in enumerate(tree.origins):
            made = [child for child in tree.children(origin) if tree.nodes[child].simulation < simulation]
            assert len(made) < (5 if origin == ROOT else 2)
        assert not tree.nodes[ROOT].closed


# ---- the search finds what random branching finds later

LEVELS = 4
TURNS = [[f" L{level}{side}." for side in "xy"] for level in range(LEVELS)]


def halves(asked, so_far):
    return {"".join(turns): 1.0 for turns in product(*TURNS[so_far.count(".") :])}


def simulations_to_the_best_leaf(curation, n_trees=200, budget=32, **changes):
    """Binary trees of depth 4, 16 leaves; a leaf scores the fraction of its turns that are those of the best leaf."""
    rng = random.Random(0)
    prompts = [prompt(n, *(f"L{level}{rng.choice('xy')}" for level in range(LEVELS))) for n in range(n_trees)]
    engine = ScriptedEngine(halves, texts=["".join(" ".join(turns) for turns in TURNS)])
    trees = grow_trees(prompts, engine, Settings(seed=1), SearchSettings(curation, budget, **changes))
    found = [[tree.nodes[leaf].value == 1 for leaf in tree.leaves] for tree in trees]
    return sum(1 + scores.index(True) if True in scores else budget + 1 for scores in found) / n_trees


def test_the_search_finds_the_best_leaf_with_fewer_simulations_than_random_branching():
    searched, branched = simulations_to_the_best_leaf("mcts"), simulations_to_the_best_leaf("rs_branched")
    assert (
        searched < 0.8 * branched < 0.8 * 16
    )  # 16: one leaf in 16, drawn with replacement, as rejection sampling does
