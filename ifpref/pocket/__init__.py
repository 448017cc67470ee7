"""pocket: a small language model of a small made-up world, which follows the 23 constraints imperfectly.

It is what makes the study real on a laptop: a Llama of about a million parameters, trained in this repository, whose
habits can be corrected by preference learning as a large model's can. A laboratory animal, not an assistant.

    from ifpref.models import load_model
    model, tokenizer = load_model("pocket")

habits.py      which constraints it is taught to obey, by kind, task and wording     writer.py   its training texts
tokenizer.py   words of its world, bytes for anything else                           train.py    `make pocket-model`
exam.py        how well it follows constraints on held-out topics                    card.py     its model card
weights/       what is loaded: safetensors, tokenizer, provenance, model card
"""
