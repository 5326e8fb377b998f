//! How a series comes again here and in a file: times that were taken out here stay out.

use std::collections::BTreeSet;

use jiff::civil::DateTime;
use kith_protocol::control::{Event, NewEvent};

use crate::calendar::Series;
use crate::calendar::rule::{Moment, Rule};

/// Takes out of the file's series what was taken out of it here, except for times whose change is withdrawn. The times that the
/// series would have.
pub(super) fn keep_out(event: &Event, new: &mut NewEvent, withdrawn: &[(&Event, Moment)]) -> Vec<String> {
    let (Some(old), Some(series)) = (Series::of(event), Series::of_new(new)) else { return Vec::new() };
    if !series.rule.recurs() {
        return Vec::new();
    }
    let back: Vec<DateTime> = withdrawn.iter().map(|(_, moment)| moment.wall(&old.tz, old.start)).collect();
    let mut rule = Rule { rrule: old.rule.rrule, rdates: old.rule.rdates, exdates: Vec::new() };
    let is_back = |date: &Moment| {
        let one = Rule { exdates: vec![*date], ..rule.clone() };
        back.iter().any(|at| one.excepts(*at, &old.tz, old.start))
    };
    let stay: Vec<Moment> = old.rule.exdates.into_iter().filter(|date| !is_back(date)).collect();
    rule.exdates = stay;
    if (old.start, &old.tz) != (series.start, &series.tz) {
        rule.shift(old.start, series.start, &old.tz);
    }
    let mut rule = if series.all_day { rule.of_days() } else { rule };
    let wall = |date: &Moment| date.wall(&series.tz, series.start);
    rule.exdates.retain(|date| !series.rule.excepts(wall(date), &series.tz, series.start));
    if rule.exdates.is_empty() {
        return Vec::new();
    }
    let all = Rule { exdates: series.rule.exdates.iter().chain(&rule.exdates).copied().collect(), ..series.rule.clone() };
    new.rrule = all.text();
    let has =
        |at: &DateTime| series.rule.starts_from(series.start, &series.tz, *at, 1).is_ok_and(|next| next.first() == Some(at));
    let had: BTreeSet<DateTime> = all.exceptions(series.start, &series.tz).filter(has).collect();
    had.into_iter().map(|at| at.date().to_string()).collect()
}

/// Does it come again otherwise than a file says?
pub(super) fn differs(event: &Event, new: &NewEvent) -> bool {
    let (Some(old), Some(series)) = (Series::of(event), Series::of_new(new)) else { return event.rrule != new.rrule };
    let parts = |series: &Series| {
        let added: BTreeSet<DateTime> = series.rule.rdates.iter().map(|date| date.wall(&series.tz, series.start)).collect();
        let out: BTreeSet<DateTime> = series.rule.exceptions(series.start, &series.tz).collect();
        (series.rule.rrule.clone(), added, out)
    };
    parts(&old) != parts(&series)
}
