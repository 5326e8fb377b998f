//! The scenes, in order. Each does something through a person's daemon and checks what the others see.

use std::path::Path;

use kith_protocol::control::{
    Accept, Circle, CircleStatus, Code, Event, Invite, ItemState, Join, JoinStatus, Member, Note, PendingRequest, Preview, Role,
    Want,
};
use serde_json::{Value, json};

use super::person::{PASSPHRASE, Person};
use super::story::Story;
use super::view;
use crate::client::{Client, Route};
use crate::error::{Result, failed};

const CALENDAR: &str = include_str!("../../samples/meetings.ics");
const RESOURCES: &str = include_str!("../../samples/resources.md");
const AGREEMENT: &str = "What is said here stays here. We listen before we advise. Anybody may pass.";

fn circle(id: &str) -> Route {
    Route::new("circles").seg(id)
}

fn notes(client: &Client, id: &str) -> Result<Vec<Note>> {
    client.get(&circle(id).seg("notes"))?.field("notes")
}

fn event(client: &Client, id: &str, event: &str) -> Result<Event> {
    client.get(&circle(id).seg("events").seg(event))?.read()
}

fn find_note(person: &Person, id: &str, note: &str) -> Result<Note> {
    person.wait("a note", || Ok(notes(&person.client, id)?.into_iter().find(|n| n.id == note && n.state == ItemState::Visible)))
}

/// A circle with its founder in it.
pub(crate) fn found(story: &mut Story<'_>, amara: &Person) -> Result<String> {
    story.scene("Amara founds a circle")?;
    let new = json!({ "name": "Night shift", "agreement": AGREEMENT, "retention": "90d", "history": "since-join" });
    let made: Circle = amara.client.send("POST", &Route::new("circles"), &new)?.read()?;
    story.tell("\"Night shift\": conversation is kept for 90 days, and newcomers read what is said from then on.")?;
    story.check(made.members == 1 && made.role == Some(Role::Founder), "Amara is its founder, and its only member.")?;
    Ok(made.id)
}

/// By invite, request, approval and a last look.
pub(crate) fn join(story: &mut Story<'_>, amara: &Person, who: &Person, id: &str, members: usize) -> Result<()> {
    story.scene(&format!("{} is invited", who.name))?;
    let invite: Invite = amara.client.send("POST", &circle(id).seg("invites"), &json!({ "expires_in": 3_600_000 }))?.read()?;
    let link = invite.link.ok_or_else(|| failed("The invite has no link.", ""))?;
    let preview: Preview = who.client.send("POST", &Route::new("invites").seg("preview"), &json!({ "link": link }))?.read()?;
    story.check(
        preview.circle == "Night shift"
            && preview.inviter == "Amara"
            && preview.agreement == AGREEMENT
            && preview.members as usize == members,
        "They see what it is, who invites and what they would agree to, and no member's name but that one.",
    )?;
    let accept = Accept { link, as_name: who.name.to_owned(), confirm: false };
    let join: Join = who.client.send("POST", &Route::new("joins"), &accept)?.read()?;
    story.tell("They ask to come in.")?;
    let pending = || circle(id).seg("pending");
    let request: PendingRequest = amara.wait("the request", || {
        let list: Vec<PendingRequest> = amara.client.get(&pending())?.field("pending")?;
        Ok(list.into_iter().find(|request| request.name == who.name))
    })?;
    amara.client.send("POST", &pending().seg(&request.id).seg("approve"), &json!({}))?;
    story.tell("Amara says yes.")?;
    let admitted: Join = who.wait("the members", || {
        let list: Vec<Join> = who.client.get(&Route::new("joins"))?.field("joins")?;
        Ok(list.into_iter().find(|j| j.id == join.id && j.status == JoinStatus::Admitted))
    })?;
    let named = |client: &Client| -> Result<bool> {
        let list: Vec<Member> = client.get(&circle(id).seg("members"))?.field("members")?;
        Ok(list.iter().any(|member| member.name == who.name))
    };
    let unnamed = !named(&amara.client)?;
    story.check(
        unnamed && admitted.members.iter().any(|member| member.name == "Amara"),
        "They see the members first; of these only the stewards know the name they gave.",
    )?;
    who.client.send("POST", &Route::new("joins").seg(&join.id).seg("confirm"), &json!({}))?;
    amara.wait("their name", || Ok(named(&amara.client)?.then_some(())))?;
    story.check(true, &format!("They say yes too, and Amara sees: {} is here.", who.name))
}

/// A note behind a warning, a reply, a reaction.
pub(crate) fn talk(story: &mut Story<'_>, all: [&Person; 3], id: &str) -> Result<()> {
    let [amara, bea, chioma] = all;
    story.scene("Amara writes")?;
    let body = "Third night on call. I am fine, and I am not.";
    let new = json!({ "title": "On-call", "body": body, "content_warning": "burnout", "want": Want::Listen });
    let note: Note = amara.client.send("POST", &circle(id).seg("notes"), &new)?.read()?;
    story.tell("\"On-call\", behind a content warning; Amara wants to be heard.")?;
    let seen = [find_note(bea, id, &note.id)?, find_note(chioma, id, &note.id)?];
    story.check(
        seen.iter().all(|note| note.body.is_none() && note.content_warning.as_deref() == Some("burnout")),
        "It is there for Bea and Chioma, covered by its warning.",
    )?;
    let open: Note = bea.client.get(&circle(id).seg("notes").seg(&note.id).flag("reveal", true))?.read()?;
    story.check(open.body.as_deref() == Some(body), "Bea asks for it and reads every word.")?;
    bea.client.send(
        "POST",
        &circle(id).seg("notes").seg(&note.id).seg("replies"),
        &json!({ "body": "I am here, no advice." }),
    )?;
    chioma.client.send("POST", &circle(id).seg("notes").seg(&note.id).seg("reactions"), &json!({ "emoji": "❤" }))?;
    for person in all {
        person.wait("reply and reaction", || {
            let note: Note = person.client.get(&circle(id).seg("notes").seg(&note.id).flag("reveal", true))?.read()?;
            let replied =
                note.replies.iter().any(|r| r.author.name == "Bea" && r.body.as_deref() == Some("I am here, no advice."));
            Ok((replied && note.reactions.get("❤").is_some_and(|names| names == &["Chioma"])).then_some(()))
        })?;
    }
    story.check(true, "Bea replies, Chioma sends a heart, and all three see both.")
}

/// Two edits at one moment, and three answers.
pub(crate) fn meet(story: &mut Story<'_>, all: [&Person; 3], id: &str) -> Result<()> {
    let [amara, bea, chioma] = all;
    story.scene("They plan a meeting")?;
    let new = json!({
        "title": "Circle", "starts": "2026-12-01T17:00:00Z", "ends": "2026-12-01T18:00:00Z", "starts_local": "2026-12-01T18:00:00",
        "ends_local": "2026-12-01T19:00:00", "tz": "Europe/Madrid", "rrule": "FREQ=WEEKLY;COUNT=8",
    });
    let made: Event = amara.client.send("POST", &circle(id).seg("events"), &new)?.read()?;
    let route = circle(id).seg("events").seg(&made.id);
    for person in [bea, chioma] {
        person.wait("the event", || event(&person.client, id, &made.id).map(Some))?;
    }
    story.tell("Amara makes an event, weekly, 18:00 in Madrid.")?;
    let edits = std::thread::scope(|scope| {
        let title = scope.spawn(|| bea.client.send("PATCH", &route, &json!({ "title": "Evening circle" })).map(drop));
        let place = scope.spawn(|| chioma.client.send("PATCH", &route, &json!({ "location": "The usual room" })).map(drop));
        [title.join(), place.join()]
    });
    for edit in edits {
        edit.map_err(|_| failed("An edit did not end.", ""))??;
    }
    story.tell("At one moment Bea gives it a better title and Chioma a place.")?;
    for person in all {
        person.wait("both edits", || {
            let event = event(&person.client, id, &made.id)?;
            Ok((event.title == "Evening circle" && event.location == "The usual room").then_some(()))
        })?;
    }
    story.check(true, "Neither is lost: all three see both.")?;
    for (person, answer) in [(amara, "yes"), (bea, "yes"), (chioma, "maybe")] {
        person.client.send("POST", &route.clone().seg("rsvp"), &json!({ "answer": answer }))?;
    }
    for person in all {
        person.wait("the answers", || {
            let rsvp = event(&person.client, id, &made.id)?.rsvp;
            Ok(((rsvp.yes, rsvp.maybe, rsvp.no) == (2, 1, 0)).then_some(()))
        })?;
    }
    story.check(true, "Two come, one perhaps, and everybody's count says so.")
}

/// A calendar and a list of links through the real command line; found on another machine.
pub(crate) fn import(story: &mut Story<'_>, all: [&Person; 3], id: &str, folder: &Path) -> Result<()> {
    let [amara, bea, chioma] = all;
    story.scene("Amara brings along what is at hand")?;
    let mut count = 0;
    for (name, text) in [("meetings.ics", CALENDAR), ("resources.md", RESOURCES)] {
        let path = folder.join(name);
        crate::files::write(&path, text.as_bytes(), true)?;
        let path = path.display().to_string();
        let answer = amara.kith(&["import", &path, "-c", id])?;
        let imported = answer.get("imported").and_then(Value::as_u64).unwrap_or(0);
        count += imported;
        let left = answer.get("left_out").and_then(Value::as_array).map_or(0, Vec::len);
        story.tell(&format!("`kith import {name}`: {imported} things; {left} parts that have no place here are named."))?;
        let again = amara.kith(&["import", &path, "-c", id])?;
        story.check(
            imported > 0 && again.get("imported").and_then(Value::as_u64) == Some(0),
            "Again: all of it is there already, nothing comes twice.",
        )?;
    }
    for person in [bea, chioma] {
        person.wait("what was imported", || {
            let events: Vec<Event> = person.client.get(&circle(id).seg("events"))?.field("events")?;
            let resources: Vec<Value> = person.client.get(&circle(id).seg("resources"))?.field("resources")?;
            Ok(((events.len() + resources.len()) as u64 > count).then_some(()))
        })?;
    }
    story.check(true, &format!("All {count} are on the other computers."))?;
    let found = bea.wait("the search", || {
        let hits: Vec<Value> = bea.client.get(&Route::new("search").with("q", "occupational"))?.field("hits")?;
        Ok((!hits.is_empty()).then_some(hits.len()))
    })?;
    story.check(found == 1, "Bea searches for \"occupational\" and finds the one link.")
}

/// Somebody has to go, and reads nothing new.
pub(crate) fn remove(story: &mut Story<'_>, all: [&Person; 3], id: &str) -> Result<()> {
    let [amara, bea, chioma] = all;
    story.scene("Chioma is removed")?;
    let members: Vec<Member> = amara.client.get(&circle(id).seg("members"))?.field("members")?;
    let member = members.iter().find(|member| member.name == "Chioma").ok_or_else(|| failed("Chioma is not a member.", ""))?;
    let route = circle(id).seg("members").seg(&member.id);
    let refused = amara.client.send("DELETE", &route, &json!({})).err().and_then(|stop| stop.code());
    story.check(
        refused == Some(Code::NeedsPassphrase),
        "It asks for Amara's passphrase again; an unlocked computer alone cannot do it.",
    )?;
    amara.client.secretly("DELETE", &route, &json!({ "passphrase": PASSPHRASE }))?;
    story.tell("Amara removes Chioma. The circle gets new keys in the same act.")?;
    bea.wait("the removal", || {
        let whole: Circle = bea.client.get(&circle(id))?.read()?;
        Ok((whole.members == 2).then_some(()))
    })?;
    chioma.wait("the farewell", || {
        let whole: Circle = chioma.client.get(&circle(id))?.read()?;
        Ok((whole.status == CircleStatus::Removed).then_some(()))
    })?;
    story.check(true, "Bea's computer knows, and Chioma's says so; what Chioma already read stays there.")?;
    let new = json!({ "title": "Among us two", "body": "This is only for those who are still here." });
    let note: Note = amara.client.send("POST", &circle(id).seg("notes"), &new)?.read()?;
    find_note(bea, id, &note.id)?;
    story.check(!has(chioma, id, &note.id)?, "Amara writes again. Bea reads it; nothing of it is on Chioma's computer.")
}

fn has(person: &Person, id: &str, note: &str) -> Result<bool> {
    let all: Vec<Note> = person.client.get(&circle(id).seg("notes").flag("reveal", true))?.field("notes")?;
    let found: Vec<Value> = person.client.get(&Route::new("search").with("q", "still here"))?.field("hits")?;
    Ok(all.iter().any(|n| n.id == note || n.title == "Among us two") || !found.is_empty())
}

/// A computer that sleeps, and wakes up to what it missed.
pub(crate) fn restart(story: &mut Story<'_>, amara: &Person, bea: &mut Person, id: &str) -> Result<()> {
    story.scene("Bea's computer sleeps")?;
    bea.stop()?;
    story.tell("Bea's daemon stops.")?;
    let mut last = String::new();
    for n in 1..=5 {
        let new = json!({ "title": format!("While you were away ({n})"), "body": "No need to answer." });
        let note: Note = amara.client.send("POST", &circle(id).seg("notes"), &new)?.read()?;
        last = note.id;
    }
    story.tell("Amara writes five notes meanwhile.")?;
    bea.start()?;
    let refused = notes(&bea.client, id).err().and_then(|stop| stop.code());
    story.check(refused == Some(Code::Locked), "It wakes up locked: without the passphrase it shows nothing.")?;
    bea.unlock()?;
    story.tell("Bea unlocks it.")?;
    find_note(bea, id, &last)?;
    let caught_up = notes(&bea.client, id)?.iter().filter(|note| note.title.starts_with("While you were away")).count();
    story.check(caught_up == 5, "All five are there.")
}

/// Two computers, one view; and the one outside has got nothing since.
pub(crate) fn agree(story: &mut Story<'_>, all: [&Person; 3], id: &str) -> Result<()> {
    let [amara, bea, chioma] = all;
    story.scene("Do they hold the same?")?;
    let mut last = (String::new(), String::new());
    let same = amara.wait("one view", || {
        last = (view::of(&amara.client, id)?, view::of(&bea.client, id)?);
        Ok((last.0 == last.1).then_some(()))
    });
    if let Err(stop) = same {
        return Err(failed(format!("{stop}{}", view::difference(&last.0, &last.1)), ""));
    }
    story.check(true, &format!("Amara's and Bea's views are equal, byte for byte ({} bytes).", last.0.len()))?;
    let titles: Vec<String> = notes(&chioma.client, id)?.into_iter().map(|note| note.title).collect();
    story.check(titles == ["On-call"], "Chioma's computer holds what was there before, and nothing written since.")?;
    for person in [amara, bea] {
        let doctor: kith_protocol::control::Doctor = person.client.get(&Route::new("doctor"))?.read()?;
        story.check(doctor.ok, &format!("`kith doctor` finds no problem on {}'s computer.", person.name))?;
    }
    Ok(())
}
