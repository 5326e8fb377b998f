//! Every bound of the command line, with its unit and its reason. What the protocol fixes is in `kith_protocol::limits`.

use std::time::Duration;

/// Bytes of what somebody types as an answer to a question.
pub(crate) const TYPED_BYTES: u64 = 4_096;
/// Bytes of one answer of the daemon; a list of everything that a circle holds fits.
pub(crate) const ANSWER_BYTES: usize = 512 << 20;
/// Bytes of one event of a stream; they carry ids only.
pub(crate) const EVENT_BYTES: usize = 64 << 10;
/// Bytes of a passphrase file that are looked at.
pub(crate) const PASSPHRASE_BYTES: usize = 4_096;
/// Tries at a passphrase on a terminal.
pub(crate) const PASSPHRASE_TRIES: u32 = 3;
/// Between two looks at whether something is done.
pub(crate) const LOOK: Duration = Duration::from_millis(250);
/// Components inside components; calendars need three.
pub(crate) const CALENDAR_DEPTH: usize = 8;
/// Folders inside folders.
pub(crate) const FOLDER_DEPTH: usize = 8;
/// Files of one folder that are looked at.
pub(crate) const FOLDER_FILES: usize = 10_000;
/// Characters of what is left out of an import that are shown.
pub(crate) const SHOWN_CHARS: usize = 60;
/// Titles that are shown before somebody is asked.
pub(crate) const ASKED_TITLES: usize = 5;
/// Items of a file that are imported unasked on a terminal: as many as are looked over at a glance.
pub(crate) const UNASKED_ITEMS: usize = 3;
/// How long a start may take; an upgrade of a large store is the slowest.
pub(crate) const START: Duration = Duration::from_secs(60);
/// How long a daemon is still looked for after the one that we started ended: another start may just have won.
pub(crate) const START_GRACE: Duration = Duration::from_millis(700);
/// How long another daemon may take to end.
pub(crate) const ENDING: Duration = Duration::from_secs(10);
/// Between two looks at whether a daemon is there.
pub(crate) const START_LOOK: Duration = Duration::from_millis(15);
/// Bytes of what a failed start said that are shown.
pub(crate) const SAID_BYTES: usize = 64 << 10;
/// How long a daemon may take to say anything at all: even a busy one does at once.
pub(crate) const PROBE: Duration = Duration::from_secs(10);
/// How long a clean end may take.
pub(crate) const STOP: Duration = Duration::from_secs(30);
/// Occurrences of an event that are looked at when the next ones are asked for.
pub(crate) const NEXT_OCCURRENCES: usize = 5;
/// Changes of clocks that a zone is described with at most.
pub(crate) const ZONE_CHANGES: usize = 300;
/// Changes of clocks of one kind that are looked at when a file describes a zone of its own.
pub(crate) const ZONE_ONSETS: usize = 200;
/// Places in the name of a time zone that are looked up; Windows lists seven at most.
pub(crate) const ZONE_PLACES: usize = 12;
/// Years after which the changes of a zone's clocks are taken to follow a rule: in 28 a day of the month is on each weekday.
pub(crate) const ZONE_RULE_YEARS: usize = 28;
/// Years that a zone without a rule is described for a series that never ends.
pub(crate) const ZONE_YEARS: i64 = 40;
/// Additional dates and exceptions of an event that are looked at.
pub(crate) const RULE_DATES: usize = 4_000;
/// Bytes of a log that are looked at.
pub(crate) const LOG_BYTES: usize = 64 << 20;
/// Bytes of a crisis card.
pub(crate) const CARD_BYTES: usize = 64 << 10;
/// Bytes of a calendar, table or list that is imported.
pub(crate) const FILE_BYTES: usize = 8 << 20;
/// Items that one request of an import carries,
pub(crate) const CHUNK_ITEMS: usize = 200;
/// and their bytes.
pub(crate) const CHUNK_BYTES: usize = 512 << 10;
/// Characters of an id that must be typed at least, where a name would do too.
pub(crate) const ID_TYPED: usize = 3;
/// Characters of an id that lists show; longer where two of them would look alike.
pub(crate) const ID_CHARS: usize = 8;
/// Characters of a text that name it where it has no title.
pub(crate) const TEXT_START: usize = 60;
/// The shortest that an invite lasts: somebody has to get it, open it and answer.
pub(crate) const INVITE_LASTS: Duration = Duration::from_secs(60);
/// Columns of the widest line of running text: longer ones are hard to read.
pub(crate) const TEXT_COLUMNS: usize = 88;
/// How long anything may take before the demo counts it as failed.
pub(crate) const DEMO_PATIENCE: Duration = Duration::from_secs(45);
/// Between two looks of the demo.
pub(crate) const DEMO_LOOK: Duration = Duration::from_millis(10);
/// Random words that are offered as a passphrase, of 11 bits each.
pub(crate) const WORDS: usize = 5;
/// Bits below which a passphrase is weak: fewer guesses than somebody with some graphics cards can make.
pub(crate) const WEAK_BITS: f64 = 50.0;
/// Characters of a passphrase that are weighed.
pub(crate) const WEIGHED_CHARS: usize = 100;
/// Between two tries to go on watching.
pub(crate) const WATCH_LOOK: Duration = Duration::from_millis(500);
/// Occurrences of one event that `week` and `month` look at.
pub(crate) const SHOWN_OCCURRENCES: usize = 100;

/// Columns of a terminal; with fewer left beside the others, the last cell of a row stands below them.
pub(crate) const NARROW_COLUMNS: usize = 20;

/// Columns of a terminal that a spinner needs besides its words: itself, and how long it has been.
pub(crate) const SPINNER_COLUMNS: usize = 12;
