//! One file per noun. Each holds what can be typed (as clap types), what is sent, and how the answer is shown.

mod aim;
pub(crate) mod circle;
pub(crate) mod complete;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod crisis;
pub(crate) mod daemon;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod draft;
pub(crate) mod event;
pub(crate) mod examples;
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
pub(crate) mod overview;
pub(crate) mod passphrase;
mod preview;
mod reach;
pub(crate) mod resource;
pub(crate) mod search;
mod show;
pub(crate) mod status;
mod succession;
pub(crate) mod today;
mod typed;
pub(crate) mod version;
pub(crate) mod watch;
mod writing;

use clap::Subcommand;

use today::Span;

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
    Passphrase(passphrase::PassphraseArgs),
    Status(status::StatusArgs),
    Doctor(doctor::DoctorArgs),
    /// Manage circles: closed groups with their own keys, members and rules
    #[command(subcommand)]
    Circle(circle::CircleVerb),
    /// Invite people, and answer their requests
    #[command(subcommand)]
    Invite(invite::InviteVerb),
    /// Manage the members of a circle
    #[command(subcommand)]
    Member(member::MemberVerb),
    /// Write and read notes
    #[command(subcommand)]
    Note(note::NoteVerb),
    /// Plan meetings, once or repeating
    #[command(subcommand)]
    Event(event::EventVerb),
    /// Keep links, numbers and places
    #[command(subcommand)]
    Resource(resource::ResourceVerb),
    /// Texts that you have not saved yet
    #[command(subcommand)]
    Draft(draft::DraftVerb),
    Inbox(inbox::InboxArgs),
    Today(today::TodayArgs),
    Week(today::WeekArgs),
    Month(today::MonthArgs),
    Search(search::SearchArgs),
    Crisis(crisis::CrisisArgs),
    Watch(watch::WatchArgs),
    Import(import::ImportArgs),
    Export(export::ExportArgs),
    Demo(demo::DemoArgs),
    /// Manage the background daemon
    #[command(subcommand)]
    Daemon(daemon::DaemonVerb),
    /// Show and change settings, such as the usual circle
    #[command(subcommand)]
    Config(config::ConfigVerb),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
    Version(version::VersionArgs),
}

impl Command {
    /// Does it work where there can be no home: without `HOME`, or in a folder with too long a name?
    pub(crate) const fn is_homeless(&self) -> bool {
        matches!(self, Self::Completions(_) | Self::Man(_) | Self::Demo(_) | Self::Version(_))
            || matches!(self, Self::Crisis(args) if args.only_shows())
    }

    /// Is its answer read from the top, and may it be long?
    const fn is_long(&self) -> bool {
        use circle::CircleVerb;
        use event::EventVerb;
        use note::NoteVerb;
        use resource::ResourceVerb;
        matches!(
            self,
            Self::Note(NoteVerb::List(..) | NoteVerb::Show { .. })
                | Self::Event(EventVerb::List(..) | EventVerb::Show { .. })
                | Self::Resource(ResourceVerb::List(..) | ResourceVerb::Show { .. })
                | Self::Circle(CircleVerb::Show { .. } | CircleVerb::Agreement { sign: false })
                | Self::Member(member::MemberVerb::List)
                | Self::Inbox(_)
                | Self::Search(_)
                | Self::Week(_)
                | Self::Month(_)
                | Self::Crisis(_)
        )
    }
}

/// Do what was asked. `grammar` gives all that can be typed: completions and manual pages are made of it.
pub(crate) fn run(context: &Context, command: Option<Command>, grammar: fn() -> clap::Command) -> Result<()> {
    let Some(command) = command else { return overview::run(context) };
    if command.is_long() {
        context.ui().page();
    }
    done(context, command, grammar).map_err(|stop| aim::aimed(context, context.explained(stop)))
}

fn done(context: &Context, command: Command, grammar: fn() -> clap::Command) -> Result<()> {
    match command {
        Command::Init(args) => init::run(context, &args),
        Command::Join(args) => join::run(context, &args),
        Command::Start(_) => lifecycle::start(context),
        Command::Stop(_) => lifecycle::stop(context),
        Command::Lock(_) => lifecycle::lock(context),
        Command::Unlock(_) => lifecycle::unlock(context),
        Command::Passphrase(args) => passphrase::run(context, &args),
        Command::Status(_) => status::run(context),
        Command::Doctor(args) => doctor::run(context, &args),
        Command::Circle(verb) => circle::run(context, verb),
        Command::Invite(verb) => invite::run(context, verb),
        Command::Member(verb) => member::run(context, verb),
        Command::Note(verb) => note::run(context, verb),
        Command::Event(verb) => event::run(context, verb),
        Command::Resource(verb) => resource::run(context, verb),
        Command::Draft(verb) => draft::run(context, verb),
        Command::Inbox(args) => inbox::run(context, &args),
        Command::Today(_) => today::run(context, Span::Today),
        Command::Week(_) => today::run(context, Span::Week),
        Command::Month(_) => today::run(context, Span::Month),
        Command::Search(args) => search::run(context, &args),
        Command::Crisis(args) => crisis::run(context, &args),
        Command::Watch(args) => watch::run(context, &args),
        Command::Import(args) => import::run(context, &args),
        Command::Export(args) => export::run(context, &args),
        Command::Demo(args) => demo::run(context, &args),
        Command::Daemon(verb) => daemon::run(context, verb),
        Command::Config(verb) => config::run(context, &verb),
        Command::Completions(args) => completions::run(context, &args),
        Command::Man(args) => man::run(context, &args, grammar()),
        Command::Version(_) => version::run(context),
    }
}
