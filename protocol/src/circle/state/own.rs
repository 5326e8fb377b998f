//! One's own acts and record: written, never sent here.

use super::{CircleState, OwnStanding};
use crate::circle::act::{self, ActBody, ActPlace};
use crate::circle::body::{NewEpoch, Role, Statement};
use crate::circle::epoch::{self, EpochKeys, KeyRing};
use crate::circle::membership::{Fact, Verdict};
use crate::circle::record::{self, Record};
use crate::context::{Cx, InputError};
use crate::control::{Code, Error};
use crate::id::{ActId, Addr, EpochId, Incarnation};
use crate::limits;
use crate::private::Private;

impl CircleState {
    /// Heads for a new act or entry: every head known, and the act of the epoch used where nothing names it yet.
    #[must_use]
    pub(crate) fn heads(&self, epoch: &EpochId) -> Vec<ActId> {
        let mut heads = self.membership().heads();
        if let Some(act) = self.keys.act_of(epoch)
            && !self.membership().within(&act, &heads)
        {
            heads.truncate(limits::HEADS - 1);
            heads.push(act);
            heads.sort_unstable();
        }
        heads
    }

    /// Writes an act of one's own, with a new epoch where `rekey`.
    ///
    /// # Errors
    /// [`InputError::Refused`] where the rules do not allow it.
    pub(crate) fn write(&mut self, cx: &mut Cx<'_, '_>, statement: Statement, rekey: bool) -> Result<ActId, InputError> {
        if !matches!(statement, Statement::Rotate | Statement::Leave) {
            let admits = matches!(statement, Statement::Admit { .. });
            let whole = self.gather(cx, if admits { limits::MOST_MERGES } else { limits::MERGES })?;
            if admits && rekey && !whole {
                // What an admission does not know counts as later than it.
                return Err(too_many_heads());
            }
            if self.usable_epoch().is_none() {
                self.rotate(cx)?;
            }
        }
        let under = self.usable_epoch().or_else(|| self.newest_epochs().first().copied());
        let under = under.ok_or_else(keys_missing)?;
        let parents = if rekey { self.membership().epoch_heads() } else { self.heads(&under) };
        let (author, countersigned) = (self.device(), false);
        let fact = Fact { id: ActId([0; 32]), author, parents, statement, epoch: rekey, countersigned };
        if self.membership().check(&fact) != Verdict::Admissible {
            return Err(InputError::not_allowed("Your role in this circle does not allow that."));
        }
        let (epoch, keys) = if rekey { self.fresh_epoch(cx, &fact.parents) } else { (None, None) };
        let Some(roster) = self.roster_key(&under).cloned() else { return Err(keys_missing()) };
        let place = ActPlace::In { circle: self.id, parents: fact.parents, epoch: under, roster: &roster };
        let body = ActBody { at: cx.env.now, statement: fact.statement, epoch };
        let sealed = act::write_act(cx.env.crypto, cx.env.rng, self.signer(), place, &body)
            .map_err(|_| InputError::usage("That is more than one membership act can hold.", "Shorten the agreement."))?;
        act::put_act(&mut cx.tx, &sealed);
        let id = sealed.id();
        self.absorb(cx.env.crypto, &sealed, body);
        if let (Some(epoch), Some(keys)) = (self.epoch_of(&id).copied(), keys) {
            self.learn_keys(cx, epoch, keys);
        }
        Ok(id)
    }

    fn fresh_epoch(&self, cx: &mut Cx<'_, '_>, parents: &[ActId]) -> (Option<NewEpoch>, Option<EpochKeys>) {
        let superseded = self.superseded_by(parents);
        let parents: Vec<_> = superseded.iter().filter_map(|id| Some((*id, self.ring().epoch(id)?))).collect();
        let (new, keys) = epoch::new_epoch(cx.env.rng, &parents, self.history());
        (Some(new), Some(keys))
    }

    /// Starts a new epoch.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub(crate) fn rotate(&mut self, cx: &mut Cx<'_, '_>) -> Result<ActId, InputError> {
        self.write(cx, Statement::Rotate, true)
    }

    /// Brings heads together, by acts that do nothing else, until one act can name them all; at most so many. True where it came
    /// to that.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub(crate) fn gather(&mut self, cx: &mut Cx<'_, '_>, most: usize) -> Result<bool, InputError> {
        if self.may_rotate() {
            for _ in 0..most {
                if !self.membership().crowded() {
                    break;
                }
                self.rotate(cx)?;
            }
        }
        Ok(!self.membership().crowded())
    }

    /// Were heads brought together here, and are there still too many? (What was begun is to be gone on with.)
    #[must_use]
    pub(crate) fn is_gathering(&self) -> bool {
        self.dirty && self.membership().crowded() && self.may_rotate()
    }

    fn may_rotate(&self) -> bool {
        self.my_role().is_some_and(|role| role > Role::Guest)
    }

    /// The epoch to write content under: the usable one, or a new one where there is none, or where it is overdue or would open more
    /// to newcomers than the circle wants. Where many acts stand side by side, it takes more than one to make one usable.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub(crate) fn epoch_for_writing(&mut self, cx: &mut Cx<'_, '_>) -> Result<EpochId, InputError> {
        for left in (0..=limits::MERGES).rev() {
            let usable = self.usable_epoch();
            match usable {
                Some(epoch) if !self.overdue(&epoch, cx.env.now) && !self.loose(&epoch) => return Ok(epoch),
                _ if left > 0 && self.may_rotate() => drop(self.rotate(cx)?),
                Some(epoch) if !self.may_rotate() && !self.loose(&epoch) => return Ok(epoch),
                Some(_) | None => {}
            }
        }
        if !self.may_rotate() {
            return Err(InputError::not_yet("Somebody who writes in this circle has to renew its keys first."));
        }
        Err(if self.membership().crowded() {
            too_many_heads()
        } else {
            InputError::not_yet("No keys can be made for this circle yet.")
        })
    }

    /// Writes the row of what only this machine knows.
    pub(crate) fn save_row(&mut self, cx: &mut Cx<'_, '_>) {
        self.row.put(&mut cx.tx);
        self.change();
    }

    /// Other machines hold entries of this device that it does not know: begins a fresh set of chains, so that none is written twice.
    pub(crate) fn begin_again(&mut self, cx: &mut Cx<'_, '_>) {
        self.row.begin(Incarnation(cx.random()));
        self.save_row(cx);
        cx.log("this device was ahead of itself elsewhere: a fresh set of chains begins", Some(self.id));
    }

    /// The member who was admitted says yes, and agrees to what the agreement is now.
    pub(crate) fn confirm(&mut self, cx: &mut Cx<'_, '_>) {
        self.row.stand(OwnStanding::In);
        self.sign_agreement(cx);
    }

    /// The member who was admitted says no.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub(crate) fn decline(&mut self, cx: &mut Cx<'_, '_>) -> Result<(), InputError> {
        self.write(cx, Statement::Leave, false)?;
        self.row.stand(OwnStanding::Leaving);
        self.save_row(cx);
        Ok(())
    }

    /// The member leaves. Where nobody else is in, nobody has to hear of it.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub(crate) fn leave(&mut self, cx: &mut Cx<'_, '_>) -> Result<(), InputError> {
        self.write(cx, Statement::Leave, false)?;
        self.row.stand(if self.others().is_empty() { OwnStanding::Left } else { OwnStanding::Leaving });
        self.save_row(cx);
        Ok(())
    }

    /// Somebody knows that the member who was leaving is out.
    pub(crate) fn left(&mut self, cx: &mut Cx<'_, '_>) {
        if self.standing() == OwnStanding::Leaving {
            self.row.stand(OwnStanding::Left);
            self.save_row(cx);
        }
    }

    /// The member was removed by somebody who could.
    pub(crate) fn removed(&mut self, cx: &mut Cx<'_, '_>) {
        self.row.remove(cx.env.now);
        self.save_row(cx);
    }

    /// The member says that they agree to what the agreement is now.
    pub(crate) fn sign_agreement(&mut self, cx: &mut Cx<'_, '_>) {
        let agreement = self.agreement();
        self.row.sign((!agreement.is_empty()).then(|| record::agreement_digest(&agreement)));
        self.save_row(cx);
    }

    /// Did the member sign the agreement as it is now?
    pub(crate) fn agrees(&self) -> bool {
        let agreement = self.agreement();
        agreement.is_empty() || self.row.signed() == Some(record::agreement_digest(&agreement))
    }

    /// Publishes this device's record: name, address, agreement. False where it says so already.
    pub(crate) fn publish(&mut self, cx: &mut Cx<'_, '_>, addresses: &[Addr]) -> bool {
        let Some(epoch) = self.usable_epoch().or_else(|| self.newest_epochs().first().copied()) else { return false };
        let Some(roster) = self.roster_key(&epoch).cloned() else { return false };
        let body = record::RecordBody {
            at: cx.env.now,
            name: self.row.name().clone(),
            device_name: Private(String::new()),
            peer: cx.env.peer.clone(),
            addresses: addresses.iter().filter(|a| a.0.len() <= limits::ADDRESS_BYTES).take(limits::ADDRESSES).cloned().collect(),
            agreement: self.row.signed(),
        };
        let same = self.record_of(&self.device()).is_some_and(|held| {
            (&held.body.name, &held.body.peer, &held.body.addresses, &held.body.agreement)
                == (&body.name, &body.peer, &body.addresses, &body.agreement)
        });
        if same {
            return false;
        }
        let count = self.row.count_record();
        let written = Record::write(cx.env.crypto, cx.env.rng, &self.id, self.signer(), (&epoch, &roster), count, body);
        record::put(&mut cx.tx, &self.id, &written);
        self.records.keep(written);
        self.save_row(cx);
        true
    }
}

fn too_many_heads() -> InputError {
    let message = "Many things were decided side by side in this circle, and are being brought together.";
    InputError::Refused(Error::new(Code::Failed, message, "Try again in a moment."))
}

fn keys_missing() -> InputError {
    InputError::not_yet("The circle's keys have not arrived yet.")
}
