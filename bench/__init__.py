"""What `make bench` measures, each against a limit measured in the same run."""
