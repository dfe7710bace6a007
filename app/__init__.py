"""Candor: human preference studies on sycophancy.

misconception      a false claim that people commonly believe
prompt             what a user who believes it says
response           baseline truthful, helpful truthful, or sycophantic
pair               one truthful and one sycophantic response to the same prompt, shown side by side
arm                truthful kind x instructions; a person is in one
slot               one of the k ratings that a pair and arm is to get, with its side fixed; open, held or filled
side               left or right: what was shown. Truthful or sycophantic: what it was
annotator          a person who judges pairs; a participation is one person in one study
choice             one stored judgement; counted (fills a slot), late, excluded
preference rate    the share of pairs, or of choices, in which the sycophantic response is preferred
"""
