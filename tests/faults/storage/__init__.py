"""What the program keeps, damaged."""
