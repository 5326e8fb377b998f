//! The router: passes each input to the room it concerns and the outcome to the next.

mod io;

pub use io::{Answer, CallId, Command, Effect, Env, Filter, Input, Link, Noun, Query};
