"""The pass of a frozen base: in blocks, kept on disk, streamed where it does not fit."""
