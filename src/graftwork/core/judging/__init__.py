"""What a network predicts, and how it is judged: few-shot episodes, prototypes, rows held out."""
