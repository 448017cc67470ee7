"""A study of one comparison whose verdict tables are given: what tests of analyses share."""

from types import SimpleNamespace

from ifpref.design import Configuration


def toy_study(comparison, params, tables, base, **more):
    """Two replicates at one configuration.

    tables  a function of an arm: its table in each replicate; base: the base's table; more: what else a test asks for
    """
    only = Configuration(1e-3)
    usual = {
        "params": params,
        "replicates": range(2),
        "comparisons": [comparison],
        "comparison": lambda name: comparison,
        "replicates_of": lambda name: range(2),
        "configurations": lambda name: (only,),
        "middle": lambda name: only,
        "tables": lambda name, arm, key="test/greedy", at=None: tables(arm),
        "base": lambda split="test", temperature=0.0: base,
        "run_keys": lambda names: [],
    }
    return SimpleNamespace(**usual | more)
