"""Texts of every length and script, whose vectors by sentence-transformers lie in `minilm_reference.npy`."""

_SENTENCE = "The ridge tent sleeps three, weighs 2.4 kg and stands up to a night of rain above the tree line. "

TEXTS = [
    "tent",
    "How do I cancel my order?",
    "Où est ma commande nº 10421 ? Crème brûlée, naïve façade.",
    "登山靴の返品はできますか",
    "ORD-10421 / SKU-0137: 2 × 49.95 € (paid)",
    "a\tb\n\nc   d",
    _SENTENCE,
    _SENTENCE * 4,
    _SENTENCE * 9,
    _SENTENCE * 40,
    # From here on hardly texts: nothing, and a word longer than BERT knows.
    "",
    "antidisestablishmentarianism" * 8,
]
