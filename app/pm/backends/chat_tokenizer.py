"""A Hugging Face tokenizer as the renderer needs it. Takes the tokenizer, imports nothing of its library."""

from collections.abc import Sequence
from typing import Any, Literal

import jinja2

from app.pm.dialogs import Dialog, as_messages
from app.pm.rendering import DialogRefused
from app.pm.self_check import ModelUnfit
from app.study.canonical import text_hash

PLAIN = "candor: plain turns"
PAIRED = "candor: pair of texts"
Use = Literal["score", "judge"]
SEGMENT = 1 << 24
"""Which text of a pair a token is of stands above its number, times this, where a tokenizer tells it; see `parted`."""
_TEMPLATE_FAULTS = (jinja2.TemplateError, TypeError, ValueError, LookupError, AttributeError)


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

    @property
    def dated(self) -> bool:
        """Whether the template can write the day on which it is rendered, as those of Llama 3 do."""
        return "strftime_now" in self._form

    def encode(self, dialogs: Sequence[Dialog]) -> list[list[int]]:
        """Return the tokens of each dialog."""
        if self._form == PAIRED:
            return self._paired(dialogs)
        texts = [self._rendered(place, dialog) for place, dialog in enumerate(dialogs)]
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
        text = self._rendered(0, probe)
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
        if isinstance(template, dict) and template:
            if "default" not in template:
                raise ModelUnfit(
                    f"the tokenizer has several chat templates ({', '.join(sorted(template))}) and none of them is "
                    "the default; keep the one to use as chat_template.jinja in the model's folder"
                )
            template = template["default"]
        if template:
            return str(template)
        paired = self._tokenizer.sep_token_id is not None and self._tokenizer.cls_token_id is not None
        return PAIRED if paired and not self._judge else PLAIN

    def _rendered(self, place: int, dialog: Dialog) -> str:
        """Return the text of a dialog; a template may refuse one, as some do a turn of the system."""
        try:
            return self._text(dialog)
        except _TEMPLATE_FAULTS as error:
            said = (str(error).strip() or type(error).__name__).splitlines()[0]
            turns = ", ".join(turn.role for turn in dialog)
            raise DialogRefused(
                place,
                f"the model's chat template refuses a dialog of these turns ({turns}): {said}; choose another variant "
                "or prompt, or mend chat_template in the model's folder",
            ) from None

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
        encoded = self._tokenizer(asked, answered, add_special_tokens=True)
        # Some tokenizers of encoders tell no segments: their models were trained without.
        parts = encoded.get("token_type_ids")
        if parts is None:
            return [list(ids) for ids in encoded["input_ids"]]
        both = zip(encoded["input_ids"], parts, strict=True)
        return [[token + SEGMENT * part for token, part in zip(*one, strict=True)] for one in both]


def parted(ids: Any) -> tuple[Any, Any]:
    """Return the numbers of tokens in the vocabulary, and which text of a pair each is of: 0 where that is not told.

    The two travel as one number because they decide a score together: dialogs of the same tokens may differ in where
    the response begins, when a text holds a separator.
    """
    return ids % SEGMENT, ids // SEGMENT
