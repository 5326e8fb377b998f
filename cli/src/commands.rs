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
mod item;
pub(crate) mod join;
pub(crate) mod lifecycle;
pub(crate) mod man;
pub(crate) mod member;
pub(crate) mod note;
mod preview;
pub(crate) mod resource;
pub(crate) mod search;
mod show;
pub(crate) mod status;
mod succession;
pub(crate) mod today;
pub(crate) mod watch;

use clap::Subcommand;

use crate::context::Context;
use crate::error::Result;

/// The nouns and the verbs that have none.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(init::InitArgs),
    Join(join::JoinArgs),
    Start(lifecycle::StartArgs),
    Stop(lifecycle::StopArgs),
    Lock(lifecycle::LockArgs),
    Unlock(lifecycle::UnlockArgs),
    Status(status::StatusArgs),
    Doctor(doctor::DoctorArgs),
    /// Circles: closed groups with their own keys, members and rules
    #[command(subcommand)]
    Circle(circle::CircleVerb),
    /// Invites: how people come into a circle
    #[command(subcommand)]
    Invite(invite::InviteVerb),
    /// Members of a circle
    #[command(subcommand)]
    Member(member::MemberVerb),
    /// Notes: what people tell each other
    #[command(subcommand)]
    Note(note::NoteVerb),
    /// Events: meetings, once or again and again
    #[command(subcommand)]
    Event(event::EventVerb),
    /// Resources: links, numbers and places worth keeping
    #[command(subcommand)]
    Resource(resource::ResourceVerb),
    Inbox(inbox::InboxArgs),
    Today(today::TodayArgs),
    Search(search::SearchArgs),
    Crisis(crisis::CrisisArgs),
    Watch(watch::WatchArgs),
    Import(import::ImportArgs),
    Export(export::ExportArgs),
    Demo(demo::DemoArgs),
    /// The program in the background
    #[command(subcommand)]
    Daemon(daemon::DaemonVerb),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

/// Do what was asked. `grammar` gives all that can be typed: completions and manual pages are made of it.
pub(crate) fn run(context: &Context, command: Command, grammar: fn() -> clap::Command) -> Result<()> {
    match command {
        Command::Init(args) => init::run(context, &args),
        Command::Join(args) => join::run(context, &args),
        Command::Start(_) => lifecycle::start(context),
        Command::Stop(_) => lifecycle::stop(context),
        Command::Lock(_) => lifecycle::lock(context),
        Command::Unlock(_) => lifecycle::unlock(context),
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
        Command::Completions(args) => completions::run(context, &args, grammar()),
        Command::Man(args) => man::run(context, &args, grammar()),
    }
}
