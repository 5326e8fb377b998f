//! One file per noun. Each holds what can be typed (as clap types), what is sent, and how the answer is shown.

pub(crate) mod circle;
pub(crate) mod completions;
pub(crate) mod crisis;
pub(crate) mod daemon;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod event;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod inbox;
pub(crate) mod init;
pub(crate) mod invite;
pub(crate) mod join;
pub(crate) mod man;
pub(crate) mod member;
pub(crate) mod note;
pub(crate) mod power;
pub(crate) mod resource;
pub(crate) mod search;
mod show;
pub(crate) mod status;
pub(crate) mod today;
pub(crate) mod watch;

use crate::args::Command;
use crate::context::Context;
use crate::error::Result;

/// Do what was asked.
pub(crate) fn run(context: &Context, command: Command) -> Result<()> {
    match command {
        Command::Init(args) => init::run(context, &args),
        Command::Join(args) => join::run(context, &args),
        Command::Start(_) => power::start(context),
        Command::Stop(_) => power::stop(context),
        Command::Lock(_) => power::lock(context),
        Command::Unlock(_) => power::unlock(context),
        Command::Status(_) => status::run(context),
        Command::Doctor(args) => doctor::run(context, &args),
        Command::Circle(verb) => circle::run(context, verb),
        Command::Invite(verb) => invite::run(context, verb),
        Command::Member(verb) => member::run(context, verb),
        Command::Note(verb) => note::run(context, verb),
        Command::Event(verb) => event::run(context, verb),
        Command::Resource(verb) => resource::run(context, verb),
        Command::Inbox(args) => inbox::run(context, &args),
        Command::Today(_) => today::run(context),
        Command::Search(args) => search::run(context, &args),
        Command::Crisis(args) => crisis::run(context, &args),
        Command::Watch(_) => watch::run(context),
        Command::Import(args) => import::run(context, &args),
        Command::Export(args) => export::run(context, &args),
        Command::Demo(args) => demo::run(context, &args),
        Command::Daemon(verb) => daemon::run(context, verb),
        Command::Completions(args) => completions::run(context, &args),
        Command::Man(args) => man::run(context, &args),
    }
}
