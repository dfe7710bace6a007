"""A Hugging Face tokenizer as the renderer needs it. Takes the tokenizer, imports nothing of its library."""

from collections.abc import Sequence
from typing import Any, Literal

from app.pm.dialogs import Dialog, as_messages
from app.pm.self_check import ModelUnfit
from app.study.canonical import text_hash

PLAIN = "candor: plain turns"
PAIRED = "candor: pair of texts"
Use = Literal["score", "judge"]


class ChatTokenizer:
    """Renders by the model's chat template; without one, as a pair of texts (encoders) or as plain turns.

    `judge` ends each dialog where the assistant's answer begins.
    """

    def __init__(self, tokenizer: Any, use: Use = "score") -> None:
        self._tokenizer = tokenizer
        self._judge = use == "judge"
        self._form = self._form_of()

    @property
    def bos(self) -> int | None:
        """The token that begins a sequence; where it also ends one, it is no sign of a fault."""
        bos: int | None = self._tokenizer.bos_token_id
        return bos

    @property
    def template_hash(self) -> str:
        """SHA-256 of the chat template, or of the name of what stands in for it."""
        return text_hash(self._form)

    def encode(self, dialogs: Sequence[Dialog]) -> list[list[int]]:
        """Return the tokens of each dialog."""
        if self._form == PAIRED:
            return self._paired(dialogs)
        texts = [self._text(dialog) for dialog in dialogs]
        # The template writes the special tokens itself; for plain turns the tokenizer adds them. Never both.
        encoded = self._tokenizer(texts, add_special_tokens=self._form == PLAIN)["input_ids"]
        return [list(ids) for ids in encoded]

    def without_first(self, text: str, n_tokens: int) -> str:
        """Return a text without its first tokens."""
        ids = self._tokenizer(text, add_special_tokens=False)["input_ids"][n_tokens:]
        return str(self._tokenizer.decode(ids, clean_up_tokenization_spaces=False)).strip() if ids else ""

    def answers(self, probe: Dialog, words: Sequence[str] = ("A", "B")) -> list[int]:
        """Return the one token that each answer would be, right after a dialog.

        Raises
        ------
        ModelUnfit
            When an answer is not one token there.
        """
        text = self._text(probe)
        special = self._form == PLAIN
        before = list(self._tokenizer(text, add_special_tokens=special)["input_ids"])
        found = []
        for word in words:
            spaced = f" {word}" if special else word
            ids = list(self._tokenizer(text + spaced, add_special_tokens=special)["input_ids"])
            if ids[:-1] != before:
                raise ModelUnfit(f"the answer {word!r} is not one token for this model; it cannot judge by that token")
            found.append(ids[-1])
        return found

    def _form_of(self) -> str:
        template = self._tokenizer.chat_template
        if template:
            return template if isinstance(template, str) else str(self._tokenizer.get_chat_template())
        paired = self._tokenizer.sep_token_id is not None and self._tokenizer.cls_token_id is not None
        return PAIRED if paired and not self._judge else PLAIN

    def _text(self, dialog: Dialog) -> str:
        if self._form != PLAIN:
            rendered = self._tokenizer.apply_chat_template(
                as_messages(dialog), tokenize=False, add_generation_prompt=self._judge
            )
            return str(rendered)
        said = "\n\n".join(f"{turn.role.title()}: {turn.content}" for turn in dialog)
        return f"{said}\n\nAssistant:" if self._judge else said

    def _paired(self, dialogs: Sequence[Dialog]) -> list[list[int]]:
        asked = ["\n\n".join(turn.content for turn in dialog[:-1]) for dialog in dialogs]
        answered = [dialog[-1].content for dialog in dialogs]
        return [list(ids) for ids in self._tokenizer(asked, answered, add_special_tokens=True)["input_ids"]]
