"""Attention over packed rows, as transformers calls it: by the varlen kernel on a GPU, segment by segment elsewhere.

Imports no torch: it is handed in by `local_models`, the one file that does.
"""

import contextlib
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from app.pm.packing import Packed
from app.pm.scorer import PackingUnfit


class PackedAttention:
    """Attention over a packed row: every segment causally to itself and to the prefix that it shares."""

    def __init__(self, torch: Any, varlen_attn: Callable[..., Any] | None) -> None:
        self._torch = torch
        self._attend = torch.nn.functional.scaled_dot_product_attention
        self._varlen_attn = varlen_attn
        self._takes = () if varlen_attn is None else tuple(inspect.signature(varlen_attn).parameters)
        self._row: Packed | None = None
        self._masks: dict[tuple[int, int], Any] = {}
        self._tensors: tuple[Any, Any, Any, int, int] | None = None

    @contextlib.contextmanager
    def laid(self, row: Packed, device: Any) -> Iterator[None]:
        """Attend by the segments of this row."""
        self._row = row
        if self._varlen_attn is not None:
            queries, keys = row.query_bounds, row.key_bounds
            parts = [self._torch.from_numpy(part).to(device) for part in (row.keys, queries, keys)]
            self._tensors = (*parts, int(np.diff(queries).max()), int(np.diff(keys).max()))
        try:
            yield
        finally:
            self._row, self._tensors, self._masks = None, None, {}

    def __call__(
        self, _module: Any, query: Any, key: Any, value: Any, _mask: Any = None, **given: Any
    ) -> tuple[Any, None]:
        """Return what each token attends to: (1, heads, T, width) in, (1, T, heads, width) out."""
        row = self._row
        if row is None or given.get("softcap") is not None or given.get("s_aux") is not None:
            raise PackingUnfit("its attention is of a kind that packing does not know")
        window = given.get("sliding_window")
        if window is not None and int(np.diff(row.key_bounds).max()) > window:
            raise PackingUnfit(f"it attends within a window of {window} tokens, and this batch is longer")
        scale = given.get("scaling")
        fits = self._tensors is not None and query.dtype in {self._torch.float16, self._torch.bfloat16}
        return (self._varlen(query, key, value, scale) if fits else self._looped(row, query, key, value, scale)), None

    def _varlen(self, query: Any, key: Any, value: Any, scale: float | None) -> Any:
        at, queries, keys, most_queries, most_keys = self._tensors or ()  # type: ignore[misc]
        wide = [part[0].transpose(0, 1) for part in (query, key, value)]
        causal = {"window_size": (-1, 0)} if "window_size" in self._takes else {"is_causal": True}
        shared = {"enable_gqa": query.shape[1] != key.shape[1]} if "enable_gqa" in self._takes else {}
        assert self._varlen_attn is not None
        attended = self._varlen_attn(
            wide[0].contiguous(), wide[1][at], wide[2][at], queries, keys, most_queries, most_keys,
            scale=scale, **causal, **shared,
        )  # fmt: skip
        return attended[None]

    def _looped(self, row: Packed, query: Any, key: Any, value: Any, scale: float | None) -> Any:
        repeats = query.shape[1] // key.shape[1]
        if repeats > 1:
            key, value = key.repeat_interleave(repeats, dim=1), value.repeat_interleave(repeats, dim=1)
        parts = []
        for s in row.segments:
            asked, own = query[:, :, s.start : s.stop], (key[:, :, s.start : s.stop], value[:, :, s.start : s.stop])
            if not s.shared:
                parts.append(self._attend(asked, *own, is_causal=True, scale=scale))
                continue
            before = slice(s.prefix, s.prefix + s.shared)
            k = self._torch.cat([key[:, :, before], own[0]], dim=2)
            v = self._torch.cat([value[:, :, before], own[1]], dim=2)
            mask = self._mask(s.stop - s.start, s.shared, query.device)
            parts.append(self._attend(asked, k, v, attn_mask=mask, scale=scale))
        return self._torch.cat(parts, dim=2).transpose(1, 2).contiguous()

    def _mask(self, n_queries: int, shared: int, device: Any) -> Any:
        """Let query i see the prefix and the keys up to its own; made once a batch, not once a layer."""
        mask = self._masks.get((n_queries, shared))
        if mask is None:
            mask = self._torch.ones(n_queries, shared + n_queries, dtype=self._torch.bool, device=device).tril(shared)
            self._masks[n_queries, shared] = mask
        return mask
