"""Recordings for training: folders go in, a manifest and a cache of decoded, copied and made-up clips come out."""
