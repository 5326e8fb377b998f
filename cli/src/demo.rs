//! The demo: three real daemons on this machine, driven through the local API as anybody's would be.

pub(crate) mod person;
pub(crate) mod scenes;
pub(crate) mod story;
pub(crate) mod view;
