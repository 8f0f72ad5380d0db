"""The DAG, one file a stage; beside it the rooms that a stage stands on."""
