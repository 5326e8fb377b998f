//! A folder of text and Markdown: every file becomes a note. Links are not followed, not even inside the folder.

use std::path::{Path, PathBuf};

use kith_protocol::control::{BatchItem, NewNote};
use kith_protocol::limits::{BODY_BYTES, TITLE_CHARS};

use super::{Found, Haul};
use crate::error::{self, Result};
use crate::files;
use crate::left_out::Origin;
use crate::limits::{FOLDER_DEPTH, FOLDER_FILES};

/// The notes of a folder, by the names of their files.
pub(crate) fn haul(root: &Path) -> Result<Haul> {
    let mut haul = Haul::default();
    let mut paths = Vec::new();
    walk(root, 0, &mut paths, &mut haul)?;
    paths.sort();
    for path in paths {
        let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        match note(&path) {
            Ok(found) => haul.found.push(Found { origin: Origin { file: Some(name), line: None }, ..found }),
            Err(stop) => haul.leave_out(Origin::default(), name, format!("is not imported: {stop}")),
        }
    }
    Ok(haul)
}

/// One file as a note.
pub(crate) fn note(path: &Path) -> Result<Found> {
    let body = files::read_text(path, BODY_BYTES)?.trim_end().to_owned();
    if body.trim().is_empty() {
        return Err(error::failed("The file is empty.", ""));
    }
    let heading = body.lines().next().and_then(|line| line.strip_prefix("# ")).map(str::trim).filter(|text| !text.is_empty());
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().replace(['_', '-'], " ")).unwrap_or_default();
    let title: String = heading.map_or(stem, str::to_owned).chars().take(TITLE_CHARS).collect();
    let note = NewNote { title: title.clone(), body, ..NewNote::default() };
    Ok(Found { title, item: BatchItem::Note(note), origin: Origin::default() })
}

fn walk(folder: &Path, depth: usize, paths: &mut Vec<PathBuf>, haul: &mut Haul) -> Result<()> {
    let entries = std::fs::read_dir(folder).map_err(|e| error::io("Cannot read", folder, &e))?;
    for entry in entries {
        let entry = entry.map_err(|e| error::io("Cannot read", folder, &e))?;
        let kind = entry.file_type().map_err(|e| error::io("Cannot read", &entry.path(), &e))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        if name.starts_with('.') {
            continue;
        }
        if kind.is_symlink() {
            haul.leave_out(Origin::default(), name, "is a symbolic link, and links are not followed; it is not imported");
        } else if kind.is_dir() {
            if depth < FOLDER_DEPTH {
                walk(&path, depth + 1, paths, haul)?;
            } else {
                haul.leave_out(Origin::default(), name, "lies too deep; it is not imported");
            }
        } else if !kind.is_file() || !is_text(&path) {
            haul.leave_out(Origin::default(), name, "is neither text nor Markdown (.txt, .md); it is not imported");
        } else if paths.len() >= FOLDER_FILES {
            haul.leave_out(Origin::default(), name, format!("is one of more than {FOLDER_FILES} files; it is not imported"));
        } else {
            paths.push(path);
        }
    }
    Ok(())
}

fn is_text(path: &Path) -> bool {
    let extension = path.extension().map(|ext| ext.to_string_lossy().to_lowercase());
    matches!(extension.as_deref(), Some("txt" | "md" | "markdown"))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let titles: Vec<&str> = haul.found.iter().map(|found| found.title.as_str()).collect();
        assert_eq!(titles, ["A title", "b first look"]);
        let mut told: Vec<String> = haul.left_out.iter().map(|left| format!("{} {}", left.what, left.why)).collect();
        told.sort();
        assert_eq!(told.len(), 4);
        assert!(told[1].contains("60.0 KiB"), "{told:?}");
        assert!(told[2].contains("symbolic link"));
    }
}
