//! Inputs and effects as lines of the trace.

use kith_protocol::node::{Effect, Input};

use super::Who;

pub(super) fn show_input(who: Who, input: &Input) -> String {
    match input {
        Input::Bytes(link, bytes) => format!("m{who} < l{} {} B {}", link.0, bytes.len(), &blake3::hash(bytes).to_hex()[..8]),
        Input::Opened { link, peer, dialer } => {
            format!(
                "m{who} < l{} open with {}{}",
                link.0,
                String::from_utf8_lossy(&peer.0),
                if *dialer { ", dialled" } else { "" }
            )
        }
        Input::Closed(link) => format!("m{who} < l{} closed", link.0),
        Input::Failed(peer) => format!("m{who} < no way to {}", String::from_utf8_lossy(&peer.0)),
        Input::Call(id, _) => format!("m{who} < {id:?}"),
        Input::Listening(_) => format!("m{who} < listening"),
        Input::Tick => format!("m{who} < tick"),
        Input::Woke => format!("m{who} < woke"),
    }
}

pub(super) fn show_effect(who: Who, effect: &Effect) -> String {
    match effect {
        Effect::Send(link, bytes) => format!("m{who} > l{} {} B {}", link.0, bytes.len(), &blake3::hash(bytes).to_hex()[..8]),
        Effect::Reply(id, Ok(_)) => format!("m{who} > {id:?} done"),
        Effect::Reply(id, Err(why)) => format!("m{who} > {id:?} refused: {:?} {}", why.code, why.message),
        Effect::Dial(peer, _) => format!("m{who} > dial {}", String::from_utf8_lossy(&peer.0)),
        Effect::Close(link) => format!("m{who} > close l{}", link.0),
        Effect::Notify(event) => format!("m{who} > notify {} {} {} {}", event.event, event.noun, event.id, event.change),
        Effect::Widen(link) => format!("m{who} > widen l{}", link.0),
        Effect::Scrub => format!("m{who} > scrub"),
        Effect::Log(line, _) => format!("m{who} > log {line}"),
    }
}
