"""EDGE: the laptop's cloud. Plays AWS's part on loopback, from what the stack says.

`cloud` puts it together: the embedded AWS holds the stack, `lambda_side` runs the function
under AWS's own runtime client behind a Function URL, `instance` runs supervisord as an
instance does. `workspace` owns every process and file, so that none is left behind.
"""
