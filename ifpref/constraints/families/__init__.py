"""The kinds by family. Importing a family registers its kinds: the order here is that of IFEval's paper."""

from ifpref.constraints.families import keywords, language, length, detectable, ends, case  # noqa: F401, I001
