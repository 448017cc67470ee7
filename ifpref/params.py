"""Parameters: one flat YAML file per profile in params/, every key typed, documented and checked.

The frozen dataclass `Params` is the schema. Adding a key is one line in it and one line in each YAML file:

    beta: float = key("strength of the pull towards the base in DPO", above=0)

    beta: 0.1   # strength of the pull towards the base in DPO

Decisions: a profile holds every key, so that a file shows all that a run depends on; a `Params` cannot be
built with a value that is not allowed, by whatever road (`dataclasses.replace` too); lists become tuples, and
whole numbers where a float is asked for become floats, so that 1 and 1.0 give one fingerprint. Whether
`transfer_ids` are known constraints is checked where constraints are known, in the prompts stage.

    python -c "from ifpref.params import *; print(load_params('smoke', **parse_overrides('seed=3')))"
"""

import dataclasses
import difflib
import hashlib
import json
import math
import re
import shlex
import types
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from ifpref import paths


class ParamsError(ValueError):
    """A parameter that cannot be used; the message names file, key, value and what is allowed."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows of it: the message, without forty lines of code that the reader did not write."""
        return [f"{type(self).__name__}: {self}"]


def key(
    doc: str,
    *,
    default: Any = dataclasses.MISSING,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    matches: str | None = None,
) -> Any:
    """One field of the schema. Bounds and pattern hold for the value, or for each element of a list.

    Choices are written as the type: `Literal["open", "pocket"]`. A value that may be absent: `int | None`.
    """
    limits = {"at least": at_least, "above": above, "at most": at_most, "matching": matches}
    limits = {name: limit for name, limit in limits.items() if limit is not None}
    return dataclasses.field(default=default, metadata={"doc": doc, "limits": limits})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Params:
    seed: int = key("every random draw of a run derives from it", at_least=0)
    # model
    model: str = key("pocket, a folder with safetensors, or a hub id such as owner/name", matches=r"\S+")
    revision: str | None = key("commit, branch or tag of a hub model; null: its default branch", matches=r"\S+")
    dtype: Literal["float32", "bfloat16"] = key("of the base's weights")
    device: Literal["auto", "cpu", "cuda"] = key("auto: GPUs where there are any")

    # study
    n_replicates: int = key("independent repetitions: prompts, samples, pairs and training drawn again", at_least=1)
    comparisons: tuple[str, ...] = key("what is compared with what, see ifpref/design.py", matches="[a-z_]+")
    learning_rates: tuple[float, ...] = key("grid of peak rates: for tuning, and for stability (C2)", above=0)
    n_tuning_replicates: int = key("replicates that choose each arm's rate on dev; 0: all at learning_rate", at_least=0)
    n_pass_rate_responses: int = key("responses that a prompt's pass rate is measured by", at_least=1)

    # prompts
    domain: Literal["open", "pocket"] = key("the world that prompts speak of: open English, or the pocket model's")
    constraint_set: Literal["study", "ifeval"] = key("23 constraint ids (study), or all 25 of IFEval (ifeval)")
    n_train_prompts: int = key("prompts that pairs are made from", at_least=1)
    n_dev_prompts: int = key("prompts that choose learning rate, beta and thresholds", at_least=1)
    n_test_prompts: int = key("held-out prompts that results are read from, once", at_least=1)
    n_transfer_prompts: int = key("test prompts that hold at least one id of transfer_ids", at_least=0)
    min_constraints: int = key("fewest constraints in a prompt", at_least=1, at_most=6)
    max_constraints: int = key("most constraints in a prompt", at_least=1, at_most=6)
    easy_max_constraints: int = key("a prompt with at most this many is easy", at_least=1, at_most=6)
    moderate_max_constraints: int = key("above easy, at most this many: moderate; more: hard", at_least=1, at_most=6)
    transfer_ids: tuple[str, ...] = key(
        "constraint ids left out of training in the transfer arm",
        default=("startend:quotation", "keywords:forbidden_words", "detectable_format:number_bullet_lists"),
        matches="[a-z_]+:[a-z_]+",
    )

    # sampling
    temperature: float = key("what responses and trees are sampled at; 0 is greedy", at_least=0)
    top_p: float = key("the smallest set of tokens of this mass is sampled from; 1: all tokens", above=0, at_most=1)
    max_tokens: int = key("most tokens of a response", at_least=1)
    sampling_batch_size: int = key("responses decoded together; halved where memory runs out", at_least=1)
    engine: Literal["transformers", "batching", "http"] = key("what samples; http: all but the evaluation of policies")
    engine_url: str | None = key("of a server for engine: http, such as http://localhost:8000", matches=r"https?://\S+")
    system_prompt: str | None = key("message before every prompt; null: none", matches=r"(?s).+")
    thinking_end: str | None = key("token that ends a thinking block, such as </think>; null: none", matches=r"\S+")
    stop_strings: tuple[str, ...] = key("the text that is verified ends before the first of them", matches=r"(?s).+")

    # responses and trees
    n_responses: int = key("responses to each prompt, of rejection sampling and of a search tree alike", at_least=2)
    shard_prompts: int = key("prompts written together: what a killed run repeats at most", at_least=1)
    mcts_boundary: Literal["sentence", "tokens"] = key("where the segments end that become nodes of a tree")
    mcts_segment_tokens: int = key("tokens of a segment, where mcts_boundary is `tokens`", at_least=1)
    mcts_max_depth: int = key("most segments in a response; what follows is one segment", at_least=2)
    mcts_min_novelty: float = key("no more samples where a new child is less likely", at_least=0, at_most=1)
    mcts_patience: int = key("no more samples from a node after so many in a row made no new child", at_least=1)
    mcts_c_puct: float = key("exploration constant of PUCT, in units of the score", at_least=0)
    mcts_fpu_reduction: float = key("first-play urgency: a new child is worth its parent's value less this", at_least=0)
    mcts_widening: float = key("k: new children while fewer than k * visits ** exponent", at_least=0)
    mcts_widening_exponent: float = key("exponent of progressive widening, see mcts_widening", at_least=0, at_most=1)
    mcts_root_children: int = key("most children that are sampled for at the root", at_least=1)
    mcts_children: int = key("most children that are sampled for at other nodes", at_least=1)

    # pairs
    n_pairs: int | None = key("pairs of each arm compared; null: as many as the smallest arm has", at_least=1)
    min_high_gap: float = key("pairs of `high` differ in score by this or more", above=0, at_most=1)
    max_low_gap: float = key("pairs of `low` and `low_imperfect` differ in score by this or less", above=0, at_most=1)
    chosen_quality: Literal["best", "perfect"] = key("chosen of `high` and `low`: the best there is, or perfect only")
    unshared_length_tolerance: float = key("`mcts_unshared`: a match's length may differ by this share", at_least=0)
    unshared_max_prefix: int = key("`mcts_unshared`: most tokens that a pair may share", at_least=0)

    # evaluation
    sampled_comparisons: tuple[str, ...] = key("comparisons also evaluated at temperature 1", matches="[a-z_]+")
    n_sampled: int = key("responses to each prompt at temperature 1", at_least=1)
    ifeval: bool = key("evaluate base and policies on IFEval's 541 prompts too, greedy")

    # statistics
    confidence: float = key("of intervals; a claim is tested at 1 less this", above=0.5, at_most=0.999)
    equivalence_margin: float = key("percentage points: an effect whose interval lies inside is equivalent", above=0)

    # training, by the names of trl and peft
    loss_type: Literal["sigmoid", "sigmoid_norm", "robust", "hinge", "ipo", "exo_pair"] = key("the DPO loss, as in trl")
    beta: float = key("strength of the pull towards the base in DPO", above=0)
    label_smoothing: float = key("share of labels taken to be wrong: robust and exo_pair only", at_least=0, at_most=0.5)
    learning_rate: float = key("peak learning rate of AdamW", above=0)
    lr_scheduler_type: Literal["constant", "linear", "cosine", "constant_with_warmup"] = key("course of the rate")
    warmup_steps: float = key("steps of linear warm-up; below 1: a share of all steps", at_least=0)
    max_grad_norm: float = key("gradients are scaled down to this norm", above=0)
    num_train_epochs: float = key("passes over the pairs, rounded up to whole batches", above=0)
    per_device_train_batch_size: int = key("pairs computed together on one device: memory, not the result", at_least=1)
    gradient_accumulation_steps: int = key("times this: the pairs that one step averages over", at_least=1)
    training_processes: int = key("GPUs that train one arm together: time, not the result", at_least=1)
    max_length: int = key("longest prompt and response in tokens: longer pairs stop the run", at_least=2)
    lora_r: int = key("rank of the adapter", at_least=1)
    lora_alpha: int = key("the adapter's output is scaled by lora_alpha / lora_r", at_least=1)
    lora_dropout: float = key("dropout before the adapter", at_least=0, at_most=0.9)
    lora_target_modules: tuple[str, ...] = key("layers that are adapted: all-linear, or names such as q_proj")
    bf16: bool = key("mixed precision, for GPUs")
    gradient_checkpointing: bool = key("less memory for more time: memory, not the result")
    save_steps: int = key("steps between checkpoints: what a killed run repeats at most", at_least=1)
    divergence_ratio: float = key("a run diverges when a step's loss is this many times the loss at step 0", above=1)

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            object.__setattr__(self, name, _checked(name, value, "Params"))
        for problem in self._contradictions():
            raise ParamsError(f"Params: {problem}")

    def _contradictions(self) -> Iterator[str]:
        """What single keys cannot show."""
        if self.min_constraints > self.max_constraints:
            yield (
                f"min_constraints = {self.min_constraints}, max_constraints = {self.max_constraints}; "
                "allowed: min_constraints <= max_constraints"
            )
        if self.easy_max_constraints >= self.moderate_max_constraints:
            yield (
                f"easy_max_constraints = {self.easy_max_constraints}, "
                f"moderate_max_constraints = {self.moderate_max_constraints}; "
                "allowed: easy_max_constraints < moderate_max_constraints"
            )
        if self.max_low_gap >= self.min_high_gap:
            yield (
                f"max_low_gap = {self.max_low_gap}, min_high_gap = {self.min_high_gap}; "
                "allowed: max_low_gap < min_high_gap"
            )
        if self.engine == "http" and self.engine_url is None:
            yield "engine = http, engine_url = None; allowed: the address of a server, such as http://localhost:8000"
        if self.engine_url is not None and "@" in self.engine_url:  # not shown: there may be a password in it
            yield "engine_url holds a name or a password; allowed: http://host:port, VLLM_API_KEY in the environment"
        if (n_pairs := self.per_device_train_batch_size * self.gradient_accumulation_steps) % self.training_processes:
            yield (
                f"training_processes = {self.training_processes}; allowed: what divides the {n_pairs} pairs of a step "
                "(per_device_train_batch_size * gradient_accumulation_steps)"
            )
        if len(set(self.transfer_ids)) < len(self.transfer_ids):
            yield f"transfer_ids = {list(self.transfer_ids)} names an id twice; allowed: each id once"

    def subset(self, *names: str) -> dict[str, Any]:
        """Only these keys, as a stage takes them: what is not in it cannot change the stage's artefact."""
        for name in names:
            _known(name, "Params.subset")
        return {name: getattr(self, name) for name in names}


FIELDS: Mapping[str, dataclasses.Field] = {field.name: field for field in dataclasses.fields(Params)}
_TYPES = get_type_hints(Params)


def load_params(profile: str | Path, /, **overrides: Any) -> Params:
    """The parameters of a profile ('pocket') or a YAML file, some replaced by `overrides`. ParamsError."""
    path = _file_of(profile)
    source = paths.shown(path)
    given = {name: _checked(name, value, source) for name, value in _read_yaml(path, source).items()}
    replaced = {name: _checked(name, value, "override") for name, value in overrides.items()}
    required = {name for name, field in FIELDS.items() if field.default is dataclasses.MISSING}
    if missing := [name for name in FIELDS if name in required - given.keys() - replaced.keys()]:
        raise ParamsError(
            f"{source}: key {missing[0]!r} is missing ({FIELDS[missing[0]].metadata['doc']}); "
            f"allowed: {_allowed(missing[0])}" + (f"; also missing: {missing[1:]}" if missing[1:] else "")
        )
    try:
        return Params(**{**given, **replaced})
    except ParamsError as error:  # only contradictions between keys are left
        names = f"{source} with {', '.join(replaced)} replaced" if replaced else source
        raise ParamsError(str(error).replace("Params", names, 1)) from None


def profile_name(profile: str | Path, /) -> str:
    """What a profile is called in outputs/: 'pocket', or a YAML file's name without its ending. ParamsError."""
    file = _file_of(profile)
    if not paths.is_profile_name(file.stem):
        raise ParamsError(f"{paths.shown(file)}: {file.stem!r} cannot be the folder of its results")
    return file.stem


def profiles() -> list[str]:
    """The names of params/*.yaml."""
    return sorted(path.stem for path in paths.params_folder().glob("*.yaml"))


def parse_overrides(text: str) -> dict[str, Any]:
    """make's SET: `beta=0.05 seed=3`, each value read as YAML (`transfer_ids=[a:b,c:d]`) and checked."""
    overrides: dict[str, Any] = {}
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ParamsError(f"SET: {text!r}: {error}; allowed: key=value, separated by blanks") from None
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise ParamsError(f"SET: {word!r} has no '='; allowed: key=value, separated by blanks")
        _known(name, "SET")
        if name in overrides:
            raise ParamsError(f"SET: key {name!r} is given twice; allowed: once")
        overrides[name] = _checked(name, _parse_yaml(value, f"SET: {name}"), "SET")
    return overrides


def fingerprint(value: Any) -> str:
    """sha256 (64 hex digits) of a `Params` or a JSON value, whatever the key order, machine or Python."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def canonical_json(value: Any) -> str:
    """One text per value: keys sorted, ASCII, floats by repr, no blanks; tuples are lists.

    ParamsError names the place of what JSON has no faithful text for: NaN, infinity, keys that are not text,
    objects.
    """
    value = dataclasses.asdict(value) if isinstance(value, Params) else value
    return json.dumps(_plain(value, ""), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _plain(value: Any, place: str) -> Any:
    if isinstance(value, Mapping):
        for name in value:
            if not isinstance(name, str):
                raise ParamsError(f"{place or 'value'}: key {name!r} is no text; allowed: text")
        return {name: _plain(inner, f"{place}.{name}".lstrip(".")) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner, f"{place}[{i}]") for i, inner in enumerate(value)]
    if value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise ParamsError(f"{place or 'value'} = {value!r} cannot be fingerprinted; allowed: JSON values, finite numbers")


# ---- checks


def _known(name: Any, source: str) -> None:
    if name not in FIELDS:
        near = difflib.get_close_matches(str(name), FIELDS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"allowed: {', '.join(FIELDS)}"
        raise ParamsError(f"{source}: unknown key {name!r} ({hint})")


def _checked(name: str, value: Any, source: str) -> Any:
    """The value as the schema holds it, or ParamsError."""
    _known(name, source)
    try:
        return _converted(value, _TYPES[name], FIELDS[name].metadata["limits"])
    except ParamsError as error:
        raise ParamsError(f"{source}: {name} = {value!r} is not allowed{error}; allowed: {_allowed(name)}") from None


def _converted(value: Any, kind: Any, limits: Mapping[str, Any]) -> Any:
    """ParamsError holds a hint, or nothing: `_checked` says the rest."""
    if get_origin(kind) is Literal:
        if isinstance(value, str) and value in get_args(kind):
            return value
        near = difflib.get_close_matches(value, get_args(kind), n=1) if isinstance(value, str) else ()
        raise ParamsError(f" (did you mean {near[0]!r}?)" if near else _hint(value, str))
    if get_origin(kind) in (Union, types.UnionType):  # X | None
        return None if value is None else _converted(value, get_args(kind)[0], limits)
    if get_origin(kind) is tuple:
        if not isinstance(value, list | tuple):
            raise ParamsError(_hint(value, kind))
        return tuple(_converted(inner, get_args(kind)[0], limits) for inner in value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool) and abs(value) <= 2**53:
        value = float(value)  # beyond 2**53 not every whole number is a float
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ParamsError(_hint(value, kind))
    if kind is float and not math.isfinite(value):
        raise ParamsError()
    within = {"at least": lambda x: value >= x, "above": lambda x: value > x, "at most": lambda x: value <= x}
    within["matching"] = lambda pattern: re.fullmatch(pattern, value)
    if not all(within[limit](bound) for limit, bound in limits.items()):
        raise ParamsError()
    return value


def _hint(value: Any, kind: Any) -> str:
    """Why a value of the wrong type may have come about in YAML."""
    if value is None:
        return " (nothing is written there)"
    if isinstance(value, bool) and kind is str:
        return " (YAML reads yes, no, on and off as true and false: write it in quotes)"
    if isinstance(value, str) and kind in (int, float):
        return _number_hint(value, kind)
    return ""


def _number_hint(text: str, kind: type) -> str:
    """YAML 1.1 reads 5e-6, 1.0e5 and '3' as text: say how the number is written."""
    try:
        number = float(text)
    except ValueError:
        return ""
    if not math.isfinite(number) or (kind is int and not number.is_integer()):
        return ""
    mantissa, e, exponent = text.strip().lower().replace("_", "").partition("e")
    if kind is int:
        plain = str(int(number))
    elif e:
        plain = f"{mantissa}{'' if '.' in mantissa else '.0'}e{int(exponent):+d}"
    else:
        plain = mantissa
    return f" (YAML reads it as text: write {plain})"


def _allowed(name: str) -> str:
    kind, limits = _TYPES[name], FIELDS[name].metadata["limits"]
    nothing = ""
    if get_origin(kind) in (Union, types.UnionType):
        kind, nothing = get_args(kind)[0], ", or null"
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(get_args(kind)) + nothing
    nouns = {bool: "true or false", int: "a whole number", float: "a finite number", str: "text"}
    noun = f"a list, each {nouns[get_args(kind)[0]]}" if get_origin(kind) is tuple else nouns[kind]
    bounds = " and ".join(f"{limit} {bound}" for limit, bound in limits.items())
    return noun + (f", {bounds}" if bounds else "") + nothing


# ---- files


def _file_of(profile: str | Path) -> Path:
    """'pocket' -> params/pocket.yaml; a Path, or text with a suffix or a folder, is a file."""
    text = str(profile)
    is_file = isinstance(profile, Path) or text.endswith((".yaml", ".yml")) or Path(text).name != text
    path = Path(profile) if is_file else paths.params_folder() / f"{text}.yaml"
    if not path.is_file():
        near = difflib.get_close_matches(text, profiles(), n=1)
        raise ParamsError(
            f"{paths.shown(path)}: no such file"
            + (f" (did you mean {near[0]!r}?)" if near else "")
            + f"; allowed: a YAML file, or one of the profiles {', '.join(profiles())}"
        )
    return path


def _read_yaml(path: Path, source: str) -> dict[str, Any]:
    values = _parse_yaml(path.read_bytes(), source)
    if values is None:
        raise ParamsError(f"{source}: the file is empty; allowed: one 'key: value' a line")
    if not isinstance(values, dict):
        raise ParamsError(f"{source}: holds a {type(values).__name__}; allowed: one 'key: value' a line")
    return values


def _parse_yaml(text: str | bytes, source: str) -> Any:
    import yaml

    class Loader(yaml.SafeLoader):  # PyYAML takes the last of two equal keys in silence
        def construct_mapping(self, node, deep=False):
            names = [child.value for child, _ in node.value]
            for name in _repeated(names):
                raise ParamsError(f"{source}: key {name!r} is given twice; allowed: once")
            return super().construct_mapping(node, deep)

    try:
        return yaml.load(text, Loader)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: an impossible date
        if isinstance(error, ParamsError):
            raise
        raise ParamsError(f"{source}: not YAML: {' '.join(str(error).split())}; allowed: 'key: value'") from None


def _repeated(names: Iterable[Any]) -> list[str]:
    names = [name for name in names if isinstance(name, str)]
    return [name for i, name in enumerate(names) if name in names[:i]]
