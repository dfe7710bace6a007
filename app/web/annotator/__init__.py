"""The annotator's way: entry, consent, instructions, practice, pairs, the look-up question, debrief, completion."""
