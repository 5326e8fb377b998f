//! Long text: from an argument, from stdin, from an editor; kept as a draft when it could not be saved.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::Command;

use kith_protocol::control::{Code, Error};
use kith_protocol::limits::BODY_BYTES;

use crate::context::Context;
use crate::error::{self, Result, Stop};
use crate::files;
use crate::home::private_dir;
use crate::interrupt;
use crate::ui::Line;

/// A text, and the draft that holds it while it is not saved yet.
#[derive(Debug)]
pub(crate) struct Body {
    /// The text.
    pub(crate) text: String,
    draft: Option<PathBuf>,
}

impl Body {
    /// From an argument (`-`: stdin), else from the editor, which begins with `before`.
    pub(crate) fn read(context: &Context, given: Option<&str>, before: &str) -> Result<Self> {
        match given {
            Some("-") => stdin(BODY_BYTES).map(|text| Self { text, draft: None }),
            Some(text) => Ok(Self { text: text.to_owned(), draft: None }),
            None if context.ui().interactive => edit(context, before),
            None if piped() => stdin(BODY_BYTES).map(|text| Self { text, draft: None }),
            None => Err(error::usage("There is no text.", "Give it as an argument, or as - and on stdin.")),
        }
    }

    /// Save it with `save`; when that fails, the text is kept as a draft and the draft is named.
    pub(crate) fn saved<T>(mut self, context: &Context, save: impl FnOnce(&str) -> Result<T>) -> Result<T> {
        let result = save(&self.text);
        if let Err(stop) = &result {
            if stop.code().is_some() && !self.text.trim().is_empty() {
                self.keep(context);
            }
        } else if let Some(draft) = &self.draft {
            wipe_draft(draft);
        }
        result
    }

    fn keep(&mut self, context: &Context) {
        // Where there is no home, none is made for a draft: what was typed stands in the terminal still.
        if self.draft.is_none() && context.home().exists() {
            self.draft = write_draft(context, &self.text).ok();
        }
        if let Some(draft) = &self.draft {
            let note = Line::new().warn("Your text is kept, unencrypted, in ").text(&draft.display().to_string());
            context.ui().complain(&note);
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
        .map_err(|e| error::failed(format!("Cannot read stdin: {}", error::reason(&e)), ""))?
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

/// Wipes a draft that is saved or empty, and what the editor put beside it under its name (swap files, earlier versions).
fn wipe_draft(draft: &Path) {
    files::wipe(draft);
    let (Some(folder), Some(stem)) = (draft.parent(), draft.file_stem().and_then(|stem| stem.to_str())) else { return };
    let beside = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    beside
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().contains(stem)))
        .for_each(|path| files::wipe(&path));
}

fn write_draft(context: &Context, text: &str) -> Result<PathBuf> {
    context.home().must_be_mine()?;
    let folder = context.home().drafts();
    private_dir(&folder)?;
    let stamp = jiff::Zoned::now().strftime("%Y-%m-%d-%H%M%S").to_string();
    let path = folder.join(format!("{stamp}-{}.md", std::process::id()));
    files::write(&path, text.as_bytes(), false)?;
    Ok(path)
}

fn edit(context: &Context, before: &str) -> Result<Body> {
    let draft = write_draft(context, before)?;
    let editor = ["VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.trim().is_empty()));
    let editor = editor.unwrap_or_else(|| "vi".to_owned());
    // As git does: the variable may hold arguments, so a shell takes it apart; the path is passed beside it, never inside.
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(format!("{editor} \"$@\"")).arg("kith").arg(&draft);
    // Ctrl-C is the editor's while it runs. We stay, so that no draft is left behind by accident.
    let status = interrupt::left_to_the_editor(|| command.status());
    let worked = status.as_ref().is_ok_and(std::process::ExitStatus::success);
    let text = files::read_text(&draft, BODY_BYTES)?.trim_end().to_owned();
    if text.is_empty() || text == before.trim_end() {
        wipe_draft(&draft);
        // Leaving the editor without a word is a choice, not a fault. One that is not there is a fault.
        let missing = status.as_ref().is_ok_and(|status| status.code() == Some(127));
        return Err(if missing {
            error::failed(
                format!("Kith couldn't run the editor `{editor}`: it was not found."),
                "Set EDITOR to one that you have.",
            )
        } else {
            Stop::Refused(Error::new(Code::Failed, "Nothing was saved.", ""))
        });
    }
    if !worked {
        return Err(error::failed(
            format!("The editor `{editor}` did not end well, so nothing was saved."),
            format!("Your text is kept, unencrypted, in {}.", draft.display()),
        ));
    }
    Ok(Body { text, draft: Some(draft) })
}
