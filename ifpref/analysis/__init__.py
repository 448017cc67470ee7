"""What the artefacts of a study say: effects, claims, readings beside them, and the words around numbers."""
