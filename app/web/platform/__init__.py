"""What platforms call: signed messages about the submissions of their people."""
