"""The command line: argv -> recipe -> call."""
