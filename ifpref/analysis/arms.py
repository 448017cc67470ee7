"""The arms that claims and readings name. Where nothing else is said, contrast is high and prompts are all."""

from ifpref.curation.pairs import Arm

RS, MCTS, BRANCHED, UNSHARED = map(Arm, ("rs", "mcts", "rs_branched", "mcts_unshared"))
HIGH, LOW, MIXED, IMPERFECT = (Arm("rs", contrast) for contrast in ("high", "low", "mixed", "low_imperfect"))
EASY, MODERATE, HARD = (Arm("rs", "high", difficulty) for difficulty in ("easy", "moderate", "hard"))
CLEAN, AS_SCORED = Arm("rs", scorer="clean"), RS
"""Of the comparison `remedy`: pairs by a score that side effects cost, and by the verifier's."""
