"""The command line, one duty a file: what each command does and how it is shown."""
