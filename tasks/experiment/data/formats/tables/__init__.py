"""Tables of images and labels: CSV, which names files, and Parquet, which holds them."""
