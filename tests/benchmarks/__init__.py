"""`make bench`: the trainer and the flow against Keras, the notebook, peers and the machine."""
