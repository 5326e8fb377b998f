//! What a text is to become: whether it can, before anybody writes it, and how it is saved.

use kith_protocol::control::{
    Circle, CircleStatus, Code, DraftOf, EditNote, ItemState, Kind, NewDraft, NewNote, NewReply, Note, Role, WantChange,
};

use super::typed::means;
use crate::client::{Client, Reply, Route};
use crate::error::{self, Result};

/// The circle that something is to be written into, where this member may write in it.
pub(super) fn writable(client: &Client, circle: &str) -> Result<Circle> {
    let circle: Circle = client.get(&Route::new("circles").seg(circle))?.read()?;
    if circle.status != CircleStatus::Current {
        return Err(error::refused(Code::NotAllowed, format!("You are not in \"{}\" now.", circle.name), ""));
    }
    if circle.role < Some(Role::Member) {
        let hint = "A steward can change your role, if you would like to write.";
        return Err(error::refused(Code::NotAllowed, "Guests read and react here; they do not write.", hint));
    }
    Ok(circle)
}

/// The note that is to be replied to, where that is possible.
pub(super) fn answerable(client: &Client, route: &Route, id: &str) -> Result<Note> {
    let note: Note = client.get(route)?.read()?;
    if !means(id, &note.id) {
        let hint = format!("Reply to its note: `kith note reply {}`.", note.id);
        return Err(error::usage(format!("`{id}` is a reply, and replies have no replies."), hint));
    }
    if note.state != ItemState::Visible {
        return Err(error::refused(Code::NotFound, "That note is not here, or no longer shown.", ""));
    }
    writable(client, &note.circle)?;
    Ok(note)
}

/// The text that is to be changed, and its base: the note's, or of the reply whose id was typed; where it is one's own.
pub(super) fn changeable(client: &Client, route: &Route, id: &str) -> Result<(String, Option<String>, Note)> {
    let note: Note = client.get(&route.clone().flag("reveal", true))?.read()?;
    let circle = writable(client, &note.circle)?;
    let reply = note.replies.iter().find(|reply| !means(id, &note.id) && means(id, &reply.id));
    let (author, noun) = reply.map_or((&note.author, "note"), |reply| (&reply.author, "reply"));
    if author.member != circle.me {
        return Err(error::refused(Code::NotAllowed, format!("Only its author edits a {noun}."), "You can reply to it."));
    }
    let (body, base) = reply.map_or((&note.body, &note.base), |reply| (&reply.body, &reply.base));
    Ok((body.clone().unwrap_or_default(), base.clone(), note))
}

/// Refuses, before anybody goes on writing, what a draft can no longer become.
pub(super) fn may_become(client: &Client, draft: &NewDraft) -> Result<()> {
    let item = draft.item.as_deref().unwrap_or_default();
    let route = Route::new("circles").seg(&draft.circle).seg(Kind::Note.path()).seg(item);
    match draft.becomes {
        DraftOf::Note => writable(client, &draft.circle).map(|_| ()),
        DraftOf::Reply => answerable(client, &route, item).map(|_| ()),
        DraftOf::Edit => changeable(client, &route, item).map(|_| ()),
    }
}

/// Saves a text as what it is to become.
pub(super) fn save(client: &Client, draft: &NewDraft) -> Result<Reply> {
    let all = Route::new("circles").seg(&draft.circle).seg(Kind::Note.path());
    let one = all.clone().seg(draft.item.as_deref().unwrap_or_default());
    let given = |words: &Option<String>| words.clone().unwrap_or_default();
    match draft.becomes {
        DraftOf::Note => {
            let note = NewNote {
                title: given(&draft.title),
                body: draft.body.clone(),
                content_warning: draft.content_warning.clone(),
                want: draft.want.and_then(WantChange::want),
                lang: given(&draft.lang),
                tags: draft.tags.clone().unwrap_or_default(),
            };
            client.send("POST", &all, &note)
        }
        DraftOf::Reply => {
            let reply = NewReply { body: draft.body.clone(), content_warning: draft.content_warning.clone() };
            client.send("POST", &one.seg(Kind::Reply.path()), &reply)
        }
        DraftOf::Edit => {
            let change = EditNote {
                base: draft.base.clone(),
                title: draft.title.clone(),
                body: Some(draft.body.clone()),
                content_warning: draft.content_warning.clone(),
                want: draft.want,
                lang: draft.lang.clone(),
                tags: draft.tags.clone(),
            };
            client.send("PATCH", &one, &change)
        }
    }
}
