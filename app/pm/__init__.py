"""Preference models, offline: render dialogs once, plan batches, score them, and say what made the scores.

Nothing here but `local_models` imports torch or transformers; everything else runs, and is tested, without them.
"""
