//! `kith search`.

use kith_protocol::control::SearchHit;

use super::show::{author, dotted, short_ids};
use crate::client::Route;
use crate::context::Context;
use crate::duration::at_least_one;
use crate::error::Result;
use crate::ui::{Line, Ui};

/// Search notes, replies, events and resources in all your circles
#[derive(Debug, clap::Args)]
pub(crate) struct SearchArgs {
    /// Words to find; each also matches longer words that begin with it
    #[arg(required = true)]
    words: Vec<String>,
    /// Show at most N
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    limit: Option<usize>,
}

pub(crate) fn run(context: &Context, args: &SearchArgs) -> Result<()> {
    let limit = args.limit.map(|n| n.to_string());
    let route = Route::new("search")
        .with("q", &args.words.join(" "))
        .maybe("circle", context.global().circle.as_deref())
        .maybe("limit", limit.as_deref());
    let reply = context.client()?.get(&route)?;
    if context.ui().json {
        return context.ui().out_json(reply.text());
    }
    let hits: Vec<SearchHit> = reply.field("hits")?;
    show(context.ui(), &hits)
}

fn show(ui: &Ui, hits: &[SearchHit]) -> Result<()> {
    if hits.is_empty() {
        ui.tell("Nothing found.");
        return Ok(());
    }
    let ids = short_ids(ui, hits.iter().map(|hit| hit.id.as_str()));
    for (hit, id) in hits.iter().zip(ids) {
        let warning =
            hit.content_warning.as_deref().map(|warning| Line::new().warn(&format!("[warning: {warning}]"))).unwrap_or_default();
        let excerpt = hit.excerpt.clone().unwrap_or_default();
        if ui.plain {
            ui.table(&[], &[vec![id.into(), hit.kind.word().into(), hit.title.as_str().into(), excerpt.into()]])?;
            continue;
        }
        let title = Line::new().part(&hit.title);
        let about = vec![title, warning, hit.kind.word().into(), author(&hit.author), Line::new().dim(&ui.when(hit.created_at))];
        ui.out(Line::new().dim(&format!("{id}  ")).and(dotted(about)))?;
        if !excerpt.is_empty() {
            ui.block(10, &excerpt)?;
        }
    }
    Ok(())
}
