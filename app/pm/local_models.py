"""Models on this machine. The one file that imports torch and transformers.

A decoder's score is taken from the hidden state at the last real token, by the attention mask, through its own head in
float32; never from `.logits`, which takes a real EOS for padding where pad and EOS are one token. Padding is on the
right. Packed batches have no padding at all: the attention is told where each sequence begins and which prefix it
shares, so that any model whose attention goes through the interface of transformers can compute them.
"""

import contextlib
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

os.environ.setdefault("TQDM_DISABLE", "1")  # Read when tqdm is imported: bars of the library would break ours.

import torch
import transformers
from torch.nn import functional

from app.errors import CandorError
from app.pm import architecture
from app.pm.backends.chat_tokenizer import parted
from app.pm.checkpoints import refuse_random, refuse_sparse, refuse_two_parts, set_one_score
from app.pm.model_files import ModelFiles
from app.pm.packed_attention import PackedAttention
from app.pm.packing import pack
from app.pm.scorer import Batch, BatchTooLarge, Floats, PackingUnfit, ScoringFailed, Tokens
from app.pm.self_check import ModelUnfit

try:
    from torch.nn.attention.varlen import varlen_attn
except ImportError:
    varlen_attn = None

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_PACKED = "candor_packed"


@dataclass(frozen=True, slots=True)
class Loading:
    """How a model is loaded: as a scorer or a judge, in which numbers, where."""

    files: ModelFiles
    use: Literal["score", "judge"]
    dtype: str
    device: str
    random_allowed: bool = False


@dataclass(frozen=True, slots=True)
class Loaded:
    """A network, its tokenizer, and whether its head is random."""

    network: "Network"
    tokenizer: Any
    random_head: bool
    config: Any
    folder: Path | None


def pick_device(asked: str) -> str:
    """Return the device to use: CUDA where there is one, unless another is asked for.

    Raises
    ------
    ModelUnfit
        When it is neither, or there is no such GPU.
    """
    n = n_devices() if torch.cuda.is_available() else 0
    known = ["cpu", *(["cuda"] if n else []), *(f"cuda:{number}" for number in range(n))]
    if asked == "auto":
        return "cuda" if n else "cpu"
    if asked not in known:
        raise ModelUnfit(
            f"there is no device {asked} on this machine; leave --device out, or give {' or '.join(known)}"
        )
    return asked


def device_name(device: str) -> str:
    """Return what a GPU or the processor calls itself."""
    if device.startswith("cuda"):
        return str(torch.cuda.get_device_name(device))
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        told = ""
    names = [line.partition(":")[2].strip() for line in told.splitlines() if line.startswith("model name")]
    return next(iter(names), "") or platform.processor() or platform.machine()


def n_devices() -> int:
    """Return how many GPUs there are."""
    return int(torch.cuda.device_count())


def load(loading: Loading) -> Loaded:
    """Load a model and its tokenizer.

    Raises
    ------
    ModelUnfit
        When it cannot be loaded, has not exactly one score, or lacks weights that would be drawn at random.
    """
    with _quiet(), _refusing(loading.files.name):
        extra = {"gguf_file": loading.files.gguf} if loading.files.gguf else {}
        tokenizer = transformers.AutoTokenizer.from_pretrained(loading.files.source, **extra)
        config = transformers.AutoConfig.from_pretrained(loading.files.source, **extra)
        refuse_two_parts(config, loading.files.name)
        refuse_sparse(config, loading.files.name)
        if loading.use == "score":
            set_one_score(config, loading.files.name)
            made = transformers.AutoModelForSequenceClassification
        else:
            made = transformers.AutoModelForCausalLM
        model, told = made.from_pretrained(
            loading.files.source, config=config, dtype=DTYPES[loading.dtype], output_loading_info=True, **extra
        )
        model = model.to(loading.device).eval()
    random_head = refuse_random(told, loading.files.name, allowed=loading.random_allowed)
    folder = loading.files.folder or _snapshot(loading.files.source)
    network = Network(model, loading.use)
    return Loaded(network, tokenizer, random_head, config, folder)


def from_config(config: Any, dtype: str, device: str) -> "Network":
    """Return a scorer with random weights, for measuring speed alone."""
    with torch.device(device):
        model = transformers.AutoModelForSequenceClassification.from_config(config, dtype=DTYPES[dtype])
    return Network(model.to(device).eval(), "score")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's warnings and bars off the terminal; what they warn of is checked here."""
    before = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers.logging.set_verbosity(before)


@contextlib.contextmanager
def _refusing(name: str) -> Iterator[None]:
    try:
        yield
    except CandorError:
        raise
    except Exception as error:  # noqa: BLE001 - what a library raises on a damaged file, nobody can list
        # Some libraries say in the first line where, and in the second what.
        reason = " ".join((str(error).strip() or type(error).__name__).splitlines()[:2])
        raise ModelUnfit(
            f"the model {name} cannot be loaded: {reason}; mend or fetch its files again, or choose another model"
        ) from None


def _snapshot(source: str) -> Path | None:
    found = transformers.utils.cached_file(source, "config.json", _raise_exceptions_for_missing_entries=False)
    return Path(found).parent if found else None


class Network:
    """A model that scores token sequences: packed, padded, or alone."""

    def __init__(self, model: Any, use: Literal["score", "judge"]) -> None:
        self.model = model
        self.config = model.config
        self.device = model.device
        self.answers: tuple[int, int] | None = None
        self.window = architecture.window(self.config)
        self._judge = use == "judge"
        self._head = None if self._judge else getattr(model, "score", None)
        self._base = getattr(model, model.base_model_prefix, model)
        self._packing = PackedAttention(torch, varlen_attn if self.device.type == "cuda" else None)
        self._plain = self.config._attn_implementation  # noqa: SLF001 - where transformers keeps it
        self._peak: float | None = None
        self._known = int(model.get_input_embeddings().weight.shape[0])
        self._segmented = not self.causal and architecture.takes_segments(model)

    @property
    def causal(self) -> bool:
        """Whether a score hangs on nothing after the last token, so that prefixes can be shared."""
        return self._judge or self._head is not None

    @property
    def edges(self) -> tuple[int, ...]:
        """The lengths above which every position of a sequence, and of all computed with it, means something else."""
        return architecture.edges(self.config)

    @property
    def reserved(self) -> int:
        """How many of its positions the model never gives to a token."""
        return architecture.reserved(self.model)

    @property
    def attention(self) -> str:
        """How the model attends when batches are padded."""
        return str(self._plain)

    def alone(self, ids: Tokens) -> Floats:
        """Score one sequence as the model does by itself; shape (), of a judge (2,)."""
        result: Floats = self.padded(Batch((ids,), ()))[0]
        return result

    def own(self, ids: Tokens) -> float | None:
        """Return the model's own `.logits` for one sequence; None where it is known to take the wrong token."""
        if self._judge or int(ids[-1]) == self.config.get_text_config().pad_token_id:
            return None
        with torch.inference_mode():
            return float(self.model(**self._given(ids[None])).logits.reshape(-1)[0])

    def padded(self, batch: Batch) -> Floats:
        """Score sequences padded on the right to the longest.

        Raises
        ------
        BatchTooLarge
            When the device has no memory for it.
        """
        lengths = np.array([len(ids) for ids in batch.sequences])
        rows = np.full((len(lengths), lengths.max()), self._pad(), dtype=np.int64)
        for row, ids in zip(rows, batch.sequences, strict=True):
            row[: len(ids)] = ids
        mask = self._tensor(np.arange(lengths.max())[None] < lengths[:, None]).long()
        given = self._given(rows) | {"attention_mask": mask}
        with self._fitting(), torch.inference_mode():
            if not self.causal:
                return _floats(self.model(**given).logits[:, 0])
            at = (torch.arange(len(lengths), device=self.device), mask.sum(1) - 1)
            if self._judge:
                return self._answered(self.model(**given, use_cache=False).logits[at])
            return self._headed(self._base(**given, use_cache=False).last_hidden_state[at])

    @contextlib.contextmanager
    def packing(self) -> Iterator[None]:
        """Let the model attend in packed rows."""
        if architecture.by_place(self.config):
            raise PackingUnfit("its attention hangs on where in a row a token stands")
        transformers.AttentionInterface.register(_PACKED, self._attended)
        self.model.set_attn_implementation(_PACKED)
        try:
            if self.config._attn_implementation != _PACKED:  # noqa: SLF001 - where transformers keeps it
                raise PackingUnfit("its attention does not go through the interface of transformers")
            yield
        finally:
            self.model.set_attn_implementation(self._plain)

    def packed(self, batch: Batch) -> Floats:
        """Score sequences as one row without padding, each shared prefix once.

        Raises
        ------
        BatchTooLarge
            When the device has no memory for it.
        PackingUnfit
            When the model's attention asks for what packing cannot give.
        """
        row = pack(batch)
        given = self._given(row.ids[None]) | {"position_ids": self._tensor(row.positions[None])}
        last = self._tensor(row.last)
        with self.packing(), self._packing.laid(row, self.device), self._fitting(), torch.inference_mode():
            if self._judge:
                return self._answered(self.model(**given, use_cache=False, logits_to_keep=last).logits[0])
            return self._headed(self._base(**given, use_cache=False).last_hidden_state[0, last])

    def flops(self, tokens: int, attended: int) -> float:
        """Return the operations that tokens need, `attended` as where none attends to a later one."""
        return architecture.flops(self.model, tokens, attended if self.causal else 2 * attended - tokens)

    def peak(self) -> float:
        """Return the operations a second of a plain matrix product in the model's numbers, measured once."""
        if self._peak is None:
            size, times = (8192, 20) if self.device.type == "cuda" else (1024, 5)
            self._peak = measured_peak(self.device, self.model.dtype, size, times)
        return self._peak

    def _pad(self) -> int:
        pad = self.config.get_text_config().pad_token_id
        return pad if isinstance(pad, int) and 0 <= pad < self._known else 0

    def _given(self, rows: Any) -> dict[str, Any]:
        """Return what the model is given of rows of tokens: their numbers, and which text of a pair each is of."""
        ids, segments = parted(rows)
        if int(ids.max()) >= self._known:
            raise ScoringFailed(
                f"a dialog holds the token {ids.max()}, and the model knows {self._known}: its tokenizer is that of "
                "another model; mend the model's folder"
            )
        given = {"input_ids": self._tensor(ids)}
        # Where a tokenizer tells no segments, all are 0, and that is what a model takes when it is given none.
        return given | ({"token_type_ids": self._tensor(segments)} if self._segmented and segments.any() else {})

    def _attended(self, module: Any, query: Any, key: Any, value: Any, *more: Any, **given: Any) -> tuple[Any, None]:
        """Attend in a packed row, and keep in mind the narrowest window that any layer attends within."""
        window = given.get("sliding_window")
        if window is not None:
            self.window = window if self.window is None else min(window, self.window)
        return self._packing(module, query, key, value, *more, **given | {"sliding_window": self.window})

    def _headed(self, hidden: Any) -> Floats:
        head = self._head
        if not isinstance(head, torch.nn.Linear):
            return _floats(head(hidden)[:, 0])  # type: ignore[misc]
        bias = None if head.bias is None else head.bias.float()
        return _floats(functional.linear(hidden.float(), head.weight.float(), bias)[:, 0])

    def _answered(self, logits: Any) -> Floats:
        return _floats(functional.log_softmax(logits.float(), dim=-1)[:, list(self.answers or ())])

    def _tensor(self, values: Any) -> Any:
        tensor = torch.from_numpy(np.ascontiguousarray(values))
        return (tensor.long() if tensor.dtype == torch.int32 else tensor).to(self.device, non_blocking=True)

    @contextlib.contextmanager
    def _fitting(self) -> Iterator[None]:
        try:
            yield
        except torch.OutOfMemoryError as error:
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
            raise BatchTooLarge(f"the device is out of memory: {str(error).splitlines()[0]}") from None


def measured_peak(device: Any, dtype: Any, size: int, times: int) -> float:
    """Return the operations a second of a square matrix product of this size."""
    a = torch.randn(size, size, device=device, dtype=torch.float32).to(dtype)
    (a @ a).sum().item()
    started = time.perf_counter()
    for _ in range(times):
        b = a @ a
    b.sum().item()
    return 2.0 * size**3 * times / (time.perf_counter() - started)


def set_threads(n: int) -> None:
    """Let torch use so many threads."""
    torch.set_num_threads(n)


def _floats(tensor: Any) -> Floats:
    result: Floats = tensor.float().cpu().numpy().astype(np.float32)
    return result
