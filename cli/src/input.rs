//! Long text: from an argument, from stdin, from an editor; kept as a draft when it could not be saved.

mod editor;

use std::io::IsTerminal;

use editor::Desk;
use kith_protocol::control::{Code, Draft, NewDraft};
use kith_protocol::limits::{BODY_BYTES, DRAFT_BYTES};

use crate::client::{Client, Route};
use crate::context::Context;
use crate::error::{self, Result, Stop};
use crate::files;
use crate::ui::Line;

/// A text that was given, and where it came from.
#[derive(Debug)]
pub(crate) struct Body {
    /// The text.
    pub(crate) text: String,
    from: Origin,
}

/// What is left of a text if it cannot be saved.
#[derive(Debug)]
enum Origin {
    /// It stands in the terminal still.
    Argument,
    /// Nothing.
    Stdin,
    /// What the editor wrote.
    Editor(Desk),
}

impl Body {
    /// From an argument (`-`: stdin), else from the editor, which begins with the draft's text. Where a text is written or read here,
    /// the daemon must be there to keep it, and what it is to become must be known to be possible.
    pub(crate) fn read(context: &Context, client: &Client, given: Option<&str>, draft: &NewDraft) -> Result<Self> {
        match given {
            Some("-") => stdin(DRAFT_BYTES).map(|text| Self { text, from: Origin::Stdin }),
            Some(text) => Ok(Self { text: text.to_owned(), from: Origin::Argument }),
            None if context.ui().interactive => {
                take_in(context, client);
                let (text, desk) = editor::edit(context, client, draft, false)?;
                Ok(Self { text, from: Origin::Editor(desk) })
            }
            None if piped() => stdin(DRAFT_BYTES).map(|text| Self { text, from: Origin::Stdin }),
            None => Err(error::usage("There is no text.", "Give it as an argument, or as - and on stdin.")),
        }
    }

    /// From the editor, which may leave it as it is; in a script as it is.
    pub(crate) fn again(context: &Context, client: &Client, draft: &NewDraft) -> Result<Self> {
        if !context.ui().interactive {
            return Ok(Self { text: draft.body.clone(), from: Origin::Argument });
        }
        let (text, desk) = editor::edit(context, client, draft, true)?;
        Ok(Self { text, from: Origin::Editor(desk) })
    }

    /// Is a text of that kind written or read now, rather than given with the command?
    pub(crate) fn is_long(given: Option<&str>) -> bool {
        given.is_none_or(|text| text == "-")
    }

    /// Save it with `save`; when that fails, the text is kept as a draft and the draft is named.
    pub(crate) fn saved<T>(
        self,
        context: &Context,
        client: &Client,
        draft: NewDraft,
        save: impl Fn(&NewDraft) -> Result<T>,
    ) -> Result<T> {
        let draft = NewDraft { body: self.text, ..draft };
        let result = saved_or_unlocked(context, || save(&draft));
        let failed = result.as_ref().is_err_and(|stop| stop.code().is_some()) && !draft.body.trim().is_empty();
        match self.from {
            Origin::Editor(desk) if failed => editor::told(context.ui(), &desk, desk.rescue(client)),
            Origin::Editor(desk) => desk.wipe(),
            Origin::Stdin if failed => keep_stdin(context, client, &draft),
            Origin::Stdin | Origin::Argument => {}
        }
        result
    }

    /// Save what was left as it is, of which a draft is there already.
    pub(crate) fn saved_as_it_was<T>(self, context: &Context, save: impl Fn() -> Result<T>) -> Result<T> {
        if let Origin::Editor(desk) = &self.from {
            desk.wipe();
        }
        saved_or_unlocked(context, save)
    }
}

/// Saves. Where Kith was locked or stopped while somebody wrote, says so, puts that right with them, and saves then.
fn saved_or_unlocked<T>(context: &Context, save: impl Fn() -> Result<T>) -> Result<T> {
    let first = save();
    let what = match first.as_ref().err().and_then(Stop::code) {
        Some(Code::Locked) => "locked",
        Some(Code::NotRunning) => "stopped",
        _ => return first,
    };
    if !context.ui().interactive {
        return first;
    }
    context.ui().warn(&format!("Kith was {what} while you were writing.").into());
    context.client()?;
    save()
}

/// Keeps what came by stdin, if that is possible.
fn keep_stdin(context: &Context, client: &Client, draft: &NewDraft) {
    let kept = client.send("POST", &Route::new("drafts"), draft).and_then(|reply| reply.read::<Draft>());
    match kept {
        Ok(draft) => editor::tell(context.ui(), &draft),
        Err(_) => context.ui().complain(&Line::new().warn("Your text could not be kept; it is only where it came from.")),
    }
}

/// Seals what an earlier run left behind: it was killed, or could not reach the daemon.
pub(crate) fn take_in(context: &Context, client: &Client) {
    for desk in editor::strays(context.home()) {
        if let Ok(Some(draft)) = desk.rescue(client) {
            let found = Line::new().text("A text that was being written when Kith was interrupted is kept: `kith draft resume ");
            context.ui().warn(&found.text(&draft.id).text("` goes on with it."));
        }
    }
}

/// Does something come in by a pipe or from a file? Then it is the text, and nobody has to say so.
fn piped() -> bool {
    let kind = std::fs::metadata("/dev/stdin").map(|meta| meta.file_type());
    kind.is_ok_and(|kind| std::os::unix::fs::FileTypeExt::is_fifo(&kind) || kind.is_file())
}

/// All of stdin, bounded.
pub(crate) fn stdin(limit: usize) -> Result<String> {
    let stdin = std::io::stdin();
    let bytes = files::up_to(stdin.lock(), limit)
        .map_err(|e| error::failed(format!("Cannot read stdin: {}.", error::reason(&e)), ""))?
        .ok_or_else(|| {
            error::refused(
                Code::TooLarge,
                format!("That is more than {} of text.", files::size(limit as u64)),
                "Split it into several.",
            )
        })?;
    let text = String::from_utf8(bytes).map_err(|_| error::usage("Stdin is not UTF-8 text.", ""))?;
    Ok(text.trim_end().to_owned())
}

/// One line from stdin, for things that must not stand in the shell's history.
pub(crate) fn secret_line(context: &Context, what: &str) -> Result<String> {
    if std::io::stdin().is_terminal() {
        return context.ui().ask(&format!("{what}:"), "");
    }
    Ok(stdin(BODY_BYTES)?.lines().next().unwrap_or_default().trim().to_owned())
}
