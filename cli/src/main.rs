#![doc = "kith"]
fn main() {}
