//! What people ask for that changes something: one file a noun.

pub(crate) mod circles;
pub(crate) mod drafts;
mod handover;
pub(crate) mod invites;
mod items;
pub(crate) mod joins;
mod members;
mod named;

use crate::context::{Cx, InputError};
use crate::io::{Answer, CallId, Command, Effect};
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
        Command::Forget(circle) => circles::forget(node, cx, &circle)?,
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
        item @ (Command::New(..)
        | Command::Batch(..)
        | Command::ForgetImport(_)
        | Command::Respond(..)
        | Command::Edit(..)
        | Command::Remove { .. }
        | Command::Restore(..)
        | Command::Hide(..)
        | Command::Pin(..)
        | Command::Seen { .. }
        | Command::Rebuild
        | Command::Index) => items::command(node, cx, item)?,
    };
    cx.tx.then(Effect::Reply(call, Ok(answer)));
    Ok(())
}
