//! Frozen examples of frames, messages, and what is sealed in them.

use super::*;
use crate::circle::body::{ChainId, History, KeyClass, Retention};
use crate::circle::record::Digest;
use crate::circle::terms::RetentionTerm;
use crate::frozen::{Form, frozen};
use crate::id::{ActId, EntryId, EpochId, Incarnation};
use crate::private::Private;
use crate::sync::message::{ChainGap, ChainHave, ChainSeq, Hash, Have, SealedRequest};
use crate::time::Millis;

const DEVICE: DeviceId = DeviceId([3; 32]);
const SIGNATURE: Signature = Signature([10; 64]);

fn bytes(byte: u8) -> Bytes {
    Bytes(vec![byte; 40])
}

fn private(text: &str) -> Private<String> {
    Private(text.to_owned())
}

fn have() -> Have {
    let chain = |class| ChainId { device: DEVICE, incarnation: Incarnation([7; 16]), class };
    Have {
        tips: vec![ActId([4; 32])],
        epochs: vec![EpochId([5; 32]), EpochId([15; 32])],
        talk: vec![EpochId([5; 32])],
        records: vec![(DEVICE, 300)],
        chains: vec![ChainHave { chain: chain(KeyClass::Talk), seq: 400, head: EntryId([6; 32]) }],
        missing: vec![ChainGap { chain: chain(KeyClass::Library), first: 3, last: 300 }],
    }
}

fn request() -> Request {
    let sealed = vec![SealedRequest { to: DEVICE, sealed: vec![11; 40] }];
    Request { ticket: DeviceId([33; 32]), device: DeviceId([23; 32]), sealed, taken_back: None }
}

fn messages() -> Vec<Message> {
    let chain = ChainId { device: DEVICE, incarnation: Incarnation([7; 16]), class: KeyClass::Roster };
    let far = vec![ChainSeq { chain, seq: 300 }];
    vec![
        Message::Prove(DEVICE, SIGNATURE),
        Message::Farewell(bytes(30)),
        Message::Digest(Hash([31; 32])),
        Message::Have(have()),
        Message::Acts(Acts { keys: Some(bytes(32)), acts: vec![bytes(33), bytes(34)] }),
        Message::Acts(Acts { keys: None, acts: Vec::new() }),
        Message::Records(vec![bytes(35)]),
        Message::Run(bytes(36), true),
        Message::Got(far.clone(), 4_096),
        Message::Requests(vec![request()]),
        Message::Want(far),
    ]
}

fn answers() -> Vec<TicketAnswer> {
    vec![
        TicketAnswer::Card(bytes(37)),
        TicketAnswer::Waiting,
        TicketAnswer::Declined,
        TicketAnswer::Refused(Refusal::Busy),
        TicketAnswer::Welcome(Acts { keys: Some(bytes(32)), acts: vec![bytes(33)] }, vec![bytes(35)]),
    ]
}

fn frames() -> Vec<Frame> {
    let token = Token([38; 16]);
    let proof =
        TicketProof { key: DeviceId([33; 32]), signature: SIGNATURE, device: DeviceId([23; 32]), device_signature: SIGNATURE };
    let mut all = vec![
        Frame::Hello { version: VERSION, salt: Salt([39; 32]) },
        Frame::Tokens(vec![token, Token([40; 16])]),
        Frame::Intro(bytes(41)),
        Frame::Ticket(proof),
        Frame::Request(request()),
        Frame::Request(Request { taken_back: Some(SIGNATURE), ..request() }),
        Frame::Taken(300),
    ];
    all.extend(messages().into_iter().map(|message| Frame::Circle(token, message)));
    all.extend(answers().into_iter().map(Frame::Answer));
    all
}

fn introduction(gone: Option<Gone>) -> Introduction {
    Introduction { acts: vec![bytes(33)], record: bytes(35), gone }
}

fn body(agreement: Option<Digest>) -> RequestBody {
    let keys = DeviceKeys { sign: DeviceId([23; 32]), hpke: vec![42; 32], hello: [43; 32] };
    RequestBody { keys, name: private("Bea"), agreement, ticket_signature: SIGNATURE, signature: SIGNATURE }
}

fn card(history: History) -> Card {
    Card {
        circle_name: private("Night shift"),
        inviter_name: private("Amara"),
        members: 300,
        agreement: private("What is said here stays here."),
        history,
        retention: Retention::Days(90),
        suite: 1,
        stewards: vec![StewardKey { device: DEVICE, hpke: vec![42; 32] }],
        signature: SIGNATURE,
        open_since: (history == History::All).then_some(Millis(1_795_359_600_000)),
        shortened: (history == History::All).then_some(RetentionTerm { set: Millis(1_795_359_600_000), value: Retention::Keep }),
    }
}

frozen![
    Form::new("frame", 1, &frames()),
    Form::new("introduction", 1, &[introduction(None), introduction(Some(Gone { device: DEVICE, signature: SIGNATURE }))]),
    Form::new("request", 1, &[body(None), body(Some(Digest([13; 32])))]),
    Form::new("card", 2, &[History::All, History::SinceJoin, History::Days(30)].map(card)),
];

#[test]
fn a_refusal_is_a_number_on_the_wire_and_a_later_one_is_kept() {
    let known = [Refusal::Unknown, Refusal::Expired, Refusal::Used, Refusal::Closed, Refusal::Busy];
    for number in 0..=u8::MAX {
        let bytes = crate::codec::encode(&number);
        let refusal: Refusal = crate::codec::decode(&bytes, "refusal").expect("any number is one");
        assert_eq!(refusal, known.get(usize::from(number)).copied().unwrap_or(Refusal::Later(number)));
        assert_eq!(crate::codec::encode(&refusal), bytes);
    }
}
