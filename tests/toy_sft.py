"""A second algorithm, to hold the seam open: SFT on the chosen completions, through trl's `SFTTrainer`."""

import numpy as np

from ifpref.training.algorithms import Algorithm


def sft_loss(log_probs):
    """The mean negative log-probability over all tokens of the completions, from one array a completion."""
    return -np.concatenate(log_probs).mean()


class SFT(Algorithm):
    def rows(self, pairs, reference):
        assert reference is None
        rows = []
        for pair in pairs:
            prompt, chosen = list(pair["prompt_ids"]), list(pair["chosen_ids"])
            rows.append({"input_ids": prompt + chosen, "labels": [-100] * len(prompt) + chosen})
        return rows

    def length(self, row):
        return len(row["input_ids"])

    def trainer(self):
        from trl import SFTConfig, SFTTrainer

        return SFTTrainer, SFTConfig

    def options(self, settings):
        return {"max_length": settings.max_length}

    def log_row(self, entry, settings):
        return {"token_accuracy": entry["mean_token_accuracy"]}
