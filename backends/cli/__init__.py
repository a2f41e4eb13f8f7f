"""The command line: reads the files, calls the compiler, shows what it says, writes what comes out."""
