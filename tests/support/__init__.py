"""What tests share: runs, processes that may die, machines, services."""
