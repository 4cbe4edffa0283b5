"""Whether both runtimes give the same answer to the same request, and why not where they do not."""
