"""The pipeline: declared stages, their schedule, and what is checked and measured before a long run."""
