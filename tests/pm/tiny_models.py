"""Tiny models with random weights, of five architectures, saved as any checkpoint is; and a plain scorer to hold to."""

from pathlib import Path
from typing import Any

import tokenizers
import torch
import transformers
from tokenizers import decoders, pre_tokenizers, processors

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
torch.set_num_threads(1)

DECODERS = ("llama", "qwen3", "gpt2")
ENCODERS = ("bert", "deberta-v2")
ARCHITECTURES = (*DECODERS, *ENCODERS)
SPECIAL = ["<s>", "</s>", "[CLS]", "[SEP]", "[PAD]", "<|user|>", "<|assistant|>", "<|system|>"]
TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}{{ eos_token }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
_WIDTH = {"hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4}
_POSITIONS = 2048


def tokenizer(form: str, template: str | None = TEMPLATE, *, pad_is_eos: bool = True) -> Any:
    """Bytes as tokens. `chat`: a template that writes BOS, pad = EOS, and a tokenizer that would add BOS besides."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate([*SPECIAL, *letters])}
    made = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=vocabulary, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens(SPECIAL)
    if form == "chat":
        made.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
        pad = "</s>" if pad_is_eos else "[PAD]"
        wrapped = transformers.PreTrainedTokenizerFast(
            tokenizer_object=made, bos_token="<s>", eos_token="</s>", pad_token=pad
        )
        wrapped.chat_template = template
        return wrapped
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )  # fmt: skip


def config(architecture: str, **more: Any) -> Any:
    vocabulary = len(SPECIAL) + 256
    if architecture == "gpt2":
        return transformers.GPT2Config(
            vocab_size=vocabulary, n_embd=48, n_layer=2, n_head=4, n_positions=_POSITIONS,
            bos_token_id=0, eos_token_id=1, pad_token_id=1, **more,
        )  # fmt: skip
    shared = {"vocab_size": vocabulary, "max_position_embeddings": _POSITIONS, **_WIDTH, **more}
    if architecture == "bert":
        return transformers.BertConfig(pad_token_id=4, **shared)
    if architecture == "deberta-v2":
        return transformers.DebertaV2Config(
            pad_token_id=4, relative_attention=True, pos_att_type=["p2c", "c2p"], type_vocab_size=0,
            position_biased_input=False, **shared,
        )  # fmt: skip
    ends = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1, "num_key_value_heads": 2}
    if architecture == "llama":
        return transformers.LlamaConfig(**ends, **shared)
    return transformers.Qwen3Config(head_dim=12, **ends, **shared)


def save(folder: Path, architecture: str, *, use: str = "score", seed: int = 0, **more: Any) -> str:
    """Save a model whose scores spread by about one, and its tokenizer; return the folder."""
    torch.manual_seed(seed)
    made: Any = transformers.AutoModelForSequenceClassification if use == "score" else transformers.AutoModelForCausalLM
    model = made.from_config(config(architecture, **({"num_labels": 1} if use == "score" else {}) | more))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.mul_(4)
    model.eval().save_pretrained(folder)
    tokenizer("chat" if architecture in DECODERS else "paired").save_pretrained(folder)
    return str(folder)


def one_by_one(folder: str, dialogs: list[tuple[str, str]]) -> list[float]:
    """Score each dialog alone by plain transformers: nothing of Candor's, no batch, no padding, no mask."""
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    known = transformers.AutoTokenizer.from_pretrained(folder)
    scores = []
    for prompt, response in dialogs:
        if known.chat_template:
            turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": response}]
            ids = known.apply_chat_template(turns, tokenize=True, return_dict=False, return_tensors="pt")
            with torch.inference_mode():
                hidden = getattr(model, model.base_model_prefix)(ids).last_hidden_state
                scores.append(float(model.score(hidden[0, -1])))
        else:
            given = known(prompt, response, return_tensors="pt")
            with torch.inference_mode():
                scores.append(float(model(**given).logits[0, 0]))
    return scores
