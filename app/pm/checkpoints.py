"""What a checkpoint must hold to be a preference model: one score, and the weights of its head."""

from typing import Any

from app.pm.self_check import ModelUnfit


def set_one_score(config: Any, name: str) -> None:
    """Give a configuration one output, where it is of another kind of model.

    Raises
    ------
    ModelUnfit
        When it was trained to classify into several classes.
    """
    made = (config.architectures or [""])[0]
    if made.endswith("ForSequenceClassification") and config.num_labels != 1:
        raise ModelUnfit(
            f"{name} has {config.num_labels} outputs (num_labels): a preference model has exactly one score; "
            "choose a reward model, or give a causal model as --judge"
        )
    config.num_labels = 1


def refuse_two_parts(config: Any, name: str) -> None:
    """Refuse a model of an encoder and a decoder: what each of them should read of a dialog is not settled.

    Raises
    ------
    ModelUnfit
        When it is one.
    """
    if getattr(config, "is_encoder_decoder", False):
        raise ModelUnfit(
            f"{name} is an encoder with a decoder ({config.model_type}), which Candor cannot score with; "
            "choose an encoder or a decoder alone"
        )


def refuse_sparse(config: Any, name: str) -> None:
    """Refuse attention to blocks drawn at random, which the first short dialog turns off for good.

    Raises
    ------
    ModelUnfit
        When the model attends so.
    """
    if getattr(config, "attention_type", None) == "block_sparse":
        raise ModelUnfit(
            f"{name} attends to blocks drawn at random (attention_type block_sparse), and no longer does once it read "
            'a short dialog: scores would hang on the order; set "attention_type": "original_full" in config.json'
        )


def refuse_random(told: dict[str, Any], name: str, *, allowed: bool) -> bool:
    """Return whether weights were drawn at random because the checkpoint lacks them, above all the score head's.

    Raises
    ------
    ModelUnfit
        When there are any and that is not allowed.
    """
    missing = sorted(set(told["missing_keys"]) | {str(key[0]) for key in told["mismatched_keys"]})
    if missing and not allowed:
        named = ", ".join(missing[:3]) + (" …" if len(missing) > 3 else "")
        raise ModelUnfit(
            f"{name} holds no weights for {named}: they would be drawn at random, every score would "
            "be noise; choose a checkpoint of a reward model (--allow-random-weights for a test)"
        )
    return bool(missing)
