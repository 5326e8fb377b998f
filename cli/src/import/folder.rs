//! A folder of text and Markdown: every file becomes a note. Where it is an export of Kith's, its lists come back instead. Links are not followed, not even inside the folder; what is hidden or
//! what `.gitignore` names is not looked at, and a home of Kith's is never entered.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};
use kith_protocol::control::{BatchItem, NewNote};
use kith_protocol::limits::{BODY_BYTES, TITLE_CHARS};

use super::{Found, Haul, decode, own};
use crate::error::{self, Result};
use crate::files;
use crate::left_out::{Origin, Weight};
use crate::limits::{FILE_BYTES, FOLDER_DEPTH, FOLDER_FILES};

/// Why the notes and events of an export come back by another file only.
pub(crate) const FOR_READING: &str = "Kith wrote it for reading; the list (.json) of the same export holds all that comes back.";
pub(crate) const BY_THE_LIST: &str = "Import that list, or the whole folder of the export.";

/// Files that lie in a home: the first one in no other folder, the others only together.
const OF_A_HOME: [&[&str]; 2] = [&["kithd.lock"], &["keys.toml", "store.db"]];

/// The notes of a folder, by the names of their files.
pub(crate) fn haul(root: &Path) -> Result<Haul> {
    let real = root.canonicalize().map_err(|e| error::io("Cannot read", root, &e))?;
    if let Some(home) = real.ancestors().find(|folder| is_home(folder)) {
        return Err(error::usage(
            format!("{} belongs to a home of Kith's ({}); it is never imported.", root.display(), home.display()),
            "Name a folder of your own texts.",
        ));
    }
    let mut walk =
        Walk { root, haul: Haul::default(), paths: Vec::new(), lists: Vec::new(), seen: BTreeSet::new(), folders: Vec::new() };
    // `.gitignore` counts also where it lies above the folder or where there is no repository.
    let walker = WalkBuilder::new(root)
        .require_git(false)
        .max_depth(Some(FOLDER_DEPTH + 1))
        .filter_entry(|entry| !entry.file_type().is_some_and(|kind| kind.is_dir()) || !is_home(entry.path()))
        .build();
    for entry in walker {
        match entry {
            Ok(entry) => walk.take(&entry),
            Err(error) => {
                walk.haul.leave_out(Origin::default(), "A file", format!("cannot be read: {error}; it is not imported"))
            }
        }
    }
    walk.name_what_was_passed_over();
    walk.notes()
}

/// One file as a note.
pub(crate) fn note(path: &Path, haul: &mut Haul, origin: Origin) -> Result<Found> {
    let bytes = files::read(path, BODY_BYTES)?;
    let decoded = decode::text(&bytes).map_err(|why| {
        error::failed(format!("{} cannot be read: {why}.", path.display()), "Save it as UTF-8 text, and try again.")
    })?;
    let body = decoded.text.trim_end().to_owned();
    if body.trim().is_empty() {
        return Err(error::failed("The file is empty.", "There is nothing in it to import."));
    }
    if own::is_for_reading(&body) {
        return Err(error::failed(FOR_READING, BY_THE_LIST));
    }
    let heading = body.lines().next().and_then(|line| line.strip_prefix("# ")).map(str::trim).filter(|text| !text.is_empty());
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().replace(['_', '-'], " ")).unwrap_or_default();
    let title: String = heading.map_or(stem, str::to_owned).chars().take(TITLE_CHARS).collect();
    if let Some(read_as) = decoded.read_as {
        haul.change(origin.clone(), &title, format!("is read as {read_as} text"));
    }
    let note = NewNote { title: title.clone(), body, ..NewNote::default() };
    Ok(Found { title, item: BatchItem::Note(note), origin })
}

/// Does a home of Kith's lie right in this folder?
fn is_home(folder: &Path) -> bool {
    OF_A_HOME.iter().any(|names| names.iter().all(|name| folder.join(name).symlink_metadata().is_ok()))
}

/// A folder, as far as it was walked.
struct Walk<'a> {
    root: &'a Path,
    haul: Haul,
    paths: Vec<PathBuf>,
    /// Lists that Kith exported.
    lists: Vec<PathBuf>,
    /// What was come by.
    seen: BTreeSet<PathBuf>,
    /// The folders that were entered.
    folders: Vec<PathBuf>,
}

impl Walk<'_> {
    fn name(&self, path: &Path) -> String {
        path.strip_prefix(self.root).unwrap_or(path).display().to_string()
    }

    fn leave_out(&mut self, weight: Weight, path: &Path, why: &str) {
        let name = self.name(path);
        let origin = Origin { file: Some(name.clone()), line: None };
        self.haul.tell(weight, origin, name, why);
    }

    fn take(&mut self, entry: &DirEntry) {
        let (path, kind) = (entry.path(), entry.file_type());
        self.seen.insert(path.to_owned());
        if kind.is_some_and(|kind| kind.is_symlink()) {
            self.leave_out(Weight::Dropped, path, "is a symbolic link, and links are not followed; it is not imported");
        } else if kind.is_some_and(|kind| kind.is_dir()) {
            if entry.depth() <= FOLDER_DEPTH {
                self.folders.push(path.to_owned());
            } else {
                self.leave_out(Weight::Dropped, path, "lies too deep; it is not imported");
            }
        } else if kind.is_some_and(|kind| kind.is_file()) && own::is_list(path) {
            self.lists.push(path.to_owned());
        } else if let Some(list) = own::list_of(path) {
            self.leave_out(Weight::Minor, path, &format!("holds what {list} beside it holds, which is imported"));
        } else if !kind.is_some_and(|kind| kind.is_file()) || !is_text(path) {
            self.leave_out(Weight::Dropped, path, "is neither text nor Markdown (.txt, .md); it is not imported");
        } else if self.paths.len() >= FOLDER_FILES {
            self.leave_out(Weight::Dropped, path, &format!("is one of more than {FOLDER_FILES} files; it is not imported"));
        } else {
            self.paths.push(path.to_owned());
        }
    }

    /// What is hidden, what `.gitignore` names, homes: everything that lies in a folder that was entered and was not come by.
    fn name_what_was_passed_over(&mut self) {
        for folder in std::mem::take(&mut self.folders) {
            let Ok(entries) = std::fs::read_dir(&folder) else { continue };
            let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
            paths.sort();
            paths.retain(|path| !self.seen.contains(path));
            for path in &paths {
                let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
                if path.is_dir() && is_home(path) {
                    self.leave_out(Weight::Dropped, path, "is a home of Kith's, which is never imported");
                } else if hidden {
                    self.leave_out(Weight::Minor, path, "is hidden; it is not imported");
                } else {
                    self.leave_out(Weight::Dropped, path, "is named in .gitignore or .ignore; it is not imported");
                }
            }
        }
    }

    /// A list that Kith exported: all that is in it, by its file's name.
    fn take_in(&mut self, path: &Path) {
        match list(path) {
            Ok(mut haul) => {
                let origin = Origin { file: Some(self.name(path)), line: None };
                haul.found.iter_mut().for_each(|found| found.origin = origin.clone());
                haul.left_out.iter_mut().for_each(|left| left.origin = origin.clone());
                self.haul.found.append(&mut haul.found);
                self.haul.left_out.append(&mut haul.left_out);
            }
            Err(why) => self.leave_out(Weight::Dropped, path, &format!("is not imported: {why}")),
        }
    }

    fn notes(mut self) -> Result<Haul> {
        let mut lists = std::mem::take(&mut self.lists);
        lists.sort();
        for list in lists {
            self.take_in(&list);
        }
        let mut paths = std::mem::take(&mut self.paths);
        paths.sort();
        for path in paths {
            let origin = Origin { file: Some(self.name(&path)), line: None };
            match note(&path, &mut self.haul, origin) {
                Ok(found) => self.haul.found.push(found),
                Err(stop) => self.leave_out(Weight::Dropped, &path, &format!("is not imported: {stop}")),
            }
        }
        Ok(self.haul)
    }
}

/// What a list holds that Kith exported.
fn list(path: &Path) -> std::result::Result<Haul, String> {
    let bytes = files::read(path, FILE_BYTES).map_err(|stop| stop.to_string())?;
    own::haul(&decode::text(&bytes)?.text)
}

fn is_text(path: &Path) -> bool {
    let extension = path.extension().map(|ext| ext.to_string_lossy().to_lowercase());
    matches!(extension.as_deref(), Some("txt" | "md" | "markdown"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(haul: &Haul) -> Vec<String> {
        let mut told: Vec<String> = haul.left_out.iter().map(|left| format!("{} {}", left.what, left.why)).collect();
        told.sort();
        told
    }

    fn titles(haul: &Haul) -> Vec<&str> {
        haul.found.iter().map(|found| found.title.as_str()).collect()
    }

    #[test]
    fn files_become_notes_and_the_rest_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        put("b-first_look.txt", "Hello\n");
        put("a.md", "# A title\n\ntext\n");
        put("huge.txt", &"x".repeat(BODY_BYTES + 1));
        put("picture.png", "x");
        put("empty.txt", " \n");
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("link.txt")).unwrap();
        let haul = haul(dir.path()).unwrap();
        assert_eq!(titles(&haul), ["A title", "b first look"]);
        assert_eq!(haul.found[0].origin.file.as_deref(), Some("a.md"));
        let told = told(&haul);
        assert_eq!(told.len(), 4);
        assert!(told[1].contains("60.0 KiB"), "{told:?}");
        assert!(told[2].contains("symbolic link"));
    }

    #[test]
    fn an_export_comes_back_by_its_lists() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let list = r#"{"schema":"kith.resource.list/1","resources":[{"id":"r-a","circle":"c-a","title":"Hotline","url":"","kind":"phone",
            "tags":[],"lang":"","note":"","author":{"member":"m-a","name":"Bea"},"review_by":null,"file":null,
            "created_at":"1970-01-01T00:00:00Z","edited_at":null,"state":"visible","delivery":null,"new":false}]}"#;
        let read = "# Notes of Tea\n\n## On-call\n\nn-aaaa, 2026-11-30T21:11:03Z, by m-bbbb: Amara\n\n    Long night.\n";
        put("tea/resources.json", list);
        put("tea/resources.csv", "title\nHotline\n");
        put("tea/resources.md", "# Resources of Tea\n");
        put("tea/notes.md", read);
        put("tea/events.json", "{\"schema\":\"kith.event.list/1\",\"events\":[");
        put("tea/mine.txt", "a text");
        put("other/resources.json", "[]");
        put("other/resources.md", "mine");
        let haul = haul(dir.path()).unwrap().checked();
        assert_eq!(titles(&haul), ["Hotline", "resources", "mine"]);
        assert_eq!(haul.found[0].origin.file.as_deref(), Some("tea/resources.json"));
        let of = |weight: Weight| {
            let of: Vec<&str> =
                haul.left_out.iter().filter(|left| left.weight == weight).map(|left| left.what.as_str()).collect();
            of
        };
        assert_eq!(of(Weight::Dropped), ["other/resources.json", "tea/events.json", "tea/notes.md"]);
        assert_eq!(of(Weight::Minor), ["tea/resources.csv", "tea/resources.md"]);
    }

    #[test]
    fn what_is_hidden_or_ignored_stays_where_it_is_and_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        put(".gitignore", "private/\n*.secret.md\n");
        put("private/diary.txt", "mine");
        put("in/plan.secret.md", "mine");
        put("in/.hidden.txt", "mine");
        put("in/open.txt", "ours");
        let haul = haul(dir.path()).unwrap();
        assert_eq!(titles(&haul), ["open"]);
        let told = told(&haul);
        assert_eq!(told.len(), 4, "{told:?}");
        assert!(told.iter().any(|said| said.starts_with("private is named")), "{told:?}");
        assert!(told.iter().any(|said| said.starts_with("in/plan.secret.md is named")), "{told:?}");
    }

    #[test]
    fn a_home_is_never_entered() {
        for marks in OF_A_HOME {
            let dir = tempfile::tempdir().unwrap();
            let home = dir.path().join("kith/amara");
            std::fs::create_dir_all(home.join("drafts")).unwrap();
            marks.iter().for_each(|name| std::fs::write(home.join(name), "").unwrap());
            std::fs::write(home.join("drafts/d.txt"), "secret").unwrap();
            std::fs::write(dir.path().join("a.txt"), "open").unwrap();
            let around = haul(dir.path()).unwrap();
            assert_eq!(titles(&around), ["a"], "{marks:?}");
            assert!(told(&around)[0].contains("kith/amara is a home"), "{:?}", told(&around));
            for inside in [&home, &home.join("drafts")] {
                assert!(haul(inside).unwrap_err().to_string().contains("never imported"), "{marks:?}");
            }
        }
    }
}
