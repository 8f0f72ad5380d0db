"""Randomness is an argument: every stochastic step gets its own stream, derived from the replicate's seed by name."""

import hashlib

import numpy as np


def derive_seed(seed: int, name: str) -> int:
    """A 31-bit seed for the step `name` of the replicate `seed`: the same on every machine and in every order."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:4], "big") >> 1


def generator(seed: int, name: str) -> np.random.Generator:
    """A generator for the step `name` of the replicate `seed`."""
    return np.random.default_rng(derive_seed(seed, name))
