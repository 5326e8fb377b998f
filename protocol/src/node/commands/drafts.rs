//! Commands about drafts: texts that could not be saved. They are nobody else's.

use crate::codec;
use crate::context::{Cx, InputError};
use crate::control::{Code, Error, Hint, NewDraft};
use crate::io::{Answer, Effect};
use crate::limits::{DRAFT_BYTES, DRAFT_MILLIS, DRAFTS};
use crate::node::draft_row::{DraftRow, PREFIX, find, keys};
use crate::store::Table;

/// Keeps a text.
pub(crate) fn keep(cx: &mut Cx<'_, '_>, text: NewDraft) -> Result<Answer, InputError> {
    let size = [Some(&text.body), text.title.as_ref(), text.content_warning.as_ref()].into_iter().flatten().map(String::len);
    if size.sum::<usize>() > DRAFT_BYTES {
        let message = format!("A draft holds {} kB of text.", DRAFT_BYTES >> 10);
        return Err(InputError::Refused(Error::new(Code::TooLarge, message, "Keep it in a file of your own.")));
    }
    if keys(&cx.tx)?.len() >= DRAFTS {
        let hint = Hint::run("draft", "remove", &["ID"], "makes room");
        return Err(InputError::Refused(Error::new(Code::TooLarge, format!("{DRAFTS} drafts are kept already."), hint)));
    }
    let until = cx.env.now.plus(DRAFT_MILLIS);
    let key = [PREFIX, &until.0.to_be_bytes(), &cx.random::<8>()].concat();
    let row = DraftRow::new(text, cx.env.now);
    cx.tx.put(Table::Local, &key, codec::encode(&row));
    Ok(Answer::Draft(Box::new(row.shown(&key))))
}

/// Throws one away, its bytes with it.
pub(crate) fn remove(cx: &mut Cx<'_, '_>, text: &str) -> Result<Answer, InputError> {
    let key = find(&cx.tx, text)?;
    cx.tx.delete(Table::Local, &key);
    cx.tx.then(Effect::Scrub);
    Ok(Answer::Done)
}
