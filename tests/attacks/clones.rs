//! E: one device twice, by a restored backup or a copied folder.

use std::fs;
use std::path::Path;

use kith_tests::proc::{Home, until};

use crate::text;

const CIRCLE: &str = "Night shift";

/// Copies a home that does not run.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        let kind = entry.file_type().expect("known");
        if kind.is_dir() {
            copy(&entry.path(), &target);
        } else if kind.is_file() {
            fs::copy(entry.path(), &target).expect("copied");
        }
    }
    fs::set_permissions(to, fs::metadata(from).expect("known").permissions()).expect("may");
}

fn titles(home: &Home) -> Vec<String> {
    let mut titles: Vec<String> =
        home.rows(&["note", "list", "-c", CIRCLE], "notes").iter().map(|row| text(row, "title")).collect();
    titles.sort();
    titles
}

fn write(home: &Home, title: &str) {
    drop(home.json(&["note", "new", "-c", CIRCLE, "--title", title, "x"]));
}

fn two() -> (Home, Home) {
    let amara = Home::named("Amara");
    amara.found(CIRCLE);
    let bea = Home::named("Bea");
    amara.admit(CIRCLE, &bea, "Bea");
    write(&bea, "before the copy");
    drop(amara.awaits_note(CIRCLE, "before the copy"));
    (amara, bea)
}

#[test]
fn e15_a_restored_backup_that_writes_on_loses_nothing_of_either_side() {
    let (amara, mut bea) = two();
    bea.stop();
    let backup = bea.beside().join("backup");
    copy(&bea.path(), &backup);
    bea.start();
    write(&bea, "after the copy");
    drop(amara.awaits_note(CIRCLE, "after the copy"));
    bea.stop();
    fs::remove_dir_all(bea.path()).expect("may");
    copy(&backup, &bea.path());
    bea.start();
    // At once, before it can have heard how far it was: the old chain is gone on with, and that shows.
    write(&bea, "from the backup");
    write(&bea, "and another");
    let all = ["after the copy", "and another", "before the copy", "from the backup"].map(str::to_owned);
    until("all of it at Amara's", || (titles(&amara) == all).then_some(()));
    until("all of it at Bea's, what the backup did not hold included", || (titles(&bea) == all).then_some(()));
    write(&bea, "later on");
    drop(amara.awaits_note(CIRCLE, "later on"));
    bea.restart();
    assert_eq!(titles(&bea).len(), 5);
}

#[test]
fn e16_a_copied_folder_that_runs_on_two_machines_loses_nothing_and_is_noticed() {
    let (amara, mut bea) = two();
    bea.stop();
    let mut twin = Home::new();
    copy(&bea.path(), &twin.path());
    let config = twin.path().join("config.toml");
    let settings = fs::read_to_string(&config).expect("the settings are there");
    let port = settings.lines().find(|line| line.starts_with("port = ")).expect("a port is written down");
    // Another machine has the same port free; on this one it needs another.
    fs::write(&config, settings.replace(port, "")).expect("written");
    bea.start();
    write(&bea, "from the one");
    drop(amara.awaits_note(CIRCLE, "from the one"));
    twin.start();
    write(&twin, "from the other");
    let all = ["before the copy", "from the one", "from the other"].map(str::to_owned);
    until("both at Amara's", || (titles(&amara) == all).then_some(()));
    // Somebody says so: the machine that saw itself elsewhere, or anyone who got two different entries at one place.
    let said = |home: &Home| fs::read_to_string(home.path().join("log/kithd.log")).unwrap_or_default();
    until("a word about it", || {
        let logs = [&amara, &bea, &twin].map(said).concat();
        let noticed = ["ahead of itself elsewhere", "two different entries at one place"];
        noticed.iter().any(|words| logs.contains(words)).then_some(())
    });
    write(&amara, "Amara goes on");
    until("the others go on, too", || {
        [&bea, &twin].iter().any(|home| titles(home).contains(&"Amara goes on".to_owned())).then_some(())
    });
}
