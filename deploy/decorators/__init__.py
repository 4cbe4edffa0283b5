"""What the stack is made of, one template decorator a file; deploy/topology.py orders them."""
