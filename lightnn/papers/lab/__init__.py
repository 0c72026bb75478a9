"""What the experiments share: journal, stages, records and the command `reproduce`."""
