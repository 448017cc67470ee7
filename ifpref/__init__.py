"""ifpref: how do attributes of a preference dataset affect instruction following?

The package computes, the notebooks explain, the files in params/ choose. Data flows one way:

    prompts -> responses (RS) or trees (MCTS) -> pairs -> policy (LoRA-DPO) -> evaluation -> tables, figures

Importing it is instant and loads none of the heavy libraries; the rooms do, when they are used.
"""

__version__ = "0.1.0"
