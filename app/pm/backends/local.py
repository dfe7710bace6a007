"""The local backend: a reward model, or a causal model as judge, on this machine's CPU or GPU."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from app.errors import CandorError
from app.pm import canaries, model_files, planning, self_check
from app.pm.backends.chat_tokenizer import SEGMENT, ChatTokenizer
from app.pm.dialogs import assistant, user
from app.pm.rendering import OverLong, Renderer
from app.pm.scorer import Batch, Floats, ModelIdentity, ScoringFailed, SharedPrefix, Tokens
from app.pm.self_check import Checked, ModelUnfit
from app.study.canonical import content_hash

_PROBE = (user("Is the Earth flat?"), assistant("No, it is round."))
_MOST = 2**20
_FORWARD_FAULTS = (RuntimeError, TypeError, ValueError, LookupError, AttributeError)
Attention = Literal["auto", "packed", "padded"]


class TorchMissing(CandorError):
    """The extra that brings torch and transformers is not installed."""


@dataclass(frozen=True, slots=True)
class LocalSpec:
    """Which model, and how; plain values, so that a process for each GPU can be told. `longest` 0: what it reads."""

    model: str
    use: Literal["score", "judge"] = "score"
    dtype: str = "float32"
    device: str = "auto"
    attention: Attention = "auto"
    over_long: OverLong = OverLong.REFUSE
    longest: int = 0
    random_allowed: bool = False
    threads: int = 0


class LocalModel:
    """A `Scorer` or a `Judge`, as its spec says, checked when it was loaded.

    Raises
    ------
    TorchMissing
        When torch or transformers is not installed.
    ModelUnfit
        When the model would give wrong scores; says why and what to do.
    """

    def __init__(self, spec: LocalSpec) -> None:
        try:
            from app.pm import local_models  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise TorchMissing(f"{error.name} is not installed; pip install 'candor[pm]'") from None
        if spec.threads:
            local_models.set_threads(spec.threads)
        files = model_files.find(spec.model)
        self._spec = spec
        self._device = local_models.pick_device(spec.device)
        self._device_name = local_models.device_name(self._device)
        loading = local_models.Loading(files, spec.use, spec.dtype, self._device, spec.random_allowed)
        loaded = local_models.load(loading)
        self.network = loaded.network
        self._tokenizer = ChatTokenizer(loaded.tokenizer, spec.use)
        if spec.use == "judge":
            first, second = self._tokenizer.answers(_PROBE[:1])
            self.network.answers = (first, second)
        self._longest = _longest(spec.longest, loaded, self.network.reserved)
        self.apart = planning.Apart(tuple(edge for edge in self.network.edges if edge < self._longest))
        self.rendering = Renderer(self._tokenizer, self._longest, spec.over_long)
        self._probe()
        self.concurrency = 1
        self.packs, self.checked, self.unpacked = self._check(loaded.tokenizer)
        self._identity = self._identify(loaded, files)

    def identity(self) -> ModelIdentity:
        """Return all that decides which scores come out."""
        return self._identity

    def score(self, batch: Batch) -> Floats:
        """Return the score of each sequence, shape (n,)."""
        return self._run(batch)

    def compare(self, batch: Batch) -> Floats:
        """Return log P(A) and log P(B) after each sequence, shape (n, 2)."""
        return self._run(batch)

    def flops(self, tokens: int, attended: int) -> float:
        """Return the operations that so many tokens need, attending to so many in all."""
        return self.network.flops(tokens, attended)

    def peak(self) -> float:
        """Return the operations a second that this machine reaches in a matrix product."""
        return self.network.peak()

    def _run(self, batch: Batch) -> Floats:
        """Compute a batch, in parts where it holds lengths that the model computes apart from one another."""
        if self._in_one(batch):
            return self._computed(batch)
        budget = _cost(batch, packed=self.packs)
        planned = planning.plan(batch.sequences, budget, packed=self.packs, apart=self.apart)
        numbers = range(len(planned.batches))
        found = np.concatenate([self._computed(planned.batch(number)) for number in numbers])
        scores = np.empty_like(found)
        scores[[member for number in numbers for member in planned.members(number)]] = found
        result: Floats = scores[planned.place]
        return result

    def _in_one(self, batch: Batch) -> bool:
        lengths = [len(ids) for ids in batch.sequences]
        alike = len({self.apart.kind(length) for length in lengths}) == 1
        return alike and not (self.packs and batch.groups and self.apart.beyond(max(lengths)))

    def _computed(self, batch: Batch) -> Floats:
        """Compute a batch as it was planned: one without groups is padded."""
        return self.network.packed(batch) if self.packs and batch.groups else self.network.padded(batch)

    def _probe(self) -> None:
        """Refuse a template that writes BOS twice, before anything is scored."""
        ids = self._probed()
        bos = self._tokenizer.bos
        if bos is not None and ids[:2] == [bos, bos]:
            raise ModelUnfit(
                f"{self._spec.model}: dialogs begin with BOS twice (token {bos}); "
                "mend chat_template in the model's folder"
            )

    def _probed(self) -> list[int]:
        return self._tokenizer.encode([_PROBE[:1] if self._spec.use == "judge" else _PROBE])[0]

    def _check(self, tokenizer: Any) -> tuple[bool, Checked, str | None]:
        """Return whether to pack, what the check found, and why not to pack."""
        reason = None
        if self.network.causal and self._spec.attention != "padded":
            try:
                return True, self._checked(tokenizer, packed=True), None
            except (ScoringFailed, ModelUnfit, *_FORWARD_FAULTS) as error:
                reason = _first_line(error)
                if self._spec.attention == "packed":
                    raise ModelUnfit(f"{self._spec.model} cannot be computed packed: {reason}") from None
        self.apart = replace(self.apart, window=None)
        try:
            return False, self._checked(tokenizer, packed=False), reason
        except _FORWARD_FAULTS as error:
            raise ModelUnfit(
                f"{self._spec.model} cannot be computed: {_first_line(error)}; its configuration, its weights and its "
                "tokenizer do not fit together, or its architecture is not known"
            ) from None

    def _checked(self, tokenizer: Any, *, packed: bool) -> Checked:
        special = set(tokenizer.all_special_ids)
        allowed = [token for token in range(min(len(tokenizer), 4096)) if token not in special]
        last = _last_tokens(tokenizer, self._probed()[-1] % SEGMENT)
        probes = self_check.canaries(
            allowed, self._longest, last[0], edges=self.apart.edges, far=not self.network.causal
        )
        exact = self._spec.dtype == "float32"
        if packed:
            # Short enough for any window, so that afterwards the network knows how wide that of its layers is.
            self.network.packed(Batch((probes[0][:4],), (SharedPrefix(0, (0,)),)))
            self.apart = replace(self.apart, window=self.network.window)
        self.packs = packed
        batched = self._computed
        found = self_check.check(probes, self.network.alone, batched, packed=packed, exact=exact, apart=self.apart)
        self._hold_to_own(probes, found)
        for token in last:
            self_check.check_last_token(probes[0][: self._longest - 1], token, batched)
        return found

    def _hold_to_own(self, probes: list[Tokens], found: Checked) -> None:
        """Refuse where the score read here is not the one that the model reads itself from a lone sequence."""
        if self._spec.use == "judge":
            return
        own = [(self.network.own(ids), float(self.network.alone(ids))) for ids in probes]
        off = max((abs(theirs - ours) for theirs, ours in own if theirs is not None), default=0.0)
        largest = max(1.0, *(abs(ours) for _, ours in own))
        if off > (self_check.EXACT * largest if self._spec.dtype == "float32" else self_check.ROUGH * found.spread):
            raise ModelUnfit(
                f"the model itself gives a lone dialog another score, by {off:.2g}; its architecture is not known"
            )

    def _identify(self, loaded: Any, files: model_files.ModelFiles) -> ModelIdentity:
        spec, config = self._spec, loaded.config
        return ModelIdentity(
            scorer="judge" if spec.use == "judge" else "reward",
            model=spec.model,
            backend="transformers",
            revision=getattr(config, "_commit_hash", None),
            file_hashes=model_files.hashes(loaded.folder, files.gguf) if loaded.folder else {},
            template_hash=self._template(),
            dtype=spec.dtype,
            attention=self._attention(),
            device=self._device.split(":")[0],
            random_weights=bool(spec.random_allowed or getattr(config, "random_weights", False)),
            settled={"longest": self._longest, "answers": self.network.answers},
            told={
                "device_name": self._device_name,
                "noise_floor": self.checked.noise_floor,
                "self_check": {**self.checked.record(), "random_head": loaded.random_head, "unpacked": self.unpacked},
                "n_parameters": self.network.model.num_parameters(),
                "pad_token": config.get_text_config().pad_token_id,
                "architecture": type(self.network.model).__name__,
                **self._canaries(),
            },
        )

    def _template(self) -> str:
        """Return the template's hash; where it can write the day, with what it writes: a run is of one day."""
        plain = self._tokenizer.template_hash
        return content_hash([plain, self._probed()]) if self._tokenizer.dated else plain

    def _attention(self) -> str:
        """Say how batches are computed, and from which length on otherwise."""
        padded = f"padded, {self.network.attention}"
        if not self.packs:
            return padded
        window = self.apart.window
        return "packed" if window is None or window >= self._longest else f"packed; over {window:,} tokens {padded}"

    def _canaries(self) -> dict[str, Any]:
        """Return the canaries' scores, each scored alone: a server that serves this model is held to them."""
        if self._spec.use == "judge":
            return {}
        encoded = self._tokenizer.encode(canaries.CANARIES)
        if max(map(len, encoded)) > self._longest:
            return {}
        scores = [float(self.network.alone(np.asarray(ids, dtype=np.int32))) for ids in encoded]
        return {canaries.FIELD: canaries.recorded(scores)}


def _last_tokens(tokenizer: Any, written: int) -> list[int]:
    """Return tokens that may really end a dialog and may also be the pad: the EOS, and what the template writes."""
    ends = [token for token in (tokenizer.eos_token_id, tokenizer.sep_token_id) if token is not None]
    return list(dict.fromkeys([*ends[:1], written]))


def _longest(asked: int, loaded: Any, reserved: int) -> int:
    """Return the most tokens a sequence may have: what the model has positions for, unless fewer are asked for."""
    text = loaded.config.get_text_config()
    # MPT names it otherwise, and gives no other name to it.
    positions = (getattr(text, name, None) for name in ("max_position_embeddings", "max_seq_len"))
    known = min(
        int(next(filter(None, positions), _MOST)) - reserved, int(min(loaded.tokenizer.model_max_length, _MOST))
    )
    return min(asked, known) if asked else known


def _cost(batch: Batch, *, packed: bool) -> int:
    """Return how many tokens a batch was planned to compute."""
    lengths = [len(ids) for ids in batch.sequences]
    saved = sum(group.length * (len(group.members) - 1) for group in batch.groups)
    return sum(lengths) - saved if packed else len(lengths) * max(lengths)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
