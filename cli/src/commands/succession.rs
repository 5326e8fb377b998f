//! Who takes over when somebody leaves or steps down, and the question before it.

use kith_protocol::control::{Member, MemberStatus, Role};

use super::show::named;
use crate::context::Context;
use crate::error::Result;
use crate::global::not_empty;
use crate::ui::Line;

/// What the last steward says about who takes over.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Succession {
    /// If you are the last steward: who becomes one in your place (founder only)
    #[arg(long, value_name = "WHO", value_parser = not_empty, conflicts_with = "without_successor")]
    pub(crate) successor: Option<String>,
    /// If you are the last steward: leave the others without one, for good; with --confirm CIRCLE
    #[arg(long)]
    pub(crate) without_successor: bool,
}

impl Succession {
    /// As `settle`, where somebody leaves: in a script, naming a successor is the confirmation.
    pub(crate) fn settle_leaving(
        &mut self,
        context: &Context,
        members: &[Member],
        what: &str,
        called: (&[&str], &[&str]),
    ) -> Result<()> {
        if self.successor.is_some() && !context.ui().interactive && context.global().confirm.is_none() {
            return Ok(());
        }
        self.settle(context, members, what, None, called)
    }

    /// Asks what is to be asked before somebody steps down to `role`, or leaves: on a terminal who takes over, then for a name; in a script `--confirm`
    /// says it. Where the last steward names nobody, the daemon refuses and says why.
    pub(crate) fn settle(
        &mut self,
        context: &Context,
        members: &[Member],
        what: &str,
        role: Option<Role>,
        (names, ids): (&[&str], &[&str]),
    ) -> Result<()> {
        let ui = context.ui();
        if context.global().dry_run {
            return Ok(());
        }
        let left = if role >= Some(Role::Steward) { Vec::new() } else { left_behind(members) };
        let open = !left.is_empty() && self.successor.is_none() && !self.without_successor;
        if open && context.global().confirm.is_some() {
            return context.confirm(what, names, ids);
        }
        if open && !ui.interactive {
            return Ok(());
        }
        if open {
            self.ask(context, members, &left)?;
        }
        let means = if self.without_successor && !left.is_empty() { consequence(&left) } else { of_founder(members).to_owned() };
        context.confirm(&format!("{what}{means}"), names, ids)
    }

    fn ask(&mut self, context: &Context, members: &[Member], left: &[&Member]) -> Result<()> {
        let ui = context.ui();
        if !members.iter().any(|member| member.me && member.role == Some(Role::Founder)) {
            self.without_successor = true;
            return Ok(());
        }
        ui.say(Line::new().warn(&format!("You are the last steward.{}", consequence(left))));
        let mut choices: Vec<String> = left.iter().map(|member| named(member)).collect();
        choices.push("Nobody".to_owned());
        let at = ui.choose("Who becomes a steward in your place?", &choices)?;
        match left.get(at) {
            Some(member) => self.successor = Some(member.id.clone()),
            None => self.without_successor = true,
        }
        Ok(())
    }
}

/// Those who would have no steward any more if this machine's member were none.
fn left_behind(members: &[Member]) -> Vec<&Member> {
    let steward = |member: &Member| member.status == MemberStatus::Current && member.role >= Some(Role::Steward);
    let stay = |member: &&Member| !member.me && matches!(member.status, MemberStatus::Current | MemberStatus::Suspended);
    let others: Vec<&Member> = members.iter().filter(stay).collect();
    let mine = members.iter().any(|member| member.me && steward(member));
    if !mine || others.iter().any(|member| steward(member)) { Vec::new() } else { others }
}

/// Who stays, and what nobody of them can do afterward.
fn consequence(left: &[&Member]) -> String {
    let names: Vec<String> = left.iter().map(|member| named(member)).collect();
    let (stay, they) = if names.len() == 1 { ("stays", "They") } else { ("stay", "None of them") };
    let can = if names.len() == 1 { "can never again" } else { "can ever again" };
    format!(
        " {} {stay}, without a steward. {they} {can} let anybody in, remove anybody, give roles or change the circle's rules.",
        super::show::listed(&names)
    )
}

/// What a founder alone can do.
fn of_founder(members: &[Member]) -> &'static str {
    let founder = members.iter().any(|member| member.me && member.role == Some(Role::Founder));
    let stays = |member: &Member| !member.me && matches!(member.status, MemberStatus::Current | MemberStatus::Suspended);
    if founder && members.iter().any(stays) {
        " You are the founder, and nobody ever becomes that again: afterward nobody can make somebody a steward, remove a steward or \
         change the circle's rules."
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, role: Role, status: MemberStatus) -> Member {
        let me = name == "Me";
        Member { id: format!("m-{name}"), name: name.to_owned(), role: Some(role), status, devices: Vec::new(), me, alike: false }
    }

    fn left(others: &[(&str, Role, MemberStatus)]) -> Vec<String> {
        let mut all = vec![member("Me", Role::Founder, MemberStatus::Current)];
        all.extend(others.iter().map(|(name, role, status)| member(name, *role, *status)));
        left_behind(&all).into_iter().map(|member| member.name.clone()).collect()
    }

    #[test]
    fn those_who_stay_without_a_steward_are_named() {
        use MemberStatus::{Current, Left, Removed, Suspended};
        use Role::{Guest, Member, Steward};
        assert!(left(&[]).is_empty(), "somebody alone leaves nobody behind");
        assert!(left(&[("Bea", Steward, Current), ("Chi", Member, Current)]).is_empty());
        assert_eq!(left(&[("Bea", Steward, Suspended), ("Chi", Guest, Current)]), ["Bea", "Chi"]);
        assert_eq!(left(&[("Bea", Steward, Removed), ("Chi", Member, Current), ("Dora", Member, Left)]), ["Chi"]);
    }

    #[test]
    fn what_follows_is_said_of_one_and_of_several() {
        let (bea, chi) = (member("Bea", Role::Member, MemberStatus::Current), member("Chi", Role::Guest, MemberStatus::Current));
        assert!(consequence(&[&bea]).starts_with(" Bea stays, without a steward. They can never again let"));
        assert!(consequence(&[&bea, &chi]).starts_with(" Bea and Chi stay, without a steward. None of them can ever again let"));
    }
}
