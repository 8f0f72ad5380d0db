"""The cache: what a stage gave, under a key of its inputs, its code and the libraries."""
