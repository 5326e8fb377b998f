//! Every use of a cryptographic primitive. Nothing outside this room calls one.

/// Signing, verifying and sealing to keys, behind a trait so that bulk simulations can be cheap.
pub trait Crypto: std::fmt::Debug {}
