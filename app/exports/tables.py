"""Every table that can be exported, by its name."""

from app.exports.annotators import ANNOTATORS
from app.exports.choices import CHOICES
from app.exports.columns import Table
from app.exports.pairs import PAIRS
from app.exports.payments import PAYMENTS
from app.exports.preferences import PREFERENCES, PREFERENCES_HH
from app.exports.scores import SCORES

RELEASED: dict[str, Table] = {table.name: table for table in (CHOICES, PAIRS, ANNOTATORS, SCORES, PREFERENCES)}
"""The tables without personal data."""
TABLES: dict[str, Table] = {**RELEASED, PAYMENTS.name: PAYMENTS}
DESCRIBED: tuple[Table, ...] = (*TABLES.values(), PREFERENCES_HH)
"""What the codebook describes: every table, in each of its forms."""
