"""Where task runs are computed: in threads here, or on Dask workers."""
