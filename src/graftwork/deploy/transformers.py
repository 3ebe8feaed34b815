"""Export to a folder that plain transformers loads, and that predicts the same.

    AutoModelForSequenceClassification.from_pretrained(folder)

A transformers classifier has no standardised features, pooling as the base was trained, or MLP head, so the folder is
written only where the two are the same function up to rounding; the export checks that on sample rows.
"""
