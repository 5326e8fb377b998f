//! The targets: everything that decodes what peers or people send. Those of files that people import lie in the command line's
//! own tests, since nothing outside it can call them.

mod acts;
mod api;
mod crypto;
mod edits;
mod frames;
mod node;
mod resolver;
mod runs;
mod world;

pub use acts::{ACT, ACT_BODY, BOX, FAREWELL, RECORD};
pub use api::{COMPOSE, DAEMON, WORDS};
pub use edits::{EDIT, ITEMS};
pub use frames::{CARD, FRAME, INTRODUCTION, LINK, REQUEST};
pub use node::NODE;
pub use resolver::RESOLVER;
pub use runs::{BLOCK, SINGLE};

use super::Target;

/// All of them here.
pub const ALL: [Target; 19] = [
    ACT,
    ACT_BODY,
    FAREWELL,
    RECORD,
    BOX,
    SINGLE,
    BLOCK,
    EDIT,
    ITEMS,
    FRAME,
    INTRODUCTION,
    REQUEST,
    CARD,
    LINK,
    RESOLVER,
    NODE,
    COMPOSE,
    WORDS,
    DAEMON,
];
