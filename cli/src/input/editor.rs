//! An editor for a text. While it is open the text lies in a folder that only its owner may enter, in memory where the system has
//! such a place; afterwards nothing of it stays there.

use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use kith_protocol::control::{Code, Draft, Error, NewDraft};
use kith_protocol::limits::DRAFT_BYTES;
use serde::{Deserialize, Serialize};

use crate::client::{Client, Route};
use crate::context::Context;
use crate::error::{self, Result};
use crate::files;
use crate::home::{Home, private_dir};
use crate::interrupt;
use crate::ui::{Line, Ui};

/// How the folders are called; the process that edits follows.
const NAME: &str = "kith-edit-";

/// Where a text lies while an editor is open.
#[derive(Clone, Debug)]
pub(crate) struct Desk(PathBuf);

/// What lies beside it: what the text was before, and what it is to become. So it can be kept even if this process is killed.
#[derive(Debug, Serialize, Deserialize)]
struct Sheet {
    home: PathBuf,
    draft: NewDraft,
}

impl Desk {
    fn new(home: &Home, draft: &NewDraft) -> Result<Self> {
        home.must_be_mine()?;
        let mut last = None;
        for place in places(home) {
            private_dir(&home.path().join("run"))?;
            for number in 0..100 {
                let folder = place.join(format!("{NAME}{}-{number}", std::process::id()));
                match std::fs::DirBuilder::new().mode(0o700).create(&folder) {
                    Ok(()) => return Self(folder).laid(home, draft),
                    Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                    Err(error) => {
                        last = Some(error::io("Cannot make the folder", &folder, &error));
                        break;
                    }
                }
            }
        }
        Err(last.unwrap_or_else(|| error::failed("There is no place to edit a text in.", "")))
    }

    fn laid(self, home: &Home, draft: &NewDraft) -> Result<Self> {
        let sheet = Sheet { home: home.path().to_owned(), draft: draft.clone() };
        let sheet = serde_json::to_vec(&sheet).map_err(|e| error::failed(format!("This cannot be written as JSON: {e}."), ""))?;
        let written =
            files::write(&self.sheet(), &sheet, false).and_then(|()| files::write(&self.text(), draft.body.as_bytes(), false));
        written.inspect_err(|_| self.wipe()).map(|()| self)
    }

    /// The file that the editor opens.
    pub(crate) fn text(&self) -> PathBuf {
        self.0.join("note.md")
    }

    fn sheet(&self) -> PathBuf {
        self.0.join("draft.json")
    }

    fn read_sheet(&self) -> Result<Sheet> {
        let bytes = files::read(&self.sheet(), 2 * DRAFT_BYTES)?;
        serde_json::from_slice(&bytes).map_err(|_| error::failed(format!("{} cannot be read.", self.sheet().display()), ""))
    }

    /// What somebody wrote, as a draft; none where nothing is there, or nothing but what was there before.
    fn written(&self) -> Result<Option<NewDraft>> {
        let text = files::read_text(&self.text(), DRAFT_BYTES)?.trim_end().to_owned();
        let draft = self.read_sheet()?.draft;
        let unchanged = text.trim().is_empty() || text == draft.body.trim_end();
        Ok((!unchanged).then_some(NewDraft { body: text, ..draft }))
    }

    /// Overwrites and removes it, and whatever the editor put beside it: swap files, earlier versions.
    pub(crate) fn wipe(&self) {
        for entry in std::fs::read_dir(&self.0).into_iter().flatten().flatten() {
            files::wipe(&entry.path());
        }
        drop(std::fs::remove_dir_all(&self.0));
    }

    /// Keeps what was written in the store, and wipes it here. None: nothing was.
    pub(crate) fn rescue(&self, client: &Client) -> Result<Option<Draft>> {
        let kept = match self.written()? {
            None => None,
            Some(draft) => Some(client.send("POST", &Route::new("drafts"), &draft)?.read()?),
        };
        self.wipe();
        Ok(kept)
    }

    fn is_there(&self) -> bool {
        self.text().exists()
    }
}

/// Where a text may lie, the best first: what is in memory only, and a folder of the home.
fn places(home: &Home) -> Vec<PathBuf> {
    let me = rustix::process::geteuid().as_raw();
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    let runtime = runtime.filter(|path| std::fs::metadata(path).is_ok_and(|meta| meta.is_dir() && meta.uid() == me));
    let memory = Some(PathBuf::from("/dev/shm")).filter(|path| cfg!(target_os = "linux") && path.is_dir());
    runtime.into_iter().chain(memory).chain([home.path().join("run")]).collect()
}

/// Texts of this home that a process left behind that is gone: it was killed, or could not reach the daemon.
pub(crate) fn strays(home: &Home) -> Vec<Desk> {
    let me = rustix::process::geteuid().as_raw();
    let folders = places(home).into_iter().flat_map(|place| std::fs::read_dir(place).into_iter().flatten().flatten());
    let left = folders.map(|entry| entry.path()).filter(|path| {
        let owner = path.file_name().and_then(|name| name.to_str()).and_then(process);
        owner.is_some_and(|process| !lives(process))
            && std::fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir() && meta.uid() == me)
    });
    let ours = |desk: &Desk| desk.read_sheet().is_ok_and(|sheet| sheet.home == home.path());
    left.map(Desk).filter(ours).collect()
}

/// The process that a folder's name tells of.
fn process(name: &str) -> Option<i32> {
    name.strip_prefix(NAME)?.split_once('-')?.0.parse().ok().filter(|process| *process > 0)
}

fn lives(process: i32) -> bool {
    let there = rustix::process::Pid::from_raw(process).map(rustix::process::test_kill_process);
    there.is_some_and(|there| there != Err(rustix::io::Errno::SRCH))
}

/// Opens an editor on a text; where it lies then. With `again`, what was there before may stay as it is.
pub(crate) fn edit(context: &Context, client: &Client, draft: &NewDraft, again: bool) -> Result<(String, Desk)> {
    let desk = Desk::new(context.home(), draft)?;
    let (home, ui, on_end) = (context.home().clone(), context.ui().clone(), desk.clone());
    interrupt::on_interrupt(move || ended(&home, ui, &on_end));
    let editor = ["VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.trim().is_empty()));
    let editor = editor.unwrap_or_else(|| "vi".to_owned());
    if !is_there(&editor) {
        desk.wipe();
        return Err(nothing(&editor, Some(127)));
    }
    // Ctrl-C is the editor's while it runs. We stay, so that nothing is left behind by accident.
    let status = interrupt::left_to_the_editor(|| command(&editor, &desk.text()).status());
    let worked = status.as_ref().is_ok_and(std::process::ExitStatus::success);
    let written = match desk.written() {
        Ok(written) => written,
        // Too long, or no text: it stays where it is.
        Err(stop) => return Err(left_there(context.ui(), &desk, stop)),
    };
    let text = match written {
        Some(draft) => draft.body,
        None if again && worked => draft.body.clone(),
        None => {
            desk.wipe();
            return Err(nothing(&editor, status.ok().and_then(|status| status.code())));
        }
    };
    if worked {
        return Ok((text, desk));
    }
    told(context.ui(), &desk, super::saved_or_unlocked(context, || desk.rescue(client)));
    Err(error::failed(
        format!("The editor `{editor}` ended with an error, so nothing was saved."),
        "`kith draft list` shows what is kept.",
    ))
}

/// As git does: the variable may hold arguments, so a shell takes it apart; the path is passed beside it, never inside.
fn command(editor: &str, text: &Path) -> Command {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(format!("{editor} \"$@\"")).arg("kith");
    if editor.split_whitespace().next().is_some_and(is_vim) {
        // Vim keeps copies of what it opens in folders of its own.
        command.args(["-n", "-i", "NONE", "-c", "setlocal noundofile", "-c", "set nobackup nowritebackup"]);
    }
    command.arg(text);
    command
}

/// Can what the variable names be run, as far as can be told? What only a shell understands is left to the shell.
fn is_there(editor: &str) -> bool {
    let program = editor.split_whitespace().next().unwrap_or_default();
    let simple = program.chars().all(|c| c.is_ascii_alphanumeric() || "/._+-".contains(c));
    let runs = |path: PathBuf| std::fs::metadata(&path).is_ok_and(|meta| meta.is_file() && meta.mode() & 0o111 != 0);
    if !simple {
        return true;
    }
    if program.contains('/') {
        return runs(PathBuf::from(program));
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let builtin = matches!(program, "exec" | "command" | "env");
    builtin || std::env::split_paths(&folders).any(|folder| runs(folder.join(program)))
}

/// Is that program Vim or Neovim, whatever it is called?
fn is_vim(program: &str) -> bool {
    let is = |path: &Path| {
        let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        real.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| ["vim", "nvim", "gvim"].iter().any(|vim| name.starts_with(vim)))
    };
    if program.contains('/') {
        return is(Path::new(program));
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file()).is_some_and(|path| is(&path))
}

/// Nothing was written. Leaving the editor without a word is a choice, not a fault; one that is not there is a fault.
fn nothing(editor: &str, code: Option<i32>) -> error::Stop {
    if code == Some(127) {
        let message = format!("Kith couldn't run the editor `{editor}`: it was not found.");
        return error::failed(message, "Set EDITOR to one that you have.");
    }
    error::Stop::Refused(Error::new(Code::Failed, "Nothing was written in the editor, so nothing was saved.", ""))
}

/// Says what became of what was written: it was sealed, or stays where it lies.
pub(crate) fn told(ui: &Ui, desk: &Desk, kept: Result<Option<Draft>>) {
    match kept {
        Ok(Some(draft)) => tell(ui, &draft),
        Ok(None) => {}
        Err(stop) => drop(left_there(ui, desk, stop)),
    }
}

/// Says where a kept text is.
pub(crate) fn tell(ui: &Ui, draft: &Draft) {
    let told = Line::new().text("Your text is kept as a draft, sealed like everything else, for a week: `kith draft resume ");
    ui.warn(&told.text(&draft.id).text("` goes on with it."));
}

/// It could not be sealed, so it stays where it lies. Says so.
fn left_there(ui: &Ui, desk: &Desk, stop: error::Stop) -> error::Stop {
    let told =
        Line::new().warn("Your text could not be sealed. It is, unencrypted, in ").text(&desk.text().display().to_string());
    ui.warn(&told.text("; `kith draft list` seals it once Kith runs and is unlocked."));
    stop
}

/// The person stopped us, or the terminal went away.
fn ended(home: &Home, ui: Ui, desk: &Desk) {
    if !desk.is_there() {
        return;
    }
    told(&ui, desk, Client::new(home, false, ui.clone()).and_then(|client| desk.rescue(&client)));
}

#[cfg(test)]
mod tests {
    use kith_protocol::control::DraftOf;

    use super::*;

    fn draft(body: &str) -> NewDraft {
        NewDraft {
            becomes: DraftOf::Note,
            circle: "c-abc".to_owned(),
            item: None,
            body: body.to_owned(),
            title: None,
            content_warning: None,
            want: None,
            lang: None,
            tags: None,
            base: None,
        }
    }

    fn desk(folder: &Path, body: &str) -> Desk {
        let home = Home::find(Some(folder)).unwrap();
        std::fs::create_dir_all(folder.join("desk")).unwrap();
        Desk(folder.join("desk")).laid(&home, &draft(body)).unwrap()
    }

    #[test]
    fn only_what_was_written_is_a_draft() {
        let place = tempfile::tempdir().unwrap();
        let desk = desk(place.path(), "before");
        assert_eq!(desk.written().unwrap(), None, "unchanged");
        for (text, written) in [("before\n\n", None), (" \n", None), ("before, and after\n", Some("before, and after"))] {
            files::write(&desk.text(), text.as_bytes(), true).unwrap();
            assert_eq!(desk.written().unwrap().map(|draft| draft.body).as_deref(), written, "{text:?}");
        }
    }

    #[test]
    fn nothing_is_left_of_a_text_and_what_lies_beside_it() {
        let place = tempfile::tempdir().unwrap();
        let desk = desk(place.path(), "before");
        for beside in [".note.md.swp", "note.md~", "4913"] {
            files::write(&desk.0.join(beside), b"words", false).unwrap();
        }
        let (swap, other) = (desk.0.join(".note.md.swp"), place.path().join("other"));
        std::fs::hard_link(swap, &other).unwrap();
        desk.wipe();
        assert!(!desk.0.exists());
        assert_eq!(std::fs::read(other).unwrap(), [0; 5], "overwritten, not only removed");
    }

    #[test]
    fn an_editor_that_is_not_there_is_known_before_a_shell_says_so() {
        let place = tempfile::tempdir().unwrap();
        let text = place.path().join("text");
        files::write(&text, b"words", false).unwrap();
        for editor in ["/nonexistent", "/nonexistent -w", "kith-no-such-editor", text.to_str().unwrap(), "/tmp"] {
            assert!(!is_there(editor), "{editor}");
        }
        for editor in ["sh", "/bin/sh -c x", "VISUAL=x vi", "\"/a folder/editor\" -w", "~/bin/editor", "exec sh"] {
            assert!(is_there(editor), "{editor}");
        }
    }

    #[test]
    fn names_tell_whose_folder_it_is() {
        assert_eq!(process("kith-edit-123-0"), Some(123));
        assert_eq!([process("kith-edit-"), process("kith-edit-0-1"), process("kith-edit-x-1"), process("other-1-1")], [None; 4]);
        assert!(lives(i32::try_from(std::process::id()).unwrap()));
    }
}
