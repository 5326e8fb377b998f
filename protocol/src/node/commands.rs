//! What people ask for that changes something: one file a noun.

mod circles;
mod drafts;
mod handover;
mod inside;
mod invites;
mod items;
mod joins;
mod members;

use crate::context::{Cx, InputError};
use crate::io::{Answer, CallId, Command, Effect};
use crate::item::kind::Kind;
use crate::node::NodeState;

/// Carries out a command, and answers it.
pub(super) fn command_came(node: &mut NodeState, cx: &mut Cx<'_, '_>, call: CallId, command: Command) -> Result<(), InputError> {
    let answer = match command {
        Command::PreviewInvite(link) => return joins::preview(node, cx, call, &link),
        Command::Init { name } => circles::init(cx, &name)?,
        Command::NewCircle(new) => circles::new_circle(node, cx, &new)?,
        Command::EditCircle(circle, edit) => circles::edit_circle(node, cx, &circle, &edit)?,
        Command::Leave(circle, leave) => circles::leave(node, cx, &circle, &leave)?,
        Command::Sign(circle) => circles::sign(node, cx, &circle)?,
        Command::Forget(circle, forget) => circles::forget(node, cx, &circle, forget.unheard)?,
        Command::NewInvite(circle, new) => invites::new_invite(node, cx, &circle, &new)?,
        Command::RevokeInvite(circle, invite) => invites::revoke_invite(node, cx, &circle, &invite)?,
        Command::Accept(accept) => joins::accept(node, cx, &accept)?,
        Command::ConfirmJoin(circle) => joins::confirm(node, cx, &circle)?,
        Command::AbandonJoin(circle) => joins::abandon(node, cx, &circle)?,
        Command::Approve(circle, request) => invites::approve(node, cx, &circle, &request)?,
        Command::Decline(circle, request) => invites::decline(node, cx, &circle, &request)?,
        Command::RemoveMember(circle, member) => members::remove(node, cx, &circle, &member)?,
        Command::RestoreMember(circle, member) => members::restore(node, cx, &circle, &member)?,
        Command::LeaveAside(circle, member) => members::leave_aside(node, cx, &circle, &member)?,
        Command::SetRole(circle, member, role) => members::set_role(node, cx, &circle, &member, &role)?,
        Command::KeepDraft(text) => drafts::keep(cx, text)?,
        Command::RemoveDraft(draft) => drafts::remove(cx, &draft)?,
        Command::SyncNow => {
            node.peers.dialer.all_now();
            Answer::Done
        }
        Command::New(circle, new) => items::new(node, cx, &circle, &new)?,
        Command::Batch(circle, new) => items::batch(node, cx, &circle, new)?,
        Command::ForgetImport(import) => items::forget_import(cx, &import)?,
        Command::Respond(circle, item, response) => items::respond(node, cx, &circle, &item, &response)?,
        Command::Edit(circle, item, edit) => items::edit(node, cx, &circle, &item, &edit)?,
        Command::Remove { circle, item, now } => items::remove(node, cx, &circle, &item, now)?,
        Command::Restore(circle, item) => items::restore(node, cx, &circle, &item)?,
        Command::Hide(circle, item, hide) => items::mark(node, cx, (&circle, &item), Kind::Hide, hide)?,
        Command::Pin(circle, item, pin) => items::mark(node, cx, (&circle, &item), Kind::Pin, pin)?,
        Command::Seen { circle, item, reveal } => items::seen(cx, circle.as_deref(), item.as_deref(), reveal)?,
        Command::Rebuild => items::rebuild(node, cx)?,
        Command::Index => items::index(node, cx)?,
    };
    cx.tx.then(Effect::Reply(call, Ok(answer)));
    Ok(())
}
