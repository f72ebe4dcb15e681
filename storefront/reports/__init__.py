"""The books read: statements, sums by what they are asked for, registers, the treasurer's cash book."""
