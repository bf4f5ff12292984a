"""What the black-box tests of the programs share; nothing here knows the C code."""
