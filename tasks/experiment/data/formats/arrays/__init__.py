"""Images and labels in arrays: IDX files and .npz."""
