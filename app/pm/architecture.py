"""What an architecture says of itself, by its configuration and its modules, and what its tokens cost to compute.

Imports no torch: models and configurations are handed in.
"""

import inspect
from typing import Any


def edges(config: Any) -> tuple[int, ...]:
    """Return the lengths above which every position of a sequence, and of all computed with it, means something else.

    So it is with "longrope": the longest of a batch decides between two sets of frequencies. ("dynamic" scaling goes
    on from `max_position_embeddings`, and nothing longer than that is ever computed.)
    """
    rope = getattr(config.get_text_config(), "rope_parameters", None) or {}
    each = [rope, *(part for part in rope.values() if isinstance(part, dict))]
    return tuple(
        sorted({int(one["original_max_position_embeddings"]) for one in each if one.get("rope_type") == "longrope"})
    )


def window(config: Any) -> int | None:
    """Return how many tokens the layers that slide a window attend to, by the configuration alone.

    Some models tell their attention nothing of it and lay it in the mask, which packed rows do without.
    """
    text = config.get_text_config()
    layers = getattr(text, "layer_types", None)
    slides = getattr(text, "use_sliding_window", True) if layers is None else set(layers) != {"full_attention"}
    return (getattr(text, "sliding_window", None) or None) if slides else None


def by_place(config: Any) -> bool:
    """Return whether attention hangs on where in its row a token stands: in which chunk, or how far from the start."""
    text = config.get_text_config()
    return bool(getattr(text, "attention_chunk_size", None) or getattr(text, "attn_temperature_tuning", None))


def reserved(model: Any) -> int:
    """Return how many positions are never given to a token: RoBERTa and its kin count from after the pad."""
    tables = (module for name, module in model.named_modules() if name.endswith("position_embeddings"))
    pads = [table.padding_idx for table in tables if getattr(table, "padding_idx", None) is not None]
    return max(pads, default=-1) + 1


def takes_segments(model: Any) -> bool:
    """Return whether the model tells the texts of a pair apart.

    Some take segments and have only one; what a tokenizer makes for two may not be given to them.
    """
    takes = "token_type_ids" in inspect.signature(model.forward).parameters
    return takes and getattr(model.config, "type_vocab_size", 2) > 1


def flops(model: Any, tokens: int, attended: int) -> float:
    """Return the operations that tokens need: 2 a weight that is no embedding, 4 a layer and width attended to.

    Parameters
    ----------
    tokens
        How many are computed.
    attended
        To how many tokens each of them attends, summed.
    """
    config = model.config.get_text_config()
    # Kept by identity: an output that is tied to the embeddings is one parameter, and is left out once.
    looked_up = {id(module.weight) for module in model.modules() if hasattr(module, "num_embeddings")}
    outer = model.get_output_embeddings()
    looked_up |= set() if outer is None else {id(outer.weight)}
    weights = sum(weight.numel() for weight in model.parameters() if id(weight) not in looked_up)
    heads = getattr(config, "num_attention_heads", None)
    if not heads:  # Mamba and its kin attend to nothing.
        return float(2 * weights * tokens)
    width = heads * (getattr(config, "head_dim", None) or config.hidden_size // heads)
    return float(2 * weights * tokens + 4 * config.num_hidden_layers * width * attended)
