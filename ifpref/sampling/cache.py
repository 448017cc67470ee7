"""Keys and values of what a model has read: of single prefixes, and of the rows that are being decoded.

    first, second = read_prefixes(model, [prefix, other])                    # one forward pass
    rows = RowCache([(first,)] * 3 + [(second,)], spare=64)                  # four rows, 64 tokens each to come
    model(input_ids=tokens, attention_mask=rows.attention_mask, past_key_values=rows.cache, ...)
    rows.keep([0, 3])                                                        # rows 1 and 2 have ended

Decisions
- *One buffer* holds keys and values of all layers. All rows end at the same column (padding left) and a step writes the
  next one in place, where transformers' DynamicCache copies everything at every step. When rows leave, the last ones
  move to their places; nothing else is touched.
- *Masks are ours*, four-dimensional and additive: transformers passes them on as they are, and builds none.
- *Blocks*: rows of a search have prefixes of all lengths, and attention costs what the longest does. On a CPU, where it
  waits for memory, it is computed in blocks of rows (longest first), each from the first column that one of it needs.
- All this is for models whose every layer attends to everything, with sdpa or eager attention (`is_plain`). For others
  (sliding windows, linear attention, flash attention) `HubCache` leaves both to transformers, at its speed.
"""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

import torch
from transformers import AttentionInterface, DynamicCache
from transformers.cache_utils import Cache, DynamicLayer
from transformers.integrations.sdpa_attention import sdpa_attention_forward

Pieces = tuple[torch.Tensor, ...]
"""Keys and values of one prefix, in pieces that follow each other: (layers, 2, heads, tokens, head_dim)."""

Block = tuple[slice, int]
"""Rows, and the first column that one of them may look at."""

BLOCKS, LEAST_SAVING = 8, 0.05
"""Most blocks, and the share of columns that they must save; measured: a search takes 7 to 10 % less time."""


def is_plain(model: Any) -> bool:
    """Whether every layer is full attention that takes an additive mask, so that `RowCache` can hold it."""
    config = model.config.get_text_config(decoder=True)
    layers = DynamicCache(config=model.config).layers
    return config._attn_implementation in ("sdpa", "eager") and all(type(layer) is DynamicLayer for layer in layers)


def forward(
    model: Any, ids: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor, cache: Any, blocks: Sequence[Block] = ()
) -> torch.Tensor:
    """The logits (B, V) after the last column of ids (B, T); blocks: only within `in_blocks`."""
    return model(
        input_ids=ids,
        attention_mask=mask,
        position_ids=positions,
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
        **({"blocks": blocks} if blocks else {}),
    ).logits[:, -1]


def attend_in_blocks(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor,
    scaling: float | None = None,
    blocks: Sequence[Block] = (),
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """transformers' own attention, of each block by itself; of all rows at once, where there are no blocks."""
    if not blocks:
        return sdpa_attention_forward(module, query, key, value, mask, scaling=scaling, **kwargs)
    parts = [
        sdpa_attention_forward(
            module,
            query[rows],
            key[rows, :, start:],
            value[rows, :, start:],
            mask[rows, ..., start:],
            scaling=scaling,
            **kwargs,
        )[0]
        for rows, start in blocks
    ]
    return torch.cat(parts), None


@contextmanager
def in_blocks(model: Any, plain: bool) -> Iterator[None]:
    """Within it, a plain model on a CPU, with sdpa attention, can attend in blocks; the model is left as it was."""
    config = model.config.get_text_config(decoder=True)
    before = config._attn_implementation
    if plain and before == "sdpa" and model.device.type == "cpu":
        AttentionInterface.register("sdpa_in_blocks", attend_in_blocks)
        config._attn_implementation = "sdpa_in_blocks"
    try:
        yield
    finally:
        config._attn_implementation = before


def read_prefixes(model: Any, prefixes: Sequence[tuple[int, ...]]) -> list[torch.Tensor]:
    """Keys and values of each prefix, (layers, 2, heads, tokens, head_dim); those of like length in one pass."""
    found = {}
    for alike in _of_like_length(prefixes):
        ids, real, positions = left_padded(alike, model.device)
        width = ids.shape[1]
        causal = torch.ones(width, width, dtype=torch.bool, device=ids.device).tril()
        allowed = real[:, None] & causal  # (P, T, T)
        cache = DynamicCache(config=model.config)
        forward(model, ids, additive(allowed, model.dtype), positions, cache)
        kv = torch.stack([torch.stack([layer.keys, layer.values]) for layer in cache.layers])
        found |= {prefix: kv[:, :, row, :, width - len(prefix) :] for row, prefix in enumerate(alike)}
    return [found[prefix] for prefix in prefixes]


def _of_like_length(prefixes: Sequence[tuple[int, ...]]) -> Iterator[list[tuple[int, ...]]]:
    """Longest first, in groups within a quarter (and four) of their longest: little padding, few passes."""
    group: list[tuple[int, ...]] = []
    for prefix in sorted(prefixes, key=len, reverse=True):
        if group and len(prefix) < 0.75 * len(group[0]) - 4:
            yield group
            group = []
        group.append(prefix)
    if group:
        yield group


def left_padded(prefixes: Sequence[Sequence[int]], device: torch.device) -> tuple[torch.Tensor, ...]:
    """Token ids, 0 where there is none; which are real; and the position of each: (P, T), the second of bool."""
    width = max(map(len, prefixes))
    ids = torch.tensor([[0] * (width - len(prefix)) + list(prefix) for prefix in prefixes], device=device)
    lengths = torch.tensor([len(prefix) for prefix in prefixes], device=device)
    real = torch.arange(width, device=device) >= width - lengths[:, None]
    return ids, real, (real.cumsum(dim=-1) - 1).clamp(min=0)


def additive(allowed: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """(B, T, columns) bool to (B, 1, T, columns): 0 where allowed, else the least number.

    Not -inf: the softmax of a padding row, which may look at nothing, must stay a number.
    """
    mask = torch.zeros(allowed.shape, dtype=dtype, device=allowed.device)
    return mask.masked_fill_(~allowed, torch.finfo(dtype).min)[:, None]


class Kept:
    """Keys and values of what was read and sampled, by random stream: what its later requests begin with.

    A response has those of its prompt, kept once for all of them, and its own. What does not fit into `room` bytes any
    more is not kept; then it is read again, so that a small room costs time and nothing else.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self._known: dict[str, list[tuple[tuple[int, ...], Pieces]]] = {}

    def add(self, stream: str, ids: tuple[int, ...], pieces: Pieces) -> None:
        """The last piece is copied, the others are kept already."""
        size = pieces[-1].numel() * pieces[-1].element_size()
        if size <= self.room:
            self.room -= size
            self._known.setdefault(stream, []).append((ids, (*pieces[:-1], pieces[-1].clone())))

    def find(self, stream: str, ids: tuple[int, ...]) -> Pieces | None:
        """Of all of these tokens, where a kept sequence begins with them."""
        for known, pieces in self._known.get(stream, ()):
            if known[: len(ids)] == ids:
                return _cut(pieces, len(ids))
        return None


def _cut(pieces: Pieces, tokens: int) -> Pieces:
    """Those of the first tokens."""
    first = []
    for piece in pieces:
        first.append(piece[:, :, :, :tokens])
        tokens = max(tokens - piece.shape[3], 0)
    return tuple(first)


class RowCache:
    """Keys and values of the rows being decoded, with columns to spare.

    kv       (layers, 2, rows, heads, columns, head_dim); a prefix that several rows have stands in `prefixes` for each
    allowed  which columns of the window that is in use a row may look at, (rows, columns) bool
    buffer   an earlier cache that is no longer used, whose memory may be
    """

    def __init__(self, prefixes: Sequence[Pieces], spare: int, buffer: Self | None = None) -> None:
        lengths = [sum(piece.shape[3] for piece in pieces) for pieces in prefixes]
        self._first = [pieces[0] for pieces in prefixes]
        filled, like = max(lengths), prefixes[0][0]
        layers, _, heads, _, dim = like.shape
        shape = (layers, 2, len(prefixes), heads, filled + spare, dim)
        size, held = torch.Size(shape).numel(), buffer.memory.numel() if buffer else 0
        more = size + size // 2 if held else size  # rows that grow from round to round find room for some time
        self.memory = buffer.memory if size <= held else like.new_zeros(more)  # zeros: what is masked must be a number
        self.kv = self.memory[:size].view(shape)
        rows_of: dict[int, list[int]] = {}
        for row, pieces in enumerate(prefixes):
            rows_of.setdefault(id(pieces), []).append(row)
        for rows in rows_of.values():
            end = filled
            for piece in reversed(prefixes[rows[0]]):
                self.kv[:, :, rows, :, end - piece.shape[3] : end] = piece[:, :, None]
                end -= piece.shape[3]
        self._open(lengths, filled)

    def _open(self, lengths: Sequence[int], filled: int) -> None:
        """Shows transformers the first rows, from the first column that one of them needs."""
        window = self.kv[:, :, : len(lengths), :, filled - max(lengths) :]
        starts = max(lengths) - torch.tensor(lengths, device=window.device)
        self._lengths, self._end = lengths, filled
        self.allowed = torch.arange(window.shape[4], device=window.device) >= starts[:, None]
        self._mask = additive(self.allowed[:, None], window.dtype)  # (rows, 1, 1, columns)
        self.cache = Cache(layers=[_Layer(keys, values, max(lengths)) for keys, values in window])
        self.blocks = _blocks(lengths) if window.device.type == "cpu" else []

    def keep(self, rows: Sequence[int]) -> None:
        """Row i becomes what row rows[i] is; rows that stay where they are cost nothing."""
        added = self.cache.get_seq_length() - max(self._lengths)
        filled, lengths = self._end + added, [self._lengths[row] + added for row in rows]
        if moves := [(row, place) for place, row in enumerate(rows) if row != place]:
            start = filled - max(lengths[place] for _, place in moves)
            moved = self.kv[:, :, [row for row, _ in moves], :, start:filled]
            self.kv[:, :, [place for _, place in moves], :, start:filled] = moved
        self._first = [self._first[row] for row in rows]
        self._open(lengths, filled)

    def pieces(self, row: int, tokens: int) -> Pieces:
        """A row's first tokens: what its prefix began with, and a view of what follows."""
        first, start = self._first[row], self._end - self._lengths[row]
        return first, self.kv[:, :, row, :, start + first.shape[3] : start + tokens]

    @property
    def attention_mask(self) -> torch.Tensor:
        """For the next token of every row: (rows, 1, 1, columns read + 1)."""
        return self._mask[..., : self.cache.get_seq_length() + 1]


def _blocks(lengths: Sequence[int]) -> list[Block]:
    """Blocks of eight rows and more, as many as there may be; none where they would save little."""
    count = min(BLOCKS, len(lengths) // 8)
    edges = [len(lengths) * i // count for i in range(count + 1)] if count > 1 else []
    found = [slice(begin, end) for begin, end in itertools.pairwise(edges)]
    columns = sum((rows.stop - rows.start) * max(lengths[rows]) for rows in found)
    if columns > (1 - LEAST_SAVING) * len(lengths) * max(lengths):
        return []
    return [(rows, max(lengths) - max(lengths[rows])) for rows in found]


class _Layer(DynamicLayer):
    """One layer's view of a `RowCache`; new keys and values go into the next columns."""

    def __init__(self, keys: torch.Tensor, values: torch.Tensor, filled: int) -> None:
        super().__init__()
        self.keys, self.values, self.filled = keys, values, filled
        self.dtype, self.device, self.is_initialized = keys.dtype, keys.device, True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        column = self.filled
        self.filled += key_states.shape[2]
        self.keys[:, :, column : self.filled] = key_states
        self.values[:, :, column : self.filled] = value_states
        return self.keys[:, :, : self.filled], self.values[:, :, : self.filled]

    def get_seq_length(self) -> int:
        return self.filled


class HubCache:
    """The same for any model: transformers' own cache, and masks in two dimensions that it makes its own from."""

    def __init__(self, cache: Cache, real: torch.Tensor, spare: int) -> None:
        self.cache, self.blocks = cache, []
        self.allowed = torch.nn.functional.pad(real, (0, spare), value=True)  # (rows, columns)

    @classmethod
    def read(
        cls, model: Any, prefixes: Sequence[tuple[int, ...]], row_prefix: Sequence[int], spare: int
    ) -> tuple[Self, torch.Tensor]:
        """Reads the prefixes; row i has prefix row_prefix[i]. The logits (P, V) after each prefix."""
        ids, real, positions = left_padded(prefixes, model.device)
        cache = DynamicCache(config=model.config)
        logits = forward(model, ids, real, positions, cache)
        rows = cls(cache, real, spare)
        rows.keep(row_prefix)
        return rows, logits

    def keep(self, rows: Sequence[int]) -> None:
        index = torch.tensor(rows, device=self.allowed.device)
        self.cache.reorder_cache(index)
        self.allowed = self.allowed.index_select(0, index)

    @property
    def attention_mask(self) -> torch.Tensor:
        """For the next token of every row: (rows, columns read + 1)."""
        return self.allowed[:, : self.cache.get_seq_length() + 1]
