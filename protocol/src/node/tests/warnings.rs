//! Content warnings: whatever answers, what stands behind one is shown only to who asked for it, and after writing what one wrote
//! oneself.

use super::*;

/// Who wrote a covered body is its first word.
const THEIRS: &str = "amara";
const MINE: &str = "bea";

struct Table {
    village: Village,
    /// By Amara, covered; both answered it.
    covered: String,
    /// By Bea, covered; Amara answered it.
    own: String,
    /// By Amara, open; both answered it, each behind a warning of their own.
    open: String,
    /// By Amara, written again when its warning was taken off.
    earlier: String,
}

fn covered(body: &str) -> control::NewNote {
    control::NewNote {
        title: "x".into(),
        body: format!("{body} harrowing words"),
        content_warning: Some("burnout".into()),
        ..Default::default()
    }
}

impl Table {
    fn lay() -> Self {
        let mut village = Village::new(2);
        village.found(control::NewCircle::default());
        village.join(1);
        let role = control::SetRole::to(control::Role::Facilitator);
        village.call(0, Command::SetRole("-".into(), "Bea".into(), role)).expect("a role");
        let note = |village: &mut Village, at, new| match village.call(at, Command::New("-".into(), NewItem::Note(new))) {
            Ok(Answer::Item(Item::Note(note))) => note.id,
            other => panic!("{other:?}"),
        };
        let covered_note = note(&mut village, 0, covered(THEIRS));
        let own = note(&mut village, 1, covered(MINE));
        let open = note(&mut village, 0, control::NewNote { body: "open".into(), ..Default::default() });
        let earlier = note(&mut village, 0, covered(THEIRS));
        let mut table = Self { village, covered: covered_note, own, open, earlier };
        for (at, who, about, warning) in [
            (0, THEIRS, table.covered.clone(), None),
            (1, MINE, table.covered.clone(), None),
            (0, THEIRS, table.own.clone(), None),
            (0, THEIRS, table.open.clone(), Some("grief".to_owned())),
            (1, MINE, table.open.clone(), Some("grief".to_owned())),
        ] {
            let reply = control::NewReply { body: format!("{who} harrowing answer"), content_warning: warning };
            table.village.call(at, Command::Respond("-".into(), about, Response::Reply(reply))).expect("a reply");
        }
        let milder = control::EditNote { body: Some("mild".into()), content_warning: Some(String::new()), ..Default::default() };
        table
            .village
            .call(0, Command::Edit("-".into(), table.earlier.clone(), control::EditItem::Note(milder)))
            .expect("an edit");
        table
    }

    /// All replies, whose history can be asked for like a note's.
    fn replies(&self) -> Vec<String> {
        self.village.notes(1).into_iter().flat_map(|note| note.replies).map(|reply| reply.id).collect()
    }

    /// Every query that Bea may ask about what was written, with and without `reveal` where there is one.
    fn queries(&self, reveal: bool) -> Vec<Query> {
        let notes = [&self.covered, &self.own, &self.open, &self.earlier];
        let mut all = vec![Query::List { circle: None, kind: Kind::Note, filter: Filter { reveal, ..Filter::default() } }];
        for limited in [
            Filter { limit: Some(9), reveal, ..Filter::default() },
            Filter { new: true, reveal, ..Filter::default() },
            Filter { unanswered: true, reveal, ..Filter::default() },
        ] {
            all.push(Query::List { circle: None, kind: Kind::Note, filter: limited });
        }
        for item in notes.into_iter().cloned().chain(self.replies()) {
            all.push(Query::Show { circle: None, kind: Kind::Note, item: item.clone(), reveal });
            all.push(Query::History { circle: None, item, reveal });
        }
        all
    }

    /// Everything that Bea may write about what is there.
    fn commands(&self) -> Vec<Command> {
        let mut all = Vec::new();
        for id in [&self.covered, &self.own, &self.open, &self.earlier] {
            let (circle, id) = ("-".to_owned(), id.clone());
            let heart = |remove| control::NewReaction { emoji: "❤".into(), remove };
            let reply = control::NewReply { body: format!("{MINE} says more"), content_warning: Some("grief".into()) };
            all.extend([
                Command::Respond(circle.clone(), id.clone(), Response::Reaction(heart(false))),
                Command::Respond(circle.clone(), id.clone(), Response::Reaction(heart(true))),
                Command::Respond(circle.clone(), id.clone(), Response::Reply(reply)),
                Command::Pin(circle.clone(), id.clone(), true),
                Command::Pin(circle.clone(), id.clone(), false),
                Command::Hide(circle.clone(), id.clone(), true),
                Command::Hide(circle.clone(), id.clone(), false),
            ]);
        }
        let again = control::EditNote { body: Some(format!("{MINE} says it again")), ..Default::default() };
        let own: Vec<String> = self.village.notes(1).into_iter().flat_map(|note| note.replies).filter_map(mine).collect();
        for id in own.iter().chain([&self.own]) {
            all.push(Command::Edit("-".into(), id.clone(), control::EditItem::Note(again.clone())));
        }
        for id in own.into_iter().chain([self.own.clone()]) {
            all.push(Command::Remove { circle: "-".into(), item: id, now: false });
        }
        all.push(Command::Seen { circle: None, item: None, reveal: false });
        all
    }
}

fn mine(reply: control::Reply) -> Option<String> {
    (reply.author.name == "Bea").then_some(reply.id)
}

/// An answer as the local API says it.
fn said(answer: &Answer) -> String {
    format!("{answer:?}")
}

#[test]
fn what_stands_behind_a_warning_is_in_no_answer_until_asked_for() {
    let mut table = Table::lay();
    let search = |words: &str| Query::Search { words: words.into(), circle: None, limit: 0 };
    let unasked =
        [Query::Inbox { circle: None }, search("harrowing"), search(THEIRS), Query::Status, Query::Doctor, Query::Circles];
    for query in table.queries(false).into_iter().chain(unasked) {
        let said = said(&table.village.ask(1, query.clone()));
        for covered in [THEIRS, MINE] {
            assert!(!said.contains(&format!("\"{covered} ")) && !said.contains("harrowing"), "{query:?}: {said}");
        }
    }
    for command in table.commands() {
        let said = said(&table.village.call(1, command.clone()).expect("they may"));
        assert!(!said.contains(&format!("\"{THEIRS} ")), "{command:?}: {said}");
    }
}

#[test]
fn who_asks_sees_it_and_who_writes_sees_their_own() {
    let mut table = Table::lay();
    let revealed: Vec<String> = table.queries(true).into_iter().map(|query| said(&table.village.ask(1, query))).collect();
    assert!(revealed.iter().filter(|said| said.contains(&format!("\"{THEIRS} harrowing"))).count() > 8, "{revealed:?}");
    let histories = |reveal| {
        let ask = |query: &Query| matches!(query, Query::History { .. });
        let said: Vec<String> = table.queries(reveal).into_iter().filter(ask).map(|q| said(&table.village.ask(1, q))).collect();
        said.into_iter().filter(|said| said.contains("harrowing")).count()
    };
    assert_eq!((histories(false), histories(true)), (0, 8), "three notes and five replies");
    let heart = control::NewReaction { emoji: "❤".into(), remove: false };
    let Ok(Answer::Item(Item::Note(note))) =
        table.village.call(1, Command::Respond("-".into(), table.own.clone(), Response::Reaction(heart)))
    else {
        panic!("no note")
    };
    assert_eq!(note.body.as_deref(), Some("bea harrowing words"));
    assert_eq!(note.replies.iter().map(|reply| reply.body.clone()).collect::<Vec<_>>(), [None], "theirs stands behind it, too");
    let reply = control::NewReply { body: "bea answers".into(), content_warning: None };
    let Ok(Answer::Item(Item::Note(note))) =
        table.village.call(1, Command::Respond("-".into(), table.covered.clone(), Response::Reply(reply)))
    else {
        panic!("no note")
    };
    let shown: Vec<&str> = note.replies.iter().filter_map(|reply| reply.body.as_deref()).collect();
    assert_eq!((note.body, shown), (None, vec!["bea harrowing answer", "bea answers"]));
}
