"""Sampling: reproducible by response, whatever is sampled with it; true to the model; true to the chat template."""

import itertools
import logging
import math
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import ScriptedEngine, WordCodec, uniform
from tiny_models import save_random

from ifpref.sampling import Completion, Request, SamplingError, Settings
from ifpref.sampling.streams import stream_key

torch = pytest.importorskip("torch")

TEXTS = ["Tell a story about a fox and a river, please.", "The fox sleeps by the stone. It sings!"]
TOPICS = ["fox", "river and a stone", "story", "fox, a river, a stone and a fox", "stone", "river"]
ENDS = range(20, 30)  # ten tokens besides <eos> that end a response: one token in 30 or so does


def save(folder, kind, **config):
    """A tiny random model whose responses end now and then, with a chat template, on disk as a hub model is."""
    from ifpref.pocket.tokenizer import train_tokenizer

    config = {"intermediate_size": 64, "max_position_embeddings": 256, "tie_word_embeddings": False} | config
    return save_random(folder, train_tokenizer(TEXTS * 3, 320), kind, ends=ENDS, **config)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    from ifpref.models import load_model

    return load_model(str(save(tmp_path_factory.mktemp("llama"), "llama")))


@pytest.fixture
def engine(loaded):
    return make(loaded)


def make(loaded, batch_size=64):
    from ifpref.sampling import TransformersEngine

    return TransformersEngine(loaded, batch_size)


def ask(engine, n=6, **options):
    """A request for each topic, prefixes of unequal lengths."""
    prompts = [f"Tell a story about a {topic}." for topic in TOPICS]
    return [Request(f"p-{i}", engine.encode(prompt), n, **options) for i, prompt in enumerate(prompts)]


def ids_of(completions):
    return [[completion.token_ids for completion in row] for row in completions]


SETTINGS = Settings(max_tokens=40, seed=1)


@pytest.fixture(scope="module")
def reference(loaded):
    """What most tests compare with: 36 responses sampled in one batch."""
    engine = make(loaded)
    return engine.sample(ask(engine), SETTINGS)


def test_protocol_and_chat_settings_need_no_torch():
    code = "import sys; from ifpref.sampling import ChatEngine, Request; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


# ---- random streams


def numbers(keys, steps):
    from ifpref.sampling.streams import uniforms

    return uniforms(torch.tensor(keys), torch.tensor(steps))


def test_numbers_are_what_plain_python_computes():
    keys, steps = [stream_key(0, "p-17", sample) for sample in range(3)], [0, 5, 2**40]
    assert numbers(keys, steps).tolist() == [uniform(key, step) for key, step in zip(keys, steps, strict=True)]


def test_streams_are_pinned():
    """Every stored response depends on these numbers."""
    assert stream_key(0, "p-17", 3) == STREAM_KEY
    assert [round(uniform(STREAM_KEY, step), 9) for step in range(3)] == UNIFORMS


STREAM_KEY, UNIFORMS = 291039292328718758, [0.293341417, 0.231858414, 0.436976789]


@pytest.mark.parametrize("vary", ["seed", "stream", "sample", "step"])
def test_numbers_are_uniform_and_independent(vary):
    """256 responses of 512 steps that differ in one thing by one: levels, neighbours and rows, at 5 standard errors."""
    keys = [
        stream_key(i if vary == "seed" else 0, f"p-{i}" if vary == "stream" else "p", i if vary == "sample" else 0)
        for i in range(256)
    ]
    first = [i * 512 if vary == "step" else 0 for i in range(256)]
    places = [(key, start + step) for key, start in zip(keys, first, strict=True) for step in range(512)]
    u = numbers(*map(list, zip(*places, strict=True))).view(256, 512)
    assert u.min() >= 0 and u.max() < 1
    counts = torch.histc(u, 64, 0, 1)
    expected = u.numel() / 64
    assert ((counts - expected) ** 2 / expected).sum() < 63 + 5 * math.sqrt(2 * 63)
    centred = (u - 0.5) * math.sqrt(12)
    for a, b in [
        (centred[:, 1:], centred[:, :-1]),  # the next token
        (centred[:, 2:], centred[:, :-2]),  # the one after
        (centred[1:], centred[:-1]),  # the next row
        (centred[1:, 1:], centred[:-1, :-1]),
    ]:
        assert abs((a * b).mean()) < 5 / math.sqrt(a.numel())


# ---- logits to tokens


def chosen(logits, n=20_000, **options):
    """How often each token is chosen, over n samples of one step."""
    from ifpref.sampling.tokens import choose

    keys = torch.tensor([stream_key(0, "p", sample) for sample in range(n)])
    options = {"temperature": 1.0, "top_p": 1.0, **options}
    tokens, logprobs = choose(logits.expand(n, -1), keys, torch.zeros_like(keys), **options)
    assert torch.allclose(
        logprobs, torch.log_softmax(logits, -1)[tokens], atol=1e-5
    )  # at temperature 1, whatever it is
    return torch.bincount(tokens, minlength=len(logits)).double()


@pytest.mark.parametrize("temperature", [1.0, 0.5, 2.0])
def test_choices_follow_the_softmax(temperature):
    logits = torch.linspace(-2, 2, 40)
    expected = 20_000 * torch.softmax(logits.double() / temperature, -1)
    statistic = ((chosen(logits, temperature=temperature) - expected) ** 2 / expected).sum()
    assert statistic < 39 + 5 * math.sqrt(2 * 39)


def test_choices_follow_the_softmax_of_a_large_vocabulary():
    """Half of the mass in one token, the rest spread over the others, of which some have none."""
    logits = torch.zeros(20_000)
    logits[11_236], logits[::7] = math.log(20_000), -math.inf
    counts = chosen(logits, n=2_000)
    assert counts[::7].sum() == 0
    others = (logits == 0).sum().item()
    share = 20_000 / (20_000 + others)
    assert abs(counts[11_236] / 2_000 - share) < 5 * math.sqrt(share * (1 - share) / 2_000)
    counts[11_236] = 0
    halves = counts[:10_000].sum(), counts[10_000:].sum()
    assert abs(halves[0] - halves[1]) < 5 * math.sqrt(sum(halves))


def test_a_number_at_either_end_of_a_row_takes_a_token_that_has_a_probability():
    from ifpref.sampling.tokens import draw

    weights = torch.zeros(2, 600)
    weights[:, 3], weights[:, 590] = 1e-3, 1.0
    assert draw(weights, torch.tensor([0.0, 1 - 2**-53], dtype=torch.float64)).tolist() == [3, 590]


def test_a_choice_does_not_depend_on_the_other_rows():
    from ifpref.sampling.tokens import choose

    logits = torch.randn(64, 3000, generator=torch.Generator().manual_seed(0)) * 3
    keys, steps = torch.tensor([stream_key(0, "p", i) for i in range(64)]), torch.arange(64)
    together = choose(logits, keys, steps, 1.0, 1.0)[0]
    assert all(
        choose(logits[i : i + 1], keys[i : i + 1], steps[i : i + 1], 1.0, 1.0)[0] == together[i] for i in range(64)
    )


def test_greedy_takes_the_largest():
    assert chosen(torch.tensor([0.0, 3.0, 2.9]), n=50, temperature=0).tolist() == [0, 50, 0]


def test_top_p_keeps_the_smallest_set_of_that_mass():
    logits = torch.log(torch.tensor([0.1, 0.5, 0.15, 0.25]))
    for top_p, kept in [(0.5, {1}), (0.51, {1, 3}), (0.75, {1, 3}), (0.8, {1, 2, 3}), (0.95, {0, 1, 2, 3})]:
        counts = chosen(logits, n=5_000, top_p=top_p)
        assert set(counts.nonzero()[:, 0].tolist()) == kept, top_p
    counts = chosen(logits, n=20_000, top_p=0.75)
    assert abs(counts[1] / 20_000 - 2 / 3) < 5 * math.sqrt(2 / 9 / 20_000)


def test_top_p_is_applied_after_temperature_and_keeps_one_token_at_least():
    logits = torch.log(torch.tensor([0.6, 0.4]))
    assert chosen(logits, n=500, top_p=0.65).min() > 0
    assert chosen(logits, n=500, top_p=0.65, temperature=0.5).tolist() == [500, 0]  # 0.36 : 0.16
    assert chosen(logits, n=500, top_p=1e-9).tolist() == [500, 0]
    assert chosen(logits, n=500, temperature=1e-40).tolist() == [500, 0]


# ---- the chat template, by token ids


def test_bos_stands_once_and_the_end_token_once(loaded, engine):
    token = loaded.tokenizer.convert_tokens_to_ids
    bos, eos, user, assistant = (token(name) for name in ("<bos>", "<eos>", "<user>", "<assistant>"))
    text = loaded.tokenizer.encode("Tell a story.", add_special_tokens=False)
    assert (bos, eos, user, assistant) == (1, 2, 3, 4)
    assert engine.encode("Tell a story.") == (bos, user, *text, assistant)
    assert engine.eos_ids == (eos, *ENDS)
    for completion in itertools.chain(*engine.sample(ask(engine), SETTINGS)):
        ends = [id for id in completion.token_ids if id in engine.eos_ids]
        assert ends == list(completion.token_ids[-1:]) * (completion.finish == "stop")
        assert completion.text == loaded.tokenizer.decode(completion.token_ids, skip_special_tokens=True)
    assert engine.decode((bos, *text, eos)) == "Tell a story."


# ---- what a response may depend on


@pytest.mark.parametrize("batch_size", [1, 5, 16])
def test_responses_do_not_depend_on_the_batch_size(loaded, reference, batch_size):
    engine = make(loaded, batch_size)
    assert ids_of(engine.sample(ask(engine), SETTINGS)) == ids_of(reference)


def test_responses_do_not_depend_on_order_and_company(engine, reference):
    requests = ask(engine)
    backwards = engine.sample(requests[::-1], SETTINGS)[::-1]
    assert ids_of(backwards) == ids_of(reference)
    for request, row in zip(requests, reference, strict=True):
        assert ids_of(engine.sample([request], SETTINGS)) == ids_of([row])


def test_a_sample_alone_is_the_sample_among_others(engine, reference):
    alone = [engine.sample(ask(engine, n=2, first_sample=first), SETTINGS) for first in (0, 2, 4)]
    joined = [list(itertools.chain(*rows)) for rows in zip(*map(ids_of, alone), strict=True)]
    assert joined == ids_of(reference)


def test_samples_streams_and_seeds_differ(engine, reference):
    everything = [completion.token_ids for row in reference for completion in row]
    assert len(set(everything)) == len(everything)
    ids = engine.encode("Tell a story.")
    [[a], [b], [c]] = engine.sample([Request("a", ids), Request("b", ids), Request("a", ids)], SETTINGS)
    assert a.token_ids == c.token_ids != b.token_ids
    assert a.logprobs == pytest.approx(c.logprobs, abs=1e-4)  # rows of a batch differ in the last bits
    assert engine.sample([Request("a", ids)], Settings(max_tokens=40, seed=2))[0][0].token_ids != a.token_ids


def test_a_round_repeated_is_the_same_to_the_last_bit(loaded, reference):
    engine = make(loaded)
    assert engine.sample(ask(engine), SETTINGS) == reference
    assert engine.sample(ask(engine), SETTINGS) == reference  # in memory that was used before
    assert engine.calls == 2
    assert engine.sampled_tokens == 2 * sum(len(c.token_ids) for row in reference for c in row)


# ---- true to the model


def plain_logprobs(loaded, prefix, token_ids):
    """One forward pass without cache or padding."""
    with torch.inference_mode():
        logits = loaded.model(torch.tensor([[*prefix, *token_ids]])).logits[0, len(prefix) - 1 : -1]
    return torch.log_softmax(logits.float(), -1).gather(-1, torch.tensor(token_ids)[:, None])[:, 0]


def test_log_probabilities_are_those_of_a_plain_forward_pass(loaded, engine, reference):
    for request, row in zip(ask(engine), reference, strict=True):
        for completion in row:
            expected = plain_logprobs(loaded, request.ids, completion.token_ids)
            assert torch.allclose(torch.tensor(completion.logprobs), expected, atol=1e-4)
            assert completion.logprob == pytest.approx(float(expected.sum()), abs=1e-3)


def generated(loaded, prefix, max_tokens):
    """transformers' own greedy decoding."""
    ids = torch.tensor([prefix])
    out = loaded.model.generate(
        ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=max_tokens, pad_token_id=0
    )
    return tuple(out[0, len(prefix) :].tolist())


def test_greedy_is_the_greedy_of_generate(loaded, engine):
    requests = ask(engine, n=1)
    found = engine.sample(requests, Settings(temperature=0, max_tokens=60))
    assert ids_of(found) == [[generated(loaded, request.ids, 60)] for request in requests]


def test_a_prefix_may_end_within_a_response(engine):
    settings = Settings(temperature=0, max_tokens=30)
    prompts = ask(engine, n=1)
    wholes = [completion.token_ids for [completion] in engine.sample(prompts, settings)]
    assert max(map(len, wholes)) == 30
    for n in (1, 9, 20):
        cut = [
            Request("cut", prompt.ids + whole[:n], max_tokens=30 - n)
            for prompt, whole in zip(prompts, wholes, strict=True)
            if len(whole) > n
        ]
        rests = [completion.token_ids for [completion] in engine.sample(cut, settings)]
        assert rests == [whole[n:] for whole in wholes if len(whole) > n]


def test_every_end_token_stops_and_max_tokens_cuts(engine, reference):
    finished = [completion for row in reference for completion in row]
    assert {completion.finish for completion in finished} == {"stop", "length"}
    assert len({completion.token_ids[-1] for completion in finished if completion.finish == "stop"}) > 3
    assert all(len(completion.token_ids) == 40 for completion in finished if completion.finish == "length")
    requests = [Request("p-0", engine.encode("Tell a story about a fox."), 6, max_tokens=limit) for limit in (0, 1, 7)]
    none, one, seven = engine.sample(requests, SETTINGS)
    assert none == [Completion((), "", (), "length")] * 6
    for row, limit in ((one, 1), (seven, 7)):
        assert [c.token_ids for c in row] == [c.token_ids[:limit] for c in reference[0]]


def test_bfloat16_samples(tmp_path_factory, loaded):
    from ifpref.models import load_model

    engine = make(load_model(str(loaded.folder), dtype="bfloat16"))
    rows = engine.sample(ask(engine), SETTINGS)
    assert all(math.isfinite(completion.logprob) for row in rows for completion in row)
    assert engine.sample(ask(engine), SETTINGS) == rows


def test_a_sliding_window_leaves_the_cache_to_transformers(tmp_path_factory):
    from ifpref.models import load_model

    loaded = load_model(str(save(tmp_path_factory.mktemp("mistral"), "mistral", sliding_window=8)))
    engine = make(loaded)
    assert not engine.plain
    requests = ask(engine, n=1)
    found = engine.sample(requests, Settings(temperature=0, max_tokens=30))
    assert ids_of(found) == [[generated(loaded, request.ids, 30)] for request in requests]
    sampled = engine.sample(ask(engine), SETTINGS)
    assert ids_of(make(loaded, 5).sample(ask(engine), SETTINGS)) == ids_of(sampled)


def test_both_caches_give_the_same_responses(engine, reference):
    engine.plain = False
    assert ids_of(engine.sample(ask(engine), SETTINGS)) == ids_of(reference)


def test_a_model_in_training_is_sampled_in_evaluation_mode_and_handed_back(loaded, engine, reference):
    loaded.model.train()
    try:
        assert engine.sample(ask(engine), SETTINGS) == reference
        assert loaded.model.training
    finally:
        loaded.model.eval()


# ---- work that is not done


@pytest.fixture
def passes(monkeypatch):
    """(rows, tokens a row) of every forward pass."""
    from ifpref.sampling import cache, transformers

    seen = []
    original = cache.forward

    def forward(model, ids, *rest):
        seen.append(tuple(ids.shape))
        return original(model, ids, *rest)

    monkeypatch.setattr(cache, "forward", forward)
    monkeypatch.setattr(transformers, "forward", forward)
    return seen


def readings(passes):
    """(prefixes, tokens read) of one call."""
    rows = [count for count, tokens in passes if tokens > 1]
    return sum(rows), [tokens for _, tokens in passes if tokens > 1]


def test_a_prompt_is_read_once_for_all_its_samples_and_with_prompts_of_like_length(engine, passes):
    requests = ask(engine)
    engine.sample(requests, SETTINGS)
    count, widths = readings(passes)
    assert count == len(requests)
    assert widths == sorted(widths, reverse=True) and widths[0] == max(len(request.ids) for request in requests)
    assert len(widths) > 1 and min(widths) >= min(len(request.ids) for request in requests)


def test_rows_that_have_ended_leave_the_batch(engine, passes):
    engine.sample(ask(engine), SETTINGS)
    rows = [count for count, tokens in passes if tokens == 1]
    assert rows[0] > 27 and rows == sorted(rows, reverse=True) and len(set(rows)) > 3
    assert sum(rows) < engine.sampled_tokens / 0.75 < 36 * 39  # at most a quarter of a batch has ended


def going_on(prompts, responses):
    """A second round of a search: from the first 2, 3, ... tokens of the responses, in their streams."""
    return [
        Request(request.stream, request.ids + response.token_ids[: 2 + i], first_sample=1)
        for i, (request, [response]) in enumerate(zip(prompts, responses, strict=True))
    ]


def test_what_was_sampled_is_not_read_again(engine, passes):
    prompts, settings = ask(engine, n=1), Settings(max_tokens=40, seed=5)
    first = engine.sample(prompts, settings)
    deeper = going_on(prompts, first)
    expected = engine.sample(deeper, settings)
    deepest = [
        Request(r.stream, r.ids + c.token_ids[:1], first_sample=2) for r, [c] in zip(deeper, expected, strict=True)
    ]
    expected = [first, expected, engine.sample(deepest, settings)]
    with engine.keep_prefixes():
        passes.clear()
        found = [engine.sample(prompts, settings)]
        assert max(readings(passes)[1]) == max(len(request.ids) for request in prompts)
        passes.clear()
        found += [engine.sample(deeper, settings), engine.sample(deepest, settings), engine.sample(prompts, settings)]
        assert readings(passes) == (0, [])
        other = [Request("another", prompts[0].ids)]  # of another stream: it may be another prompt, so it is read
        engine.sample(other, settings)
        assert readings(passes)[0] == 1
    assert [ids_of(rows) for rows in found[:3]] == [ids_of(rows) for rows in expected]
    assert ids_of(found[3]) == ids_of(first)
    passes.clear()
    engine.sample(prompts, settings)
    assert readings(passes)[0] == 6  # nothing is kept outside


@pytest.mark.parametrize("share", [0, 0.3, 0.7])
def test_what_has_no_room_is_read_again(engine, passes, monkeypatch, share):
    from ifpref.sampling import transformers

    prompts, settings = ask(engine, n=1), Settings(max_tokens=40, seed=5)
    first = engine.sample(prompts, settings)
    expected = engine.sample(going_on(prompts, first), settings)
    with engine.keep_prefixes():
        engine.sample(prompts, settings)
        room = int(share * (transformers.KEEP_BYTES - engine.kept.room))
    monkeypatch.setattr(transformers, "KEEP_BYTES", room)
    with engine.keep_prefixes():
        assert ids_of(engine.sample(prompts, settings)) == ids_of(first)
        passes.clear()
        assert ids_of(engine.sample(going_on(prompts, first), settings)) == ids_of(expected)
        assert 0 <= engine.kept.room <= room
    assert readings(passes)[0] > 0


def test_keys_and_values_that_are_kept_are_those_of_the_whole_sequence(loaded, engine):
    from ifpref.sampling.cache import read_prefixes

    prompts = ask(engine, n=1)
    with torch.inference_mode(), engine.keep_prefixes():
        for request, [response] in zip(prompts, engine.sample(prompts, Settings(max_tokens=40, seed=5)), strict=True):
            ids = (request.ids + response.token_ids)[:-1]
            kept = torch.cat(engine.kept.find(request.stream, ids), dim=3)
            [whole] = read_prefixes(loaded.model, [ids])
            torch.testing.assert_close(kept, whole, atol=1e-4, rtol=1e-4)


# ---- attention in blocks of rows


def test_blocks_start_at_the_first_column_that_a_row_of_theirs_needs():
    from ifpref.sampling import cache

    lengths = [40] * 8 + [30] * 8 + [10] * 8
    assert cache._blocks(lengths) == [(slice(0, 8), 0), (slice(8, 16), 10), (slice(16, 24), 30)]
    assert cache._blocks([40] * 8 + [39] * 8) == []  # 1 % of the columns: not worth it
    assert cache._blocks([40] * 4 + [10] * 4) == []  # too few rows


def test_attention_in_blocks_changes_no_response(loaded, engine, monkeypatch):
    from ifpref.sampling import cache

    requests = [Request(f"p-{i}", engine.encode("fox " * (1 + i))) for i in range(32)]
    seen, blocks = [], cache._blocks
    monkeypatch.setattr(cache, "_blocks", lambda lengths: seen.append(blocks(lengths)) or seen[-1])
    in_blocks = engine.sample(requests, SETTINGS)
    assert any(seen)
    assert loaded.model.config._attn_implementation == "sdpa"
    monkeypatch.setattr(cache, "_blocks", lambda lengths: [])
    assert ids_of(engine.sample(requests, SETTINGS)) == ids_of(in_blocks)


def test_attention_in_blocks_is_registered_where_it_is_needed(loaded):
    from transformers import AttentionInterface

    from ifpref.sampling import cache

    known = AttentionInterface._global_mapping
    known.pop("sdpa_in_blocks", None)
    with cache.in_blocks(loaded.model, plain=False):
        assert "sdpa_in_blocks" not in known and loaded.model.config._attn_implementation == "sdpa"
    for _ in range(2):
        with cache.in_blocks(loaded.model, plain=True):
            assert known["sdpa_in_blocks"] is cache.attend_in_blocks
            assert loaded.model.config._attn_implementation == "sdpa_in_blocks"
        assert loaded.model.config._attn_implementation == "sdpa"


def test_rows_that_grow_from_call_to_call_find_room_in_one_buffer(engine):
    starts = [engine.encode("fox " * words) for words in range(1, 21)]
    with engine.keep_prefixes():
        seen = []
        for ids in starts:
            engine.sample([Request("p", ids)], Settings(max_tokens=4))
            seen.append(engine.buffer.memory.data_ptr())
    assert 1 < len(set(seen)) < 8


# ---- what goes wrong


def test_out_of_memory_halves_the_batch_and_goes_on(engine, reference, monkeypatch, caplog):
    from ifpref.sampling import transformers

    original = transformers.forward

    def forward(model, ids, *rest):
        if len(ids) > 10:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 1.00 GiB.")
        return original(model, ids, *rest)

    monkeypatch.setattr(transformers, "forward", forward)
    with caplog.at_level(logging.WARNING):
        found = engine.sample(ask(engine), SETTINGS)
    assert ids_of(found) == ids_of(reference)
    assert engine.batch_size == 9  # 36 rows, 18, 9
    assert [record.getMessage() for record in caplog.records] == [
        "out of GPU memory with 36 rows at a time: going on with 18",
        "out of GPU memory with 18 rows at a time: going on with 9",
    ]


def test_out_of_memory_with_a_single_row_says_so(engine, monkeypatch):
    from ifpref.sampling import transformers

    def forward(*rest):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(transformers, "forward", forward)
    with pytest.raises(SamplingError, match="single row"):
        engine.sample(ask(engine), SETTINGS)


def test_a_context_too_short_and_unknown_tokens_are_refused_before_sampling(engine, passes):
    long = Request("p-long", engine.encode("fox " * 100))
    with pytest.raises(SamplingError, match=r"'p-long'.* max_tokens = 200.* 256 together"):
        engine.sample([*ask(engine), long], Settings(max_tokens=200))
    with pytest.raises(SamplingError, match=r"'p-odd'.* -1 to 9999"):
        engine.sample([*ask(engine), Request("p-odd", (-1, 9999))], SETTINGS)
    assert not passes


def test_a_broken_model_is_not_sampled_in_silence(engine, loaded, monkeypatch):
    weight = loaded.model.lm_head.weight
    monkeypatch.setattr(weight, "data", torch.full_like(weight, torch.nan))
    with pytest.raises(SamplingError, match="not finite"):
        engine.sample(ask(engine), SETTINGS)


def test_no_requests_give_no_completions(engine):
    assert engine.sample([], SETTINGS) == []


def test_progress_is_told_where_nobody_watches(engine, monkeypatch, capsys):
    from ifpref import progress

    monkeypatch.setattr(progress, "EVERY_S", 0.0)
    monkeypatch.setattr(progress, "is_live", lambda: False)
    engine.sample(ask(engine), SETTINGS)
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("responses: 36 of 36, ") and last.endswith("0 s left") and "tokens/s, " in last


# ---- the scripted engine

STORY = {"Tell a story.": {"The fox ran. It slept.": 3, "The fox ran. It sang!": 1, "No.": 4}}


def scripted(n=1, so_far="", settings=SETTINGS, script=STORY, **options):
    engine = ScriptedEngine(script)
    ids = engine.encode("Tell a story.") + engine.codec.encode(so_far)
    return engine.sample([Request("p", ids, n, **options)], settings)[0]


def test_scripted_responses_have_their_weights_and_log_probabilities():
    row = scripted(n=4000)
    counts = Counter(completion.text for completion in row)
    assert set(counts) == set(STORY["Tell a story."])
    for text, weight in STORY["Tell a story."].items():
        p = weight / 8
        assert abs(counts[text] / 4000 - p) < 5 * math.sqrt(p * (1 - p) / 4000)
    assert {c.text: round(c.logprob, 6) for c in row} == {
        text: round(math.log(weight / 8), 6) for text, weight in STORY["Tell a story."].items()
    }
    assert all(
        c.finish == "stop" and c.token_ids[-1] == WordCodec.EOS and len(c.logprobs) == len(c.token_ids) for c in row
    )


def test_scripted_samples_are_their_own():
    assert scripted(n=1, first_sample=7)[0] == scripted(n=20)[7]


def test_scripted_prefixes_settings_and_limits():
    texts = Counter(completion.text for completion in scripted(n=400, so_far="The fox ran."))
    assert set(texts) == {" It slept.", " It sang!"} and abs(texts[" It sang!"] - 100) < 45
    assert scripted(settings=Settings(temperature=0))[0].text == "No."  # 4 to 4: the smaller token id
    assert scripted(so_far="The", settings=Settings(temperature=0))[0].text == " fox ran. It slept."
    assert {c.text for c in scripted(n=50, so_far="The", settings=Settings(top_p=0.7))} == {" fox ran. It slept."}
    cold = Counter(c.text for c in scripted(n=400, so_far="The fox ran.", settings=Settings(temperature=0.5)))
    assert abs(cold[" It sang!"] - 40) < 30  # 9 to 1
    cut = scripted(max_tokens=2, so_far="The")[0]
    assert (cut.text, cut.finish, len(cut.token_ids)) == (" fox ran", "length", 2)
    assert scripted(max_tokens=0)[0] == Completion((), "", (), "length")
    whole = scripted(so_far="No.")[0]
    assert (whole.text, whole.token_ids, whole.finish) == ("", (WordCodec.EOS,), "stop")


def test_scripted_by_a_function_and_by_ids():
    def respond(prompt, so_far):
        return "a b" if not so_far else {f" after {so_far.strip()}": 1}

    engine = ScriptedEngine(respond, texts=["a b"])
    start = engine.encode("Count.")
    [[first]] = engine.sample([Request("p", start)], SETTINGS)
    [[second]] = engine.sample([Request("p", start + first.token_ids[:1])], SETTINGS)
    assert (first.text, second.text) == ("a b", " after a")
    by_ids = ScriptedEngine({start: "yes", "Count.": "no"})
    assert by_ids.sample([Request("p", by_ids.encode("Count."))], SETTINGS)[0][0].text == "no"


def test_scripted_counts_and_refuses():
    engine = ScriptedEngine(STORY)
    ids = engine.encode("Tell a story.")
    engine.sample([Request("a", ids, 2), Request("b", ids)], Settings(temperature=0))
    assert (engine.calls, engine.sampled_tokens) == (1, 9)  # No . <eos>
    with pytest.raises(SamplingError, match=r"nearest: 'Tell a story\.'"):
        engine.sample([Request("p", engine.encode("Tell a tale."))], SETTINGS)
    with pytest.raises(SamplingError, match="begins with 'Yes'"):
        scripted(so_far="Yes")
    with pytest.raises(SamplingError, match="no response mark"):
        engine.sample([Request("p", (1, 300))], SETTINGS)


@given(st.text(), st.lists(st.text(max_size=20), max_size=3))
def test_words_round_trip(text, texts):
    codec = WordCodec(texts)
    if "\ud800" <= max(text, default="") <= "\udfff":
        return
    assert codec.decode(codec.encode(text)) == text
    assert all(codec.decode(codec.encode(known)) == known for known in texts)
