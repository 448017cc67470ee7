"""Parameters: flat YAML files in params/, every key typed, documented and checked.

The frozen pydantic model `Params` is the schema. Adding a key is one line in it and one line in params/pocket.yaml.
A profile states every key, or it says `extends: pocket` and states what differs from that one.

A `Params` is never built with a value that is not allowed, not by `replace` either. A value in a file comes as the text
that was written, and the schema reads it (fields.py): so `5e-4` is a number, and the commit 0123456 keeps its zero.
Whether `transfer_ids` are known constraints is checked where constraints are known, in the prompts stage.

    python -m ifpref.params gpu --set "beta=0.05 learning_rates=[2e-5, 4e-5]"    # all values, and where each is from
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, Field, TypeAdapter, ValidationError

from ifpref import paths
from ifpref.command import command, parser_of
from ifpref.fields import WORD, ConstraintId, Flag, Line, List, Name, NonEmpty, Number, Positive, Seed, Text, Whole, key
from ifpref.fingerprint import canonical_json, fingerprint
from ifpref.profiles import ParamsError, file_of, nearest, parse_yaml, profile_name, profiles, read_yaml, shown

__all__ = ["Params", "ParamsError", "as_overrides", "canonical_json", "fingerprint", "load_params", "parse_overrides"]
__all__ += ["profile_name", "profiles"]


Changes = Annotated[Text, AfterValidator(lambda text: (changes_of(text), text)[1])]


class Params(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """All parameters of a run: frozen, hashable, compared by value. `ParamsError` for a value that is not allowed."""

    seed: Seed = key("every random draw of a run derives from it")
    # model
    model: Line = key("pocket, a folder with safetensors, or a hub id such as owner/name")
    revision: Text | None = key("commit, branch or tag of a hub model; null: its default branch", pattern=WORD)
    dtype: Literal["float32", "bfloat16", "auto"] = key("of the base's weights; auto: bfloat16 where it is fast here")
    device: Literal["auto", "cpu", "cuda"] = key("auto: GPUs where there are any")

    # study
    n_replicates: Whole = key("independent repetitions: prompts, samples, pairs and training drawn anew", ge=1, le=1000)
    comparisons: List[Name] = key("what is compared with what, see ifpref/design.py")
    learning_rates: List[Positive] | None = key("grid of peak rates of the main comparisons; null: learning_rate alone")
    pilot_learning_rates: List[Positive] = key("peak rates that `pilot` tries, one replicate on dev", min_length=1)
    harsh_learning_rates: List[Positive] = key("peak rates of `stability` (C2)", min_length=1)
    harsh_changes: List[Changes] = key("what else `stability` changes, each with each rate", min_length=1)
    pair_sizes: List[Annotated[Whole, Field(ge=1)]] = key("numbers of pairs of the `sizes_` comparisons", min_length=1)
    n_series_replicates: Whole | None = key("replicates of these and of `stability`; null: n_replicates", ge=1, le=1000)
    n_pass_rate_responses: Whole = key("responses that a prompt's pass rate is measured by", ge=1)

    # prompts
    domain: Literal["open", "pocket"] = key("the world that prompts speak of: open English, or the pocket model's")
    constraint_set: Literal["study", "ifeval"] = key("23 constraint ids (study), or all 25 of IFEval (ifeval)")
    n_train_prompts: Whole = key("prompts that pairs are made from", ge=1)
    n_cell_prompts: Whole = key("prompts of its difficulty that a cell of C1, and C2, draw from at least", ge=1)
    n_size_prompts: Whole = key("prompts that pairs of `sizes_...` and `difficulty_matched` are made from", ge=1)
    n_dev_prompts: Whole = key("prompts that entropy, KL from the base, and the pilot, are measured on", ge=1)
    n_test_prompts: Whole = key("held-out prompts that results are read from, once", ge=1)
    n_transfer_prompts: Whole = key("test prompts that hold at least one id of transfer_ids", ge=0)
    min_constraints: Whole = key("fewest constraints in a prompt", ge=1, le=6)
    max_constraints: Whole = key("most constraints in a prompt", ge=1, le=6)
    easy_max_constraints: Whole = key("a prompt with at most this many is easy", ge=1, le=6)
    moderate_max_constraints: Whole = key("above easy, at most this many: moderate; more: hard", ge=1, le=6)
    transfer_ids: List[ConstraintId] = key(
        "constraint ids left out of training in the transfer arm",
        default=("startend:quotation", "keywords:forbidden_words", "detectable_format:number_bullet_lists"),
    )

    # sampling
    temperature: Number = key("what responses and trees are sampled at; 0 is greedy", ge=0)
    top_p: Number = key("the smallest set of tokens of this mass is sampled from; 1: all tokens", gt=0, le=1)
    max_tokens: Whole = key("most tokens of a response", ge=1)
    sampling_batch_size: Whole = key("responses decoded together; halved where memory runs out", ge=1)
    engine: Literal["transformers", "batching", "http"] = key("what samples; policies are evaluated here")
    engine_url: Text | None = key("server of engine: http, such as http://localhost:8000", pattern=r"^https?://\S+$")
    system_prompt: NonEmpty | None = key("message before every prompt; null: none")
    thinking_end: Text | None = key("token that ends a thinking block, such as </think>; null: none", pattern=WORD)
    stop_strings: List[NonEmpty] = key("the text that is verified ends before the first of them")

    # responses and trees
    n_responses: Whole = key("responses to each prompt, of rejection sampling and of a search tree alike", ge=2)
    shard_prompts: Whole = key("prompts written together: what a killed run repeats at most", ge=1)
    mcts_boundary: Literal["sentence", "tokens"] = key("where the segments end that become nodes of a tree")
    mcts_segment_tokens: Whole = key("tokens of a segment, where mcts_boundary is `tokens`", ge=1)
    mcts_max_depth: Whole = key("most segments in a response; what follows is one segment", ge=2)
    mcts_min_novelty: Number = key("no more samples where a new child is less likely", ge=0, le=1)
    mcts_patience: Whole = key("no more samples from a node after so many in a row made no new child", ge=1)
    mcts_c_puct: Number = key("exploration constant of PUCT, in units of the score", ge=0)
    mcts_fpu_reduction: Number = key("first-play urgency: a new child is worth its parent's value less this", ge=0)
    mcts_widening: Number = key("k: new children while fewer than k * visits ** exponent", ge=0)
    mcts_widening_exponent: Number = key("exponent of progressive widening, see mcts_widening", ge=0, le=1)
    mcts_root_children: Whole = key("most children that are sampled for at the root", ge=1)
    mcts_children: Whole = key("most children that are sampled for at other nodes", ge=1)

    # pairs
    n_pairs: Whole | None = key("pairs of each arm compared; null: as many as the smallest arm has", ge=1)
    min_high_gap: Number = key("pairs of `high` differ in score by this or more", gt=0, le=1)
    max_low_gap: Number = key("pairs of `low` and `low_imperfect` differ in score by this or less", gt=0, le=1)
    chosen_quality: Literal["best", "perfect"] = key("chosen of `high` and `low`: the best there is, or perfect only")
    unshared_length_tolerance: Number = key("`mcts_unshared`: a match's length may differ by this share", ge=0)
    unshared_max_prefix: Whole = key("`mcts_unshared`: most tokens that a pair may share", ge=0)

    # evaluation
    sampled_comparisons: List[Name] = key("comparisons also evaluated at temperature 1")
    n_sampled: Whole = key("responses to each prompt at temperature 1", ge=1)
    ifeval: Flag = key("evaluate base and policies on IFEval's 541 prompts too, greedy")

    # statistics
    primary_metric: Literal["prompt_level", "instruction_level"] = key("what effects and claims are read on")
    confidence: Number = key("of intervals; a claim is tested at 1 less this", gt=0.5, le=0.999)
    equivalence_margin: Number = key("percentage points: an effect whose interval lies inside is equivalent", gt=0)

    # training, by the names of trl and peft
    loss_type: Literal["sigmoid", "sigmoid_norm", "robust", "hinge", "ipo", "exo_pair"] = key("the DPO loss, as in trl")
    beta: Number = key("strength of the pull towards the base in DPO", gt=0)
    label_smoothing: Number = key("share of labels taken to be wrong: robust and exo_pair only", ge=0, le=0.5)
    learning_rate: Number = key("peak learning rate of AdamW", gt=0)
    lr_scheduler_type: Literal["constant", "linear", "cosine", "constant_with_warmup"] = key("course of the rate")
    warmup_steps: Number = key("steps of linear warm-up; below 1: a share of all steps", ge=0)
    max_grad_norm: Number = key("gradients are scaled down to this norm", gt=0)
    num_train_epochs: Number = key("passes over the pairs, rounded up to whole batches", gt=0)
    per_device_train_batch_size: Whole = key("pairs computed together on one device: memory, not the result", ge=1)
    gradient_accumulation_steps: Whole = key("times this: the pairs that one step averages over", ge=1)
    training_processes: Whole = key("GPUs that train one arm together: time, not the result", ge=1)
    max_length: Whole = key("longest prompt and response in tokens: longer pairs stop the run", ge=2)
    lora_r: Whole = key("rank of the adapter", ge=1)
    lora_alpha: Whole = key("the adapter's output is scaled by lora_alpha / lora_r", ge=1)
    lora_dropout: Number = key("dropout before the adapter", ge=0, le=0.9)
    lora_target_modules: List[NonEmpty] = key("layers that are adapted: all-linear, or names such as q_proj")
    bf16: Flag = key("mixed precision, for GPUs")
    gradient_checkpointing: Flag = key("less memory for more time: memory, not the result")
    save_steps: Whole = key("steps between checkpoints: what a killed run repeats at most", ge=1)
    divergence_ratio: Number = key("a run diverges when a step's loss is this many times the loss at step 0", gt=1)

    def __init__(self, /, **values: Any) -> None:
        checked = _checked(values, "Params")
        for name, field in Params.model_fields.items():
            if field.is_required() and name not in checked:
                raise ParamsError(f"Params: key {name!r} is missing ({field.description})")
        super().__init__(**checked)
        if broken := [rule for rule, holds in self._rules().items() if not holds]:
            names = [name for name in re.findall(r"\w+", broken[0]) if name in Params.model_fields]
            found = ", ".join(f"{name} = {shown(getattr(self, name))}" for name in names)
            raise ParamsError(f"Params: {found}; allowed: {broken[0]}")

    def _rules(self) -> dict[str, bool]:
        """What single keys cannot show: what is allowed, in words that name the keys, and whether it holds."""
        batch = self.per_device_train_batch_size * self.gradient_accumulation_steps
        return {
            "min_constraints <= max_constraints": self.min_constraints <= self.max_constraints,
            "easy_max_constraints < moderate_max_constraints": (
                self.easy_max_constraints < self.moderate_max_constraints
            ),
            "max_low_gap < min_high_gap": self.max_low_gap < self.min_high_gap,
            "an engine_url such as http://localhost:8000 where engine is http": (
                self.engine != "http" or self.engine_url is not None
            ),
            "no engine_url that holds a name or a password; a key goes into VLLM_API_KEY": (
                "@" not in (self.engine_url or "")
            ),
            f"training_processes that divide the {batch} pairs of a step "
            "(per_device_train_batch_size * gradient_accumulation_steps)": batch % self.training_processes == 0,
            "transfer_ids that name each id once": _differ(self.transfer_ids),
            "learning_rates: null, or two or more different rates with learning_rate among them": (
                self.learning_rates is None or _is_grid(self.learning_rates, self.learning_rate)
            ),
            "pilot_learning_rates that name each rate once": _differ(self.pilot_learning_rates),
            "harsh_learning_rates that name each rate once": _differ(self.harsh_learning_rates),
            "harsh_changes that are different": _differ(
                [frozenset(changes_of(one).items()) for one in self.harsh_changes]
            ),
            "pair_sizes that grow": list(self.pair_sizes) == sorted(set(self.pair_sizes)),
            "n_series_replicates <= n_replicates": (self.n_series_replicates or 1) <= self.n_replicates,
        }

    def replace(self, **changes: Any) -> Params:
        """The same with some values changed, checked as any other."""
        return Params(**{**self.model_dump(), **changes})

    def subset(self, *names: str) -> dict[str, Any]:
        """Only these keys, as a stage takes them: what is not in it cannot change the stage's artefact."""
        for name in names:
            _known(name, "Params.subset")
        return {name: getattr(self, name) for name in names}


def _differ(values: Any) -> bool:
    return len(set(values)) == len(values)


def _is_grid(rates: Any, middle: float) -> bool:
    return len(rates) > 1 and _differ(rates) and middle in rates


def load_params(profile: str | Path, /, **overrides: Any) -> Params:
    """The parameters of a profile ('pocket') or a YAML file, some replaced by `overrides`. ParamsError."""
    stated, replaced = _stated(file_of(profile)), _checked(overrides, "override")
    profile_name(profile)
    try:
        return Params(**{name: value for name, (value, _) in stated.items()} | replaced)
    except ParamsError as error:  # a missing key, or a contradiction between keys
        source = paths.shown(file_of(profile))
        names = f"{source} with {', '.join(replaced)} replaced" if replaced else source
        raise ParamsError(str(error).replace("Params", names, 1)) from None


def _stated(file: Path, below: tuple[Path, ...] = ()) -> dict[str, tuple[Any, str]]:
    """What a file and those that it extends state: key -> (value, file)."""
    source = paths.shown(file)
    if any(file.samefile(other) for other in below):
        circle = " extends ".join(paths.shown(one) for one in [*below, file])
        raise ParamsError(f"{circle}: a circle; allowed: a profile that does not extend itself")
    values = read_yaml(file)
    inherited: dict[str, tuple[Any, str]] = {}
    if "extends" in values:
        parent = values.pop("extends")
        if not isinstance(parent, str):
            raise ParamsError(f"{source}: extends = {shown(parent)} is not allowed; allowed: the name of a profile")
        inherited = _stated(file_of(parent, file.parent, f"{source}: extends: "), (*below, file))
    return inherited | {name: (value, source) for name, value in _checked(values, source).items()}


_QUOTED = r"""\"(?:\\.|[^\"\\])*\"|'(?:''|[^'])*'"""
_ASSIGNMENT = re.compile(rf"""([^\s=]+)=({_QUOTED}|\[(?:{_QUOTED}|[^]"'])*\]|\S*)(?:\s+|$)""")


def parse_overrides(text: str) -> dict[str, Any]:
    """make's SET: `beta=5e-4 learning_rates=[0.1, 0.2] system_prompt="Be brief"`, each value read as in a profile."""
    overrides: dict[str, Any] = {}
    text = text.strip()
    while text:
        if (match := _ASSIGNMENT.match(text)) is None:
            raise ParamsError(
                f"SET: {shown(text.split()[0])} has no '='; allowed: key=value, text with blanks in quotes"
            )
        name, text = match[1], text[match.end() :]
        _known(name, "SET")
        if name in overrides:
            raise ParamsError(f"SET: key {name!r} is given twice; allowed: once")
        overrides |= _checked({name: parse_yaml(match[2], f"SET: {name}")}, "SET")
    return overrides


CHANGED = ("beta", "num_train_epochs", "n_pairs")
"""Parameters that an entry of `harsh_changes` may set."""


def changes_of(text: str) -> dict[str, Any]:
    """An entry of `harsh_changes`, written as make's SET: "num_train_epochs=8 beta=0.01"; "" changes nothing."""
    allowed = f"each entry empty, or one or more of {', '.join(f'{name}=...' for name in CHANGED)}"
    try:
        changes = parse_overrides(text)
    except ParamsError as error:
        raise ValueError(f"{allowed} ({error})") from None
    if not changes.keys() <= set(CHANGED) or None in changes.values():
        raise ValueError(f"{allowed} (found {shown(text)})")
    return changes


def as_overrides(value: Any, /) -> dict[str, Any]:
    """The `overrides` of a notebook: a dict of parameters, or their text as in make's SET. ParamsError otherwise."""
    if isinstance(value, str):
        return parse_overrides(value)
    if not isinstance(value, Mapping):
        raise ParamsError(f"overrides = {shown(value)} is not allowed; allowed: a dict such as {{'beta': 0.05}}")
    return _checked(value, "override")


def _known(name: Any, source: str) -> None:
    if not isinstance(name, str) or name not in Params.model_fields:
        hint = nearest(name, Params.model_fields) or f" (allowed: {', '.join(Params.model_fields)})"
        raise ParamsError(f"{source}: unknown key {shown(name)}{hint}")


def _checked(values: Mapping[Any, Any], source: str) -> dict[str, Any]:
    """The values as the schema holds them, or ParamsError."""
    checked = {}
    for name, value in values.items():
        _known(name, source)
        try:
            checked[name] = _adapter(name).validate_python(value)
        except ValidationError as error:
            raise ParamsError(f"{source}: {name} = {shown(value)} is not allowed{_why(name, value, error)}") from None
    return checked


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    """What checks one key."""
    field = Params.model_fields[name]
    return TypeAdapter(Annotated[field.annotation, field], config=Params.model_config)


_IN_OUR_WORDS = {
    "Input should be ": "",
    "String should match pattern": "text matching",
    "Value error, ": "",
    "a valid number": "a number",
    "a valid tuple": "a list",
    "a valid boolean": "true or false",
    "a valid integer": "a whole number",
    "a valid string": "text",
}


def _why(name: str, value: Any, error: ValidationError) -> str:
    """How the wrong value may have come about, and what is allowed."""
    choices = [choice for choice in get_args(Params.model_fields[name].annotation) if isinstance(choice, str)]
    allowed = f"one of {', '.join(choices)}" if choices else error.errors()[0]["msg"]
    for theirs, ours in _IN_OUR_WORDS.items():
        allowed = allowed.replace(theirs, ours)
    hint = " (nothing is written there)" if value is None else nearest(value, choices)
    if allowed == "text" and isinstance(value, int | float):
        hint = " (a number loses its zeros: write it in quotes)"
    return f"{hint}; allowed: {allowed}"


@command()
def main(arguments: Sequence[str] | None = None) -> int:
    options = parser_of("ifpref.params", "All parameters, and where each is from.", study=True).parse_args(arguments)
    replaced = parse_overrides(options.set)
    params, stated = load_params(options.profile, **replaced), _stated(file_of(options.profile))
    sources = {name: source for name, (_, source) in stated.items()} | dict.fromkeys(replaced, "SET")
    for name, value in params.model_dump().items():
        source = sources.get(name, "the schema's default")
        print(f"{f'{name}: {json.dumps(value)}':40}  # {source}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
