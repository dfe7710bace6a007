"""What options of `candor pm score` may be. Imports nothing heavy: every `candor` command loads this file."""

from enum import StrEnum


class Dtype(StrEnum):
    """The numbers that a model computes in."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


class Attention(StrEnum):
    """How batches are computed."""

    AUTO = "auto"
    PACKED = "packed"
    PADDED = "padded"


class Route(StrEnum):
    """Where a vLLM server gives scores."""

    CLASSIFY = "classify"
    POOLING = "pooling"
