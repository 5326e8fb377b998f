//! Sessions with peers: the hidden hello, anti-entropy, live push.
