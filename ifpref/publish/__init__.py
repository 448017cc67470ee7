"""What leaves a study: executed notebooks, the reference, comparisons with it, estimates, exported policies."""
